"""What must hold of the values of key figures, made from the registry.

Belongs here: identities, parts against the whole, ranges, and that nothing is missing. Does not belong here: whether a
value is unusual (``anomalies``).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.kpis.registry import IDENTITIES, KPIS

Row = Mapping[str, Any]
_ADDITIVE = frozenset(name for name, kpi in KPIS.items() if kpi.additivity == "additive")
_PLACE = ("grain", "period_start_date", "dimension", "member", "currency")
Key = tuple[Any, ...]

ROLLED_UP = (("day", "week"), ("day", "month"), ("month", "quarter"), ("quarter", "all"))
"""Periods that add up to others: what is additive must be the same either way."""


@dataclass(frozen=True)
class Breach:
    """Something that must hold and does not.

    Attributes:
        check: Which check: the name of an identity, ``parts_make_the_whole``, ``periods_make_the_whole``,
            ``in_range``, ``null_has_a_reason`` or ``is_complete``.
        kpi: Which figure, or the name of the identity's left side.
        where: Grain, period, dimension, member and currency, as far as the check goes into them.
        expected: What must be.
        found: What is.
    """

    check: str
    kpi: str
    where: str
    expected: str
    found: str


def broken_identities(components: Iterable[Row]) -> list[Breach]:
    """The identities that do not hold, in rows of what ``components_sql`` selects."""
    return [
        Breach(one.name, str(one.left), _where(row), f"{one.right} = {right}", f"{one.left} = {left}")
        for row in components
        for one in IDENTITIES
        if (left := one.left.value(row)) != (right := one.right.value(row))
    ]


def breaches(values: pa.Table, names: Iterable[str] | None = None) -> list[Breach]:
    """What does not hold in values of all grains and dimensions.

    Args:
        values: Rows of ``VALUES_SCHEMA``.
        names: Which of ``CHECKS`` are made; all by default.
    """
    return [breach for name in names or CHECKS for breach in CHECKS[name](values)]


def _of(values: pa.Table, kpis: Collection[str]) -> list[Row]:
    """The rows of some figures: a check is about few of them, and rows take time to make."""
    rows: list[Row] = values.filter(pc.is_in(values["kpi"], pa.array(sorted(kpis), pa.string()))).to_pylist()
    return rows


def _identities_apart(values: pa.Table) -> Iterator[Breach]:
    """Identities of components that are figures themselves, in every cut that has them all."""
    wanted = {name for one in IDENTITIES for side in (one.left, one.right) for _, name in side.terms}
    cuts: dict[Key, dict[str, Any]] = defaultdict(dict)
    for row in _of(values, wanted):
        cuts[tuple(row[name] for name in _PLACE)][row["kpi"]] = row["numerator"]
    whole = [dict(zip(_PLACE, cut, strict=True)) | found for cut, found in cuts.items() if wanted <= found.keys()]
    yield from broken_identities(whole)


def _out_of_range(values: pa.Table) -> Iterator[Breach]:
    names = values["kpi"].to_pylist()
    low, high = (pa.array([getattr(KPIS[name], end) for name in names], pa.float64()) for end in ("low", "high"))
    beyond = pc.or_kleene(pc.less(values["value"], low), pc.greater(values["value"], high))
    for row in values.filter(beyond).to_pylist():
        ends = ("no bound" if end is None else end for end in (KPIS[row["kpi"]].low, KPIS[row["kpi"]].high))
        yield Breach("in_range", row["kpi"], _where(row), " to ".join(map(str, ends)), str(row["value"]))


def _nulls_without_reason(values: pa.Table) -> Iterator[Breach]:
    is_told = pc.fill_null(pc.not_equal(values["reason"], ""), fill_value=False)
    for row in values.filter(pc.not_equal(pc.is_null(values["value"]), is_told)).to_pylist():
        yield Breach("null_has_a_reason", row["kpi"], _where(row), "a value or a reason", str(row["reason"]))


def _missing(values: pa.Table) -> Iterator[Breach]:
    there = set(pc.unique(values["kpi"]).to_pylist())
    for name in KPIS:
        if name not in there:
            yield Breach("is_complete", name, "", "a value or a reason", "no row")


def _parts_apart(values: pa.Table) -> Iterator[Breach]:
    rows = _of(values, _ADDITIVE)

    def cut(row: Row) -> Key:
        return row["kpi"], row["grain"], row["period_start_date"], row["currency"]

    whole = _added(rows, lambda row: cut(row) if row["dimension"] == "total" else None)
    parts = _added(rows, lambda row: (*cut(row), row["dimension"]) if row["dimension"] != "total" else None)
    for key, found in parts.items():
        if found != whole.get(key[:-1], Decimal(0)):
            where = ", ".join(map(str, key[1:]))
            yield Breach("parts_make_the_whole", key[0], where, str(whole.get(key[:-1])), str(found))


def _periods_apart(values: pa.Table) -> Iterator[Breach]:
    rows = _of(values, _ADDITIVE)
    for fine, coarse in ROLLED_UP:
        starts = [row["period_start_date"] for row in rows if row["grain"] == coarse and row["period_start_date"]]
        if not starts or not any(row["grain"] == fine for row in rows):
            continue
        whole = _added(rows, partial(_period_in, grain=coarse, begins=coarse, start=min(starts)))
        parts = _added(rows, partial(_period_in, grain=fine, begins=coarse, start=min(starts)))
        for key, found in parts.items():
            if found != whole.get(key, Decimal(0)):
                where = ", ".join(map(str, (coarse, *key[1:])))
                yield Breach("periods_make_the_whole", key[0], where, str(whole.get(key)), f"{found} by {fine}")


def _added(rows: Iterable[Row], key_of: Callable[[Row], Key | None]) -> dict[Key, Decimal]:
    """Exact sums by key; rows without a key or a value add nothing."""
    sums: dict[Key, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["numerator"] is not None and (key := key_of(row)) is not None:
            sums[key] += row["numerator"]
    return sums


def _period_in(row: Row, *, grain: str, begins: str, start: date) -> Key | None:
    """The figure and the period that a row of a grain begins in; ``start`` is that of the whole history."""
    if row["grain"] != grain:
        return None
    day: date = row["period_start_date"]
    starts = {
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1),
        "all": start,
    }
    return row["kpi"], starts[begins], row["dimension"], row["member"], row["currency"]


def _where(row: Row) -> str:
    return ", ".join(str(row[name]) for name in _PLACE if row.get(name) is not None)


CHECKS: Mapping[str, Callable[[pa.Table], Iterator[Breach]]] = {
    "identities_hold": _identities_apart,
    "parts_make_the_whole": _parts_apart,
    "periods_make_the_whole": _periods_apart,
    "in_range": _out_of_range,
    "null_has_a_reason": _nulls_without_reason,
    "is_complete": _missing,
}
"""What is judged, by name."""
