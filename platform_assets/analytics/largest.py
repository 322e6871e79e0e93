"""The largest segments by themselves and all others as one, so that thousands of categories take no hours.

Belongs here: choosing them. Does not belong here: what is computed for a segment.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.engines.engine import Engine, Frame

OTHERS = "(others)"
"""The name of all segments but the largest together."""
MOST_SEGMENTS = 100
"""So many segments of a dimension are looked at by themselves; one takes about a tenth of a second."""
YEAR_DAYS = 365
_MONEY = nw.Decimal(18, 4)


def in_last_year(as_of: date, *, at: str = "sold_at", amount: str = "net_amount") -> nw.Expr:
    """What counts of a row: its amount, where it is of the last year up to a day."""
    first = datetime.combine(as_of - timedelta(days=YEAR_DAYS - 1), time())
    money = nw.col(amount).cast(_MONEY)
    return nw.when(nw.col(at) >= first).then(money).otherwise(nw.lit(Decimal(0)).cast(_MONEY))


def with_largest(
    rows: Frame, dimensions: Iterable[str], engine: Engine, *, by: str, counts: nw.Expr, most: int = MOST_SEGMENTS
) -> Frame:
    """The rows, with ``OTHERS`` for the segments that are not among the largest.

    Where a dimension has no more segments than are looked at, nothing changes.

    Args:
        rows: The rows.
        dimensions: Columns whose values are segments; rows without a value are in none.
        engine: What computes.
        by: The column within each of whose values segments are compared.
        counts: What of a row counts for the size of its segment, see ``in_last_year``.
        most: So many segments of a dimension stay; of equally large ones, the first by name.
    """
    names = list(dimensions)
    (found,) = engine.collect(rows.select(*(nw.col(name).n_unique() for name in names))).to_pylist()
    # Without any rows, some engines count nothing at all.
    for dimension in (name for name in names if (found[name] or 0) > most):
        known = rows.filter(~nw.col(dimension).is_null()).select(by, dimension, counts.alias("_counts"))
        small = _small(engine.collect(known.group_by(by, dimension).agg(nw.col("_counts").sum())), by, dimension, most)
        if small.num_rows:
            named = rows.join(engine.from_arrow(small), left_on=[by, dimension], right_on=["_by", "_part"], how="left")
            others = nw.coalesce(nw.col("_others"), nw.col(dimension)).alias(dimension)
            rows = engine.kept(named.with_columns(others).select(*rows.collect_schema().names()))
    return rows


def _small(sizes: pa.Table, by: str, dimension: str, most: int) -> pa.Table:
    """All but the largest, as ``_by``, ``_part`` and the name that they get, ``_others``."""
    ordered = sizes.sort_by([(by, "ascending"), ("_counts", "descending"), (dimension, "ascending")])
    groups = [ordered.filter(pc.equal(ordered[by], value)).slice(most) for value in pc.unique(ordered[by])]
    small = pa.concat_tables([ordered.slice(0, 0), *groups]).select([by, dimension]).rename_columns(["_by", "_part"])
    return small.append_column("_others", pa.repeat(pa.scalar(OTHERS), small.num_rows))
