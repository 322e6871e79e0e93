"""Forgotten people, known by keyed hashes alone, and rows and lines without them.

Belongs here: telling such a person in rows and in text, and what stands there instead. Does not belong here: where the
hashes are kept (``register``), and which files and tables hold the rows.

A row of a forgotten person stays, as one of a guest: its personal cells say ``FORGOTTEN``, columns that the contract
does not know are emptied, and the fingerprint of its line is replaced by a keyed hash of itself. So lines that were
equal still are, lines that were not are not, and nobody can find out by trial whose line it was.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.marks import hash_of_mark, marks_in
from platform_assets.erasure.words import (
    cells_of,
    erased_cell,
    instead_of,
    line_without_person,
    may_name,
    normal_name,
    phrases,
    quotes_file,
    with_words_replaced,
)
from platform_assets.transforms.forgotten import FORGOTTEN
from platform_assets.transforms.schemas import EXTRA, LINE_HASH, RAW_LINE, SOURCE_FILE
from platform_assets.transforms.typing import trimmed_cells, typed
from platform_assets.warehouse.star.pseudonyms import Pseudonyms

Who = Mapping[str, frozenset[str]]
"""By file, the pseudonyms of the people whose rows were found in it."""


SOMEBODY = "somebody"
"""Of a file whose rejected lines named forgotten people."""


def personal_columns(contract: Contract) -> tuple[Column, ...]:
    """Columns that say who a row is about."""
    return tuple(column for column in contract.columns if column.personal)


def id_columns(contract: Contract) -> tuple[Column, ...]:
    """Those of them that identify the person."""
    return tuple(column for column in personal_columns(contract) if column.type is ColumnType.IDENTIFIER)


def conformed(column: Column, cells: pa.Array) -> list[str | None]:
    """Cells of text as staging conforms them; ``None`` where they mean no value."""
    frame = nw.from_native(pa.table({column.name: cells.cast(pa.string())})).lazy()
    found = typed(trimmed_cells(frame, [column]), [(column, None)]).collect()
    return list(found[column.name].to_list())


def conformed_id(text: str) -> str | None:
    """An id as people type it, as staging conforms it: alike in every dataset, for it names one person."""
    (column, *_) = (column for contract in CONTRACTS.values() for column in id_columns(contract))
    return conformed(column, pa.array([text]))[0]


@dataclass(frozen=True)
class People:
    """Forgotten people.

    Attributes:
        pseudonyms: What hashes; ``None`` when there are no such people, and so no key is needed.
        ids: Pseudonyms of their ids.
        names: Pseudonyms of their names, for text in which no id tells whose a name is.
    """

    pseudonyms: Pseudonyms | None = None
    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    _seen: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def pseudonym(self, identifier: str | None) -> str | None:
        """The pseudonym of a conformed id, if it is one of a forgotten person."""
        found = None if identifier is None else self.pseudonym_of(identifier)
        return found if found in self.ids else None

    def pseudonym_of(self, identifier: str) -> str | None:
        """The pseudonym of anybody; ``None`` without a key."""
        return None if self.pseudonyms is None else self.pseudonyms.of(identifier)

    def keyed(self, line_hash: int) -> int:
        """What replaces the fingerprint of a forgotten person's line.

        Raises:
            LookupError: There are no forgotten people.
        """
        if self.pseudonyms is None:
            raise LookupError("nobody was forgotten")
        digest = hmac.digest(self.pseudonyms.key, f"line:{line_hash}".encode(), hashlib.sha256)
        return int.from_bytes(digest[:8], "big", signed=True)

    def without(self, rows: pa.Table, contract: Contract) -> tuple[pa.Table, Who]:
        """Rows without these people.

        Args:
            rows: Of ``raw_schema``, of ``staged_schema``, or of corrections; columns that are missing do not matter.
            contract: The dataset's contract.

        Returns:
            The rows, and whose of them were found; rows that are without them already do not count.
        """
        place = set(rows.column_names)
        owners, marked = self._owners(rows, contract)
        if not owners and not marked:
            return rows, {}
        touched = _mask(rows.num_rows, {*owners, *marked})
        for column in personal_columns(contract):
            if column.name in place:
                rows = _replaced(rows, column.name, _erased_cells(rows[column.name], column, touched))
        if EXTRA in place:
            rows = _replaced(rows, EXTRA, pc.if_else(touched, pa.scalar(None, rows[EXTRA].type), rows[EXTRA]))
        if LINE_HASH in place:
            rows = self._with_hashes(rows, owners, marked)
        if RAW_LINE in place:
            rows = self._with_lines(rows, contract, touched)
        return rows, _by_file(rows, owners)

    def without_cells(self, cells: Mapping[str, str], contract: Contract) -> dict[str, str]:
        """One row, as text by column, without these people."""
        ids = [column for column in id_columns(contract) if column.name in cells]
        if not any(self.pseudonym(conformed(column, pa.array([cells[column.name]]))[0]) for column in ids):
            return dict(cells)
        known = {column.name: column for column in contract.columns}
        return {name: erased_cell(known[name], cell) if name in known else cell for name, cell in cells.items()}

    def without_lines(self, rejects: pa.Table) -> tuple[pa.Table, Who]:
        """Rejected lines without these people; whose a line was, none of its cells can say for sure."""
        found: dict[str, frozenset[str]] = {}
        if self.pseudonyms is None:
            return rejects, found
        files = rejects[SOURCE_FILE].to_pylist()
        for name, is_prose in (("raw", False), ("reason", True)):
            texts = rejects[name].to_pylist()
            after = [text and self.text(text, is_prose=is_prose) for text in texts]
            for file in {files[at] for at, text in enumerate(after) if text != texts[at]}:
                found[file] = frozenset({SOMEBODY})
            rejects = _replaced(rejects, name, pa.array(after, rejects[name].type))
        return rejects, found

    def line(self, text: str, contract: Contract) -> str:
        """A quarantined row's line of CSV, without them; one of another contract is taken for text."""
        cells = cells_of(text)
        if len(cells) != len(contract.columns):
            return self.text(text)
        named = dict(zip(contract.column_names, cells, strict=True))
        whose = [conformed(column, pa.array([named[column.name]]))[0] for column in id_columns(contract)]
        if not any(self.pseudonym(one) for one in whose):
            return text
        return line_without_person(text, contract)

    def text(self, text: str, *, is_prose: bool = False) -> str:
        """A text of which nobody knows what its words mean, without their ids and names.

        Args:
            text: A line that could not be taken apart, or a message.
            is_prose: Whether it is a message: a number in it is a count of something, unless it quotes a file.
        """
        if self.pseudonyms is None or not text:
            return text
        is_doubtful = is_prose and not quotes_file(text)
        found = phrases(text)
        spans = [(start, end) for words, start, end in found if self._is_someone(words, is_doubtful=is_doubtful)]
        return with_words_replaced(text, spans)

    def with_person(self, identifier: str, names: list[str]) -> "People":
        """These people and another one.

        Raises:
            LookupError: There is no key to hash with.
        """
        if self.pseudonyms is None:
            raise LookupError("people without a key")
        hashed = {self.pseudonyms.of(f"name:{normal_name(name)}") for name in names}
        return People(self.pseudonyms, self.ids | {self.pseudonyms.of(identifier)}, self.names | hashed)

    def _owners(self, rows: pa.Table, contract: Contract) -> tuple[dict[int, set[str]], dict[int, int]]:
        """By row the pseudonyms of those it is of, and by row the fingerprint that a rewritten file names."""
        owners: dict[int, set[str]] = {}
        marked: dict[int, int] = {}
        for column in id_columns(contract):
            if column.name not in rows.column_names:
                continue
            cells = rows[column.name]
            for at, text in _places(cells, marks_in(cells)):
                marked[at] = hash_of_mark(text)
            people = self._people_in(column, cells) if self.ids else {}
            for at, text in _places(cells, people):
                owners.setdefault(at, set()).add(people[text])
        return owners, marked

    def _people_in(self, column: Column, cells: pa.ChunkedArray) -> dict[str, str]:
        """The cells that name one of them, with the pseudonym."""
        distinct = pc.unique(cells)
        pairs = zip(distinct.to_pylist(), conformed(column, distinct), strict=True)
        return {text: found for text, value in pairs if (found := self.pseudonym(value))}

    def _with_hashes(self, rows: pa.Table, owners: Mapping[int, object], marked: Mapping[int, int]) -> pa.Table:
        hashes = rows[LINE_HASH].to_pylist()
        for at in owners:
            hashes[at] = self.keyed(hashes[at])
        for at, line_hash in marked.items():
            hashes[at] = line_hash
        return _replaced(rows, LINE_HASH, pa.array(hashes, rows[LINE_HASH].type))

    def _with_lines(self, rows: pa.Table, contract: Contract, touched: pa.Array) -> pa.Table:
        lines = rows[RAW_LINE].to_pylist()
        for at in pc.indices_nonzero(touched).to_pylist():
            if lines[at] is not None:
                lines[at] = line_without_person(lines[at], contract)
        return _replaced(rows, RAW_LINE, pa.array(lines, rows[RAW_LINE].type))

    def _is_someone(self, words: str, *, is_doubtful: bool) -> bool:
        if is_doubtful and not may_name(words):
            return False
        if words not in self._seen:
            if len(self._seen) > _MOST_SEEN:
                self._seen.clear()
            is_id = self.pseudonym(re.sub(r"^(\d+)\.0$", r"\1", words)) is not None
            self._seen[words] = is_id or (bool(self.names) and self._is_name(words))
        return self._seen[words]

    def _is_name(self, words: str) -> bool:
        return self.pseudonyms is not None and self.pseudonyms.of(f"name:{normal_name(words)}") in self.names


_MOST_SEEN = 200_000

NOBODY = People()


def _erased_cells(cells: pa.ChunkedArray, column: Column, touched: pa.Array) -> pa.ChunkedArray:
    """Cells with a value say that somebody was there; where that is no text, nothing."""
    if not pa.types.is_string(cells.type) or not instead_of(column):
        return pc.if_else(touched, pa.scalar(None, cells.type), cells)
    bare = pc.utf8_lower(pc.utf8_trim_whitespace(cells))
    empty = pc.fill_null(pc.is_in(bare, pa.array(sorted(column.null_markers), pa.string())), True)
    says = pc.and_(touched, pc.invert(pc.or_(empty, pc.is_null(cells))))
    return pc.if_else(says, FORGOTTEN, cells)


def _replaced(rows: pa.Table, name: str, cells: pa.Array | pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), cells)


def _mask(count: int, places: set[int]) -> pa.Array:
    return pa.array([at in places for at in range(count)], pa.bool_())


def _places(cells: pa.ChunkedArray, wanted: Collection[str]) -> Iterator[tuple[int, str]]:
    """Where one of some texts stands, and which."""
    if wanted:
        found = pc.indices_nonzero(pc.is_in(cells, pa.array(sorted(wanted), cells.type)))
        yield from zip(found.to_pylist(), pc.take(cells, found).to_pylist(), strict=True)


def _by_file(rows: pa.Table, owners: Mapping[int, set[str]]) -> Who:
    found: dict[str, set[str]] = {}
    files = rows[SOURCE_FILE] if SOURCE_FILE in rows.column_names else None
    for at, people in owners.items():
        found.setdefault(files[at].as_py() if files is not None else "", set()).update(people)
    return {name: frozenset(people) for name, people in found.items()}
