"""What is counted per raw file when it is staged, once; every later figure of a version is a sum of these."""

from collections.abc import Iterable, Mapping
from typing import Any

import narwhals as nw

from platform_assets.contracts.columns import Column
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import Readable
from platform_assets.contracts.rules import broken_flag
from platform_assets.engines.engine import Engine, Frame
from platform_assets.transforms.counting import counts_by
from platform_assets.transforms.schemas import (
    INVALID,
    QUARANTINED,
    SOURCE_FILE,
    columns_with_default,
    missing_flag,
)

Facts = Mapping[str, Any]


def file_facts(rows: Frame, contract: Contract, engine: Engine) -> dict[str, Facts]:
    """Count the rows of each file.

    Args:
        rows: Staged rows.
        contract: Their contract.
        engine: What computes.

    Returns:
        By file: ``rows``; ``missing`` cells by column; rows that break a rule, by rule, as ``broken``; ``invalid``
        and ``quarantined`` rows; ``amount`` and ``quarantined_amount`` as decimal text; rows per event day as ``days``.
    """
    counted = engine.collect(counts_by(rows, SOURCE_FILE, _flags(contract), _amounts(contract)))
    days = _days(rows, contract, engine)
    return {line[SOURCE_FILE]: _facts(line, contract, days.get(line[SOURCE_FILE], {})) for line in counted.to_pylist()}


def no_facts() -> Facts:
    """The facts of a file of which no row could be parsed."""
    zero = {"rows": 0, "invalid": 0, "quarantined": 0, "amount": "0", "quarantined_amount": "0"}
    return {**zero, "missing": {}, "broken": {}, "days": {}}


def total(facts: Iterable[Facts], name: str, key: str) -> int:
    """Sum of one count that facts hold by key, over files."""
    return sum(fact[name].get(key, 0) for fact in facts)


def _flags(contract: Contract) -> dict[str, nw.Expr]:
    flags = {"invalid": nw.col(INVALID), "quarantined": nw.col(QUARANTINED)}
    flags |= {f"missing {column.name}": _is_missing(column, contract) for column in contract.columns}
    return flags | {f"broken {rule.id}": nw.col(broken_flag(rule)) for rule in contract.row_rules}


def _amounts(contract: Contract) -> dict[str, nw.Expr]:
    if contract.amount is None:
        return {}
    amount = nw.col(contract.amount)
    return {"amount": amount, "quarantined_amount": nw.when(nw.col(QUARANTINED)).then(amount)}


def _is_missing(column: Column, contract: Contract) -> nw.Expr:
    if column in columns_with_default(contract):
        return nw.col(missing_flag(column))
    empty = nw.col(column.name).is_null()
    unreadable = [rule for rule in contract.row_rules if isinstance(rule, Readable) and rule.column == column.name]
    return empty & ~nw.col(broken_flag(unreadable[0])) if unreadable else empty


def _facts(line: Mapping[str, Any], contract: Contract, days: Mapping[str, int]) -> Facts:
    return {
        "rows": int(line["rows"]),
        "invalid": int(line["invalid"]),
        "quarantined": int(line["quarantined"]),
        "amount": str(line.get("amount") or 0),
        "quarantined_amount": str(line.get("quarantined_amount") or 0),
        "missing": {column.name: int(line[f"missing {column.name}"]) for column in contract.columns},
        "broken": {rule.id: int(line[f"broken {rule.id}"]) for rule in contract.row_rules},
        "days": days,
    }


def _days(rows: Frame, contract: Contract, engine: Engine) -> dict[str, dict[str, int]]:
    if contract.event_at is None:
        return {}
    day = nw.col(contract.event_at).cast(nw.Date).alias("day")
    kept = rows.filter(~nw.col(QUARANTINED)).select(SOURCE_FILE, day)
    table = engine.collect(kept.group_by(SOURCE_FILE, "day").agg(nw.len().alias("rows")))
    days: dict[str, dict[str, int]] = {}
    for line in table.to_pylist():
        days.setdefault(line[SOURCE_FILE], {})[line["day"].isoformat()] = int(line["rows"])
    return days
