"""Sales as measures per day or week and segment, on any engine.

Belongs here: the reduction, and the dense series that the computation works on. Does not belong here: judging them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from statistics import median_low
from typing import Literal

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.anomalies.prices import Floats
from platform_assets.contracts.calendar import day_number
from platform_assets.engines.engine import MONEY, Engine, Frame

Period = Literal["day", "week"]

TOTAL = "total"
FAR_OFF = 3.0 + 1e-9
"""A line more than three times above or below its usual price says nothing about the level of prices: see ``lines``.
A third is a common price, and engines divide with different last digits: it has to be well inside."""
_PARTS = 10_000
"""Amounts in floating point are added up in whole parts of so much: then the order of adding does not matter."""
SILENT_DAYS = 6
"""A longer silence before is no measure of what is usual; and where there are too few files to say how many days one of
them covers, a longer one at the end is told: files that come once a week leave so many days without sales."""
_YEAR = timedelta(days=365)
DIMENSIONS = ("channel", "category")
MEASURES_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("dimension", pa.string()),
        ("segment", pa.string()),
        ("start_date", pa.date32()),
        ("buyers", pa.int64()),
        ("orders", pa.int64()),
        ("units", pa.int64()),
        ("net_amount", MONEY),
        ("returns_amount", MONEY),
        ("priced_amount", MONEY),
        ("usual_amount", pa.float64()),
    ]
)
"""One row per dataset, segment and period with sale lines.

``dimension`` is ``total`` (``segment`` is ``all``) or the column that ``segment`` is a value of; lines without a value
are in no segment. ``start_date`` is the day, or the Monday of the week. ``buyers`` are customers and the orders of
guests; ``orders`` and ``units`` are without returns; ``net_amount`` is net sales, returns taken off; ``returns_amount``
is what came back, positive. ``priced_amount`` is what those lines brought in whose product has a usual price, and
``usual_amount`` what they had brought in at it: their ratio is the level of prices, whatever the mix."""

_OTHERWISE = {"start_date": pa.field("_day", pa.int64()), "usual_amount": pa.field("_usual_parts", pa.int64())}
_REDUCED = pa.schema([_OTHERWISE.get(field.name, field) for field in MEASURES_SCHEMA])
_AMOUNTS = ("units", "net_amount", "returns_amount", "priced_amount")
_SUMS = (*_AMOUNTS, "usual_amount")
_COUNTS = {"buyers": "_buyer", "orders": "_order"}
_THURSDAY = 3
"""1970-01-01 was one: so many days after a Monday."""


@dataclass(frozen=True, order=True)
class SeriesKey:
    """Which series: a dataset and a segment of it."""

    source_system: str
    dimension: str
    segment: str


@dataclass(frozen=True)
class Panel:
    """Measures of several segments over the same days or weeks, without holes.

    Attributes:
        start: The first day.
        step: Days from one period to the next: 1 or 7.
        keys: The segments, in rising order.
        values: By measure, one row per segment and one column per period; nothing sold is 0.
    """

    start: date
    step: int
    keys: tuple[SeriesKey, ...]
    values: dict[str, Floats]

    @property
    def length(self) -> int:
        """How many periods."""
        return len(next(iter(self.values.values()))[0])

    @property
    def days(self) -> tuple[date, ...]:
        """The first day of each period."""
        return tuple(self.start + timedelta(days=self.step * place) for place in range(self.length))

    def row(self, key: SeriesKey) -> int:
        """The place of a segment."""
        return self._rows[key]

    @cached_property
    def _rows(self) -> dict[SeriesKey, int]:
        return {key: place for place, key in enumerate(self.keys)}


def measured(
    lines: Frame, usual: Frame, engine: Engine, period: Period = "day", dimensions: Iterable[str] = DIMENSIONS
) -> pa.Table:
    """Measures of each dataset, in total and by segment.

    Args:
        lines: What ``prices.categorised`` gives.
        usual: Rows of ``prices.USUAL_SCHEMA``.
        engine: What computes.
        period: Length of the periods.
        dimensions: Columns of core/sales whose values are segments.

    Returns:
        Rows of ``MEASURES_SCHEMA``, by dataset, dimension, segment and time.
    """
    flat = engine.kept(_flat(lines, usual, period))
    whole = _of_dimension(flat.with_columns(nw.lit("all").alias("_segment")), TOTAL)
    parts = [
        _of_dimension(flat.filter(~nw.col(name).is_null()).with_columns(nw.col(name).alias("_segment")), name)
        for name in dimensions
    ]
    rows = engine.collect(engine.concat([whole, *parts], _REDUCED))
    days = pa.array(rows["_day"].to_pylist(), pa.int32()).cast(pa.date32())
    # Not on the engine: to turn a sign, some make decimals wider than there are.
    returned = rows.schema.get_field_index("returns_amount")
    rows = rows.set_column(returned, "returns_amount", pc.negate(rows["returns_amount"]))
    usual_amount = pc.divide(rows["_usual_parts"].cast(pa.float64()), _PARTS)
    dated = rows.append_column("start_date", days).append_column("usual_amount", usual_amount)
    dated = dated.select(MEASURES_SCHEMA.names).cast(MEASURES_SCHEMA)
    return dated.sort_by([(name, "ascending") for name in MEASURES_SCHEMA.names[:4]])


def panels(
    table: pa.Table, as_of: date, period: Period = "day", covered: Mapping[str, int] | None = None
) -> dict[str, Panel]:
    """The measures as one panel per dataset, from its first period with sales to the day, sold or not.

    Days end with the last sale of a dataset, until its silence is longer than what one of its files covers (the next
    one may be still to come), and than any of the year before it but for those of more than ``SILENT_DAYS``: then
    nothing was sold.

    Args:
        table: Rows of ``MEASURES_SCHEMA``, in any order.
        as_of: The last day that counts.
        period: Length of the periods.
        covered: What ``file_days`` gives; ``SILENT_DAYS`` for datasets that it does not name.
    """
    covered = covered or {}
    last = as_of if period == "day" else as_of - timedelta(days=as_of.weekday())
    result = {}
    for source in sorted(set(table["source_system"].to_pylist())):
        rows = table.filter(pc.equal(table["source_system"], source))
        result[source] = _panel(rows, last, 1 if period == "day" else 7, covered.get(source, SILENT_DAYS))
    return result


def file_days(lines: Frame, engine: Engine) -> dict[str, int]:
    """By dataset, how many days from its first to its last sale one of its files usually covers, if it has several.

    Args:
        lines: Rows of core/sales.
        engine: What computes.
    """
    dated = lines.select("source_system", "_source_file", day_number(nw.col("sold_at")).alias("_day"))
    ends = dated.group_by("source_system", "_source_file").agg(
        nw.col("_day").min().alias("_first"), nw.col("_day").max().alias("_last")
    )
    lengths: dict[str, list[int]] = defaultdict(list)
    for row in engine.collect(ends).to_pylist():
        lengths[row["source_system"]].append(row["_last"] - row["_first"] + 1)
    return {source: median_low(found) for source, found in lengths.items() if len(found) > 1}


def _flat(lines: Frame, usual: Frame, period: Period) -> Frame:
    """Lines with what is to be added up, and what is to be counted once."""
    prices = usual.select(
        nw.col("source_system").alias("_source"), nw.col("product_id").alias("_product"), nw.col("usual_price")
    )
    rows = lines.join(prices, how="left", left_on=["source_system", "product_id"], right_on=["_source", "_product"])
    is_sale, nothing = ~nw.col("is_return"), nw.lit(Decimal(0)).cast(nw.Decimal(18, 4))
    net = nw.col("net_amount").cast(nw.Decimal(18, 4))
    at_usual = nw.col("usual_price") * nw.col("quantity").cast(nw.Float64)
    times = nw.col("net_amount").cast(nw.Float64) / at_usual
    is_priced = is_sale & (nw.col("quantity") > 0) & (times > 1 / FAR_OFF) & (times < FAR_OFF)
    is_priced = is_priced.fill_null(value=False)
    order = nw.concat_str([nw.lit("#"), nw.col("_source_file"), nw.lit("#"), nw.col("_source_row").cast(nw.String)])
    number = day_number(nw.col("sold_at"))
    rows = rows.with_columns(
        (number if period == "day" else (number + _THURSDAY) // 7 * 7 - _THURSDAY).alias("_day"),
        nw.when(is_sale).then(nw.coalesce(nw.col("order_id"), order)).alias("_order"),
        nw.when(is_sale).then(nw.col("quantity")).otherwise(nw.lit(0)).cast(nw.Int64).alias("units"),
        nw.when(nw.col("is_return")).then(net).otherwise(nothing).alias("returns_amount"),
        nw.when(is_priced).then(net).otherwise(nothing).alias("priced_amount"),
        nw.when(is_priced)
        .then((at_usual * _PARTS + 0.5).floor())
        .otherwise(nw.lit(0.0))
        .cast(nw.Int64)
        .alias("_usual_parts"),
    )
    buyer = nw.when(is_sale).then(nw.coalesce(nw.col("customer_id"), nw.col("_order"))).alias("_buyer")
    return rows.with_columns(buyer)


def _of_dimension(rows: Frame, dimension: str) -> Frame:
    keys = ["source_system", "_segment", "_day"]
    frame = rows.group_by(keys).agg(nw.col(*_AMOUNTS, "_usual_parts").sum())
    for name, column in _COUNTS.items():
        distinct = rows.filter(~nw.col(column).is_null()).select(*keys, column).unique([*keys, column])
        frame = frame.join(distinct.group_by(keys).agg(nw.len().alias(name)), on=keys, how="left")
    return frame.with_columns(
        nw.lit(dimension).alias("dimension"),
        nw.col("_segment").alias("segment"),
        nw.col("buyers", "orders", "units").fill_null(0),
    )


def _panel(rows: pa.Table, last: date, step: int, covered: int) -> Panel:
    dates = rows["start_date"].to_pylist()
    start, newest = min(dates), max(dates)
    if step == 1 and (last - newest).days <= max(covered, _longest_silence(dates, newest)):
        last = newest
    columns = [rows[name].to_pylist() for name in ("source_system", "dimension", "segment")]
    named = [SeriesKey(*key) for key in zip(*columns, strict=True)]
    keys = tuple(sorted(set(named)))
    place = {key: index for index, key in enumerate(keys)}
    row = np.array([place[key] for key in named])
    column = np.array([(day - start).days // step for day in dates])
    length = (last - start).days // step + 1
    values = {}
    for name in ("buyers", "orders", *_SUMS):
        values[name] = np.zeros((len(keys), length))
        values[name][row, column] = rows[name].cast(pa.float64()).to_numpy()
    return Panel(start, step, keys, values)


def _longest_silence(dates: Iterable[date], newest: date) -> int:
    """The most days without sales in a row within a year, of silences that are no event by themselves."""
    days = sorted({day for day in dates if day > newest - _YEAR})
    silences = ((after - before).days - 1 for before, after in pairwise(days))
    return max((silence for silence in silences if silence <= SILENT_DAYS), default=0)
