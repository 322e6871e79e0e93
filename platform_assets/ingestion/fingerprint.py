"""From the columns of a file to the columns of ``raw``: the contract's, the unknown ones, and a hash of each line.

Belongs here: naming and fingerprinting what was delivered. Does not belong here: any reading of values.
"""

import json
from collections.abc import Iterable
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.contracts.contract import Contract
from platform_assets.ingestion.headers import normalise
from platform_assets.ingestion.source import Block
from platform_assets.transforms.schemas import raw_schema

DIGEST_LENGTH = 32
NAME_END, CELL_END = "\x1f", "\x1e"
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


class Assembler:
    """Turns blocks of one file into batches of ``raw_schema``.

    The hash of a line is the first 8 bytes of the MD5, as a signed little-endian integer, of its cells that have a
    value, in the order of their column names: each as name, U+001F, text without surrounding blanks, U+001E. So the
    order of columns in a file does not matter, nor how it spells their headers.
    """

    def __init__(self, contract: Contract, source_file: str) -> None:
        self._contract = contract
        self._source_file = source_file
        self._schema = raw_schema(contract)
        self._hasher = _database().cursor()

    def assemble(self, block: Block, columns: dict[str, str]) -> pa.RecordBatch:
        """One batch.

        Args:
            block: At most some 65,536 lines.
            columns: Header to column, for the headers that the contract knows.
        """
        cells = dict(zip(block.names, block.cells, strict=True))
        known = {columns[header]: cell for header, cell in cells.items() if header in columns}
        extra = {header: cell for header, cell in cells.items() if header not in columns}
        rows = len(block.lines)
        return pa.record_batch(
            [
                *(
                    known[name] if name in known else pa.nulls(rows, pa.string())
                    for name in self._contract.column_names
                ),
                _as_json(extra, rows),
                pa.repeat(self._source_file, rows),
                block.lines,
                self._hash(known | {_canonical(header, extra): cell for header, cell in extra.items()}, rows),
            ],
            schema=self._schema,
        )

    def _hash(self, cells: dict[str, pa.Array], rows: int) -> pa.Array:
        counted = sorted(name for name in cells if name not in self._contract.identity_ignores)
        parts: list[pa.Array | str] = []
        for name in counted:
            cell = pc.utf8_trim_whitespace(cells[name])
            before = f"{name}{NAME_END}"
            if cell.null_count:
                parts += [pc.binary_join_element_wise(before, cell, CELL_END, "")]
            else:
                parts += [before, cell, CELL_END]
        self._hasher.register("lines", pa.table({"line": _concatenated(parts, rows)}))
        query = "select md5(line) from lines"
        return _first_bytes(self._hasher.sql(query).to_arrow_table().column(0).combine_chunks())


def _first_bytes(digests: pa.Array) -> pa.Array:
    """The first 8 bytes of hexadecimal digests as signed integers.

    Decoded here, because DuckDB's ``md5_number_upper`` takes four times as long as ``md5``.
    """
    start = digests.offset * DIGEST_LENGTH
    text = np.frombuffer(digests.buffers()[2], np.uint8)[start : start + len(digests) * DIGEST_LENGTH]
    signs = text.reshape(-1, DIGEST_LENGTH)[:, :16]
    nibbles = (signs & 15) + 9 * (signs >> 6)
    octets = np.ascontiguousarray(nibbles[:, 0::2] << 4 | nibbles[:, 1::2])
    return pa.array(octets.view("<i8").ravel())


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _canonical(header: str, others: Iterable[str]) -> str:
    """Name of an unknown column, so that spelling does not matter unless only spelling tells two apart."""
    alone = sum(normalise(other) == normalise(header) for other in others) == 1
    return f"?{normalise(header)}" if alone else f"?{header}"


def _as_json(extra: dict[str, pa.Array], rows: int) -> pa.Array:
    """A JSON object for each row with the columns that have a value, null where none has."""
    if not extra:
        return pa.nulls(rows, pa.string())
    members = [
        pc.binary_join_element_wise(f",{json.dumps(header, ensure_ascii=False)}:", _quoted(cell), "")
        for header, cell in extra.items()
    ]
    joined = _concatenated(members, rows)
    objects = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, 1), "}", "")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), objects)


def _concatenated(parts: list[pa.Array | str], rows: int) -> pa.Array:
    """The parts of each row one behind the other, without those that are null.

    The column of empty texts is there because pyarrow drops rows, silently, in which every part is null.
    """
    return pc.binary_join_element_wise(*parts, pa.repeat("", rows), "", null_handling="skip")


def _quoted(cells: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(cells, _NEEDS_ESCAPE)).as_py():
        texts = (None if cell is None else json.dumps(cell, ensure_ascii=False) for cell in cells.to_pylist())
        return pa.array(texts, pa.string())
    return pc.binary_join_element_wise('"', cells, '"', "")
