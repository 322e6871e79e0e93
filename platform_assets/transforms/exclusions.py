"""Rows that a version sets aside because of other rows: repeated lines, repeated keys, events after ``as_of``.

They are judged over all rows of a version, and which of several equal lines is the first is decided by file name
and line number: so any order of arrival ends the same.
"""

from datetime import date, datetime, time, timedelta

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import KeyUnique, LineUnique, NotAfterAsOf, Rule, Severity, broken_flag
from platform_assets.engines.engine import MONEY, Frame
from platform_assets.transforms.schemas import INVALID, LINE_HASH, QUARANTINED, SOURCE_FILE, SOURCE_ROW

AMOUNT = "_amount"


def version_rules(contract: Contract) -> list[Rule]:
    """The rules of a contract that set a row aside because of other rows."""
    kinds = (LineUnique, KeyUnique, NotAfterAsOf)
    return [rule for rule in contract.rules if isinstance(rule, kinds) and rule.severity is Severity.ERROR]


def line_rule(contract: Contract) -> LineUnique | None:
    """The rule that makes a row a duplicate."""
    return next((rule for rule in contract.rules if isinstance(rule, LineUnique)), None)


def exclusions_schema(contract: Contract) -> pa.Schema:
    """Where a row came from, its line and money, whether it was set aside already, a flag per rule of the version."""
    flags = [(broken_flag(rule), pa.bool_()) for rule in version_rules(contract)]
    lineage = [(SOURCE_FILE, pa.string()), (SOURCE_ROW, pa.int64()), (LINE_HASH, pa.int64())]
    return pa.schema([*lineage, (AMOUNT, MONEY), (QUARANTINED, pa.bool_()), (INVALID, pa.bool_()), *flags])


def exclusions(rows: Frame, contract: Contract, as_of: date | None) -> Frame:
    """Find the rows that a version sets aside.

    Args:
        rows: All staged rows of the version.
        contract: Their contract.
        as_of: The day the version speaks of; without one nothing is after it.

    Returns:
        Rows of ``exclusions_schema``, one per row set aside.
    """
    amount = nw.col(contract.amount) if contract.amount else nw.lit(None).cast(nw.Decimal(18, 4))
    rows = rows.with_columns(amount.alias(AMOUNT))
    found = [_marked(_found(rows, contract, rule, as_of), rule, contract) for rule in version_rules(contract)]
    every = nw.concat(found, how="vertical")
    flags = [nw.col(broken_flag(rule)).max().alias(broken_flag(rule)) for rule in version_rules(contract)]
    carried = [nw.col(name).max().alias(name) for name in (LINE_HASH, AMOUNT, QUARANTINED, INVALID)]
    merged = every.group_by(SOURCE_FILE, SOURCE_ROW).agg(*carried, *flags)
    names = (QUARANTINED, INVALID, *map(broken_flag, version_rules(contract)))
    return merged.with_columns(*((nw.col(name) > 0).alias(name) for name in names))


def repeats(rows: Frame, key: tuple[str, ...]) -> Frame:
    """The rows beyond the first of each key, by file name and line number; rows without a key repeat nothing."""
    # In one step: on pandas, each filter copies all rows.
    candidates = rows.filter(_is_shared(key), *(~nw.col(column).is_null() for column in key))
    # A column of its own is counted: on pandas, Narwhals overwrites the counted column before it sorts by it.
    place = nw.col("_one").cum_count().over(*key, order_by=[SOURCE_FILE, SOURCE_ROW])
    placed = candidates.with_columns(nw.lit(1).alias("_one")).with_columns(place.alias("_place"))
    return placed.filter(nw.col("_place") > 1).drop("_one", "_place")


def _is_shared(key: tuple[str, ...]) -> nw.Expr:
    """Whether other rows have the same key, too: a pass that finds the few rows which have to be put in order."""
    return nw.col(*key).is_duplicated() if len(key) == 1 else nw.len().over(*key) > 1


def _found(rows: Frame, contract: Contract, rule: Rule, as_of: date | None) -> Frame:
    base = [SOURCE_FILE, SOURCE_ROW, LINE_HASH, AMOUNT, QUARANTINED, INVALID]
    if isinstance(rule, LineUnique):
        return _repeated_lines(rows.select(*base, *rule.also), rule).select(base)
    if isinstance(rule, KeyUnique):
        # A row that is set aside anyway holds no key: otherwise one bad row would take the good one with it.
        lines = line_rule(contract)
        names = dict.fromkeys((*rule.key, *(lines.also if lines else ())))
        sound = rows.filter(~nw.col(QUARANTINED)).select(*base, *names)
        return repeats(_first_lines(sound, lines), rule.key).select(base)
    if isinstance(rule, NotAfterAsOf) and as_of is not None:
        limit = datetime.combine(as_of + timedelta(days=2), time())
        return rows.filter(nw.col(rule.column).cast(nw.Datetime("us")) >= limit).select(base)
    return rows.select(base).filter(nw.col(SOURCE_ROW) < 0)


def _first_lines(rows: Frame, rule: LineUnique | None) -> Frame:
    if rule is None:
        return rows
    duplicates = _repeated_lines(rows, rule).select(SOURCE_FILE, SOURCE_ROW)
    return rows.join(duplicates, on=[SOURCE_FILE, SOURCE_ROW], how="anti")


def _repeated_lines(rows: Frame, rule: LineUnique) -> Frame:
    """The rows beyond the first of each line; a value that is missing is equal to none but another missing one."""
    also = {f"_also_{name}": nw.col(name).cast(nw.String).fill_null("") for name in rule.also}
    told = rows.with_columns(*(value.alias(name) for name, value in also.items())) if also else rows
    return repeats(told, (LINE_HASH, *also))


def _marked(found: Frame, rule: Rule, contract: Contract) -> Frame:
    flags = [
        nw.lit(int(other.id == rule.id)).cast(nw.Int64).alias(broken_flag(other)) for other in version_rules(contract)
    ]
    return found.with_columns(nw.col(QUARANTINED, INVALID).cast(nw.Int64), *flags)
