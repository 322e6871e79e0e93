"""All that is unlike the past in a run's sales, from one reduction of them.

Belongs here: the order of the steps, and what they hand on to the insights. Does not belong here: any of the steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from platform_assets.analytics.anomalies.incidents import Incident, incidents
from platform_assets.analytics.anomalies.lines import OUTLIERS_SCHEMA, outliers, scored
from platform_assets.analytics.anomalies.measures import Panel, file_days, measured, panels
from platform_assets.analytics.anomalies.prices import Floats, categorised, paid, usual_prices
from platform_assets.analytics.anomalies.series import JudgedPanel, judged_panels
from platform_assets.analytics.largest import in_last_year, with_largest
from platform_assets.engines.engine import Engine, Frame

WEEKLY_DIMENSIONS = ("channel", "category", "country", "segment")
_KEPT_AS = {"amount_z": "net_amount_z", "_source_file": "source_file", "_source_row": "source_row"}
ORDER_OUTLIERS_SCHEMA = pa.schema([field.with_name(_KEPT_AS.get(field.name, field.name)) for field in OUTLIERS_SCHEMA])
"""``OUTLIERS_SCHEMA`` as it is kept: what is no amount is not called one, and ``source_file`` and ``source_row`` say
where the line came from."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What was found in the sales up to a day.

    Attributes:
        judged: Daily series of every dataset, judged.
        incidents: Unusual days that belong together.
        weekly: Weekly measures of every dataset.
        outliers: Rows of ``OUTLIERS_SCHEMA``.
        distances: ``price_z`` of each distinct way that a product was sold.
        lines: How many lines were sold like that.
    """

    judged: Mapping[str, JudgedPanel]
    incidents: Sequence[Incident]
    weekly: Mapping[str, Panel]
    outliers: pa.Table
    distances: Floats
    lines: Floats

    @property
    def weeks(self) -> float:
        """How many weeks the sales span; at least one."""
        days = [day for one in self.judged.values() for day in (one.panel.days[0], one.panel.days[-1])]
        return max(1.0, ((max(days) - min(days)).days + 1) / 7) if days else 1.0


def judge_sales(
    sales: Frame,
    products: Frame,
    as_of: date,
    engine: Engine,
    *,
    holidays: Callable[[date, date], Mapping[date, str]] = lambda _first, _last: {},
    tell: Callable[[str], None] = lambda _: None,
) -> Judgement:
    """Judge days and lines; each step reads what the one before has reduced.

    Args:
        sales: Rows of core/sales.
        products: Rows of core/products.
        as_of: The last day that counts.
        engine: What computes.
        holidays: From a first and a last day to the names of those between them that are holidays.
        tell: Says how far it is.
    """
    tell("anomalies: what was sold by day, by week and by price")
    lines = engine.kept(categorised(sales, products, as_of))
    ways = engine.collect(paid(lines))
    usual = engine.kept(engine.from_arrow(usual_prices(ways)))
    parts = with_largest(lines, WEEKLY_DIMENSIONS, engine, by="source_system", counts=in_last_year(as_of))
    daily = panels(measured(parts, usual, engine), as_of, covered=file_days(lines, engine))
    weekly = panels(measured(parts, usual, engine, "week", WEEKLY_DIMENSIONS), as_of, "week")
    tell(f"anomalies: daily series of {len(daily)} datasets against their past")
    named = holidays(min((panel.start for panel in daily.values()), default=as_of), as_of)
    judged = judged_panels(daily, holidays=named)
    tell(f"anomalies: {ways.num_rows:,} prices and quantities against those of their products")
    scores = scored(ways)
    return Judgement(
        judged=judged,
        incidents=incidents(judged),
        weekly=weekly,
        outliers=outliers(lines, ways, engine),
        distances=scores.price_z,
        lines=ways["lines"].to_numpy().astype(float),
    )


def order_outliers_table(found: pa.Table) -> pa.Table:
    """Lines unlike their product as rows of ``ORDER_OUTLIERS_SCHEMA``."""
    return found.rename_columns(ORDER_OUTLIERS_SCHEMA.names)
