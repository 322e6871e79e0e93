"""What a version makes of each file: which rows it sets aside because of others, and what remains to be loaded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import narwhals as nw

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import Dimension, broken_flag
from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.transforms.accepted import COLUMNS, EXCLUSIONS, counting_rows, excluded_rows
from platform_assets.transforms.counting import counts_by
from platform_assets.transforms.exclusions import AMOUNT, exclusions, exclusions_schema, line_rule, version_rules
from platform_assets.transforms.schemas import INVALID, LINE_HASH, QUARANTINED, SOURCE_FILE, SOURCE_ROW, staged_schema

PIECES = "pieces"
_NO_AMOUNT = "0"
_DIGEST = nw.Decimal(30, 0)


@dataclass(frozen=True)
class Piece:
    """One file in one version.

    Attributes:
        id: Changes when the rows that count may have changed.
        excluded: Counts and sums of what the version sets aside.
        rows_loaded: Rows that count.
        amount_loaded: Their money.
    """

    id: str
    excluded: Mapping[str, Any]
    rows_loaded: int
    amount_loaded: Decimal


def pieces_of(snapshot: Snapshot) -> dict[str, Piece]:
    """The pieces of an assessed version."""
    return {
        name: Piece(data["id"], data["excluded"], data["rows"], Decimal(data["amount"]))
        for name, data in snapshot.attributes.get(PIECES, {}).items()
    }


def with_pieces(after: Snapshot, table: Table, contract: Contract, as_of: date | None, engine: Engine) -> Snapshot:
    """Work out the pieces of a version; what did not change is taken from the version before.

    Args:
        after: The version at hand.
        table: The staged table, which has the version before; a segment with the rows set aside is written.
        contract: The dataset's contract.
        as_of: The day the version speaks of.
        engine: What computes.

    Returns:
        The version with its pieces in its attributes.
    """
    key = json.dumps([sorted(after.ids.items()), as_of.isoformat() if as_of else None])
    judged = hashlib.sha256(key.encode()).hexdigest()
    if table.snapshot().attributes.get("judged") == judged:
        return after
    segment = table.new_segment()
    rows = engine.scan(table.parts(after), staged_schema(contract))
    found = engine.write(exclusions(rows, contract, as_of), segment, exclusions_schema(contract))
    name = segment.name if found else None
    attributes = {EXCLUSIONS: name, "extra_segments": [name] if name else [], "judged": judged}
    attributes[COLUMNS] = staged_schema(contract).names
    after = after.with_attributes(**attributes, as_of=as_of.isoformat() if as_of else None)
    excluded = _excluded_counts(table, after, contract, engine)
    pieces = _pieces(after, table, contract, excluded, engine)
    return after.with_attributes(**{PIECES: pieces}, broken=_version_counts(table, after, contract, engine))


def _pieces(
    after: Snapshot,
    table: Table,
    contract: Contract,
    excluded: Mapping[str, Mapping[str, Any]],
    engine: Engine,
) -> dict[str, dict[str, Any]]:
    ids = {name: _piece_id(piece.id, excluded.get(name, {})) for name, piece in after.slices.items()}
    old = table.snapshot().attributes.get(PIECES, {})
    new = [name for name, identity in ids.items() if old.get(name, {}).get("id") != identity]
    loaded = _loaded_counts(table, after, contract, engine, new) if new else {}
    pieces = {}
    for name, identity in ids.items():
        rows, amount = loaded.get(name, (0, _NO_AMOUNT))
        fresh = {"id": identity, "excluded": excluded.get(name, {}), "rows": rows, "amount": amount}
        pieces[name] = fresh if name in new else old[name]
    return pieces


def _piece_id(slice_id: str, excluded: Mapping[str, Any]) -> str:
    text = f"{slice_id}:{json.dumps(excluded, sort_keys=True)}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _loaded_counts(
    table: Table, snapshot: Snapshot, contract: Contract, engine: Engine, names: list[str]
) -> dict[str, tuple[int, str]]:
    rows = counting_rows(table, snapshot, contract, engine, names)
    amounts = {"amount": nw.col(contract.amount)} if contract.amount else {}
    counted = engine.collect(counts_by(rows, SOURCE_FILE, {}, amounts))
    return {line[SOURCE_FILE]: (line["rows"], str(line.get("amount") or 0)) for line in counted.to_pylist()}


def _excluded_counts(table: Table, snapshot: Snapshot, contract: Contract, engine: Engine) -> dict[str, dict[str, Any]]:
    rows = excluded_rows(table, snapshot, contract, engine)
    if rows is None:
        return {}
    lines = line_rule(contract)
    duplicate = nw.col(broken_flag(lines)) if lines else nw.lit(value=False)
    already = nw.col(QUARANTINED)
    kinds = {"duplicate": duplicate, "duplicate_quarantined": duplicate & already, "quarantined": ~duplicate & ~already}
    amounts = {f"{name}_amount": nw.when(flag).then(nw.col(AMOUNT)) for name, flag in kinds.items()}
    place = nw.col(SOURCE_ROW) - (nw.col(SOURCE_ROW) // 65_521) * 65_521
    digest = {"rows_sum": nw.col(SOURCE_ROW).cast(_DIGEST), "rows_square": (place * place).cast(_DIGEST)}
    counted = engine.collect(counts_by(rows, SOURCE_FILE, kinds, {**amounts, **digest}))
    return {
        line.pop(SOURCE_FILE): {name: _plain(value) for name, value in line.items()} for line in counted.to_pylist()
    }


def _plain(value: Any) -> int | str:
    return value if isinstance(value, int) else str(value or 0)


def _version_counts(table: Table, snapshot: Snapshot, contract: Contract, engine: Engine) -> dict[str, int]:
    """Rows that break each rule of the version, and those that a score has to add to what files counted."""
    rows = excluded_rows(table, snapshot, contract, engine)
    rules = version_rules(contract)
    if rows is None:
        return dict.fromkeys([*(rule.id for rule in rules), "_repeated", "_repeated_lines", "_invalid"], 0)
    unique = [nw.col(broken_flag(rule)) for rule in rules if rule.dimension is Dimension.UNIQUENESS]
    wrong = [nw.col(broken_flag(rule)) for rule in rules if rule.dimension is not Dimension.UNIQUENESS]
    flags = {rule.id: nw.col(broken_flag(rule)) for rule in rules}
    flags["_repeated"] = nw.any_horizontal(*unique, ignore_nulls=True) if unique else nw.lit(value=False)
    late = nw.any_horizontal(*wrong, ignore_nulls=True) if wrong else nw.lit(value=False)
    flags["_invalid"] = late & ~nw.col(INVALID)
    counted = engine.collect(counts_by(rows.with_columns(nw.lit(1).alias("_all")), "_all", flags)).to_pylist()[0]
    return {name: counted[name] for name in flags} | {"_repeated_lines": _repeated_lines(rows, flags, engine)}


def _repeated_lines(rows: Frame, flags: Mapping[str, nw.Expr], engine: Engine) -> int:
    """How many different lines those rows repeat."""
    lines = rows.filter(flags["_repeated"]).group_by(LINE_HASH).agg(nw.len().alias("rows"))
    return int(engine.collect(lines.select(nw.len().alias("n")))["n"][0].as_py())
