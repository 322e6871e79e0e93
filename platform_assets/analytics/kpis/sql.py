"""The SQL of the key figures, made from the registry, in the words that PostgreSQL and DuckDB share.

Belongs here: statements and the schema of what they return. Does not belong here: sending them.

Analysts send it to PostgreSQL, where it reads the schema ``analytics`` alone, or, for figures on the raw files, the
ledger; ``lake`` sends it to DuckDB.

Every statement has one parameter, ``as_of`` in the style of psycopg: the last day that counts.
"""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from platform_assets.analytics.kpis.formulas import Ratio, Sum, components_of
from platform_assets.analytics.kpis.levels import CUT, LEVELS, LINES, grouped
from platform_assets.analytics.kpis.registry import COMPONENTS, IDENTITIES, KPIS, LEDGER, SOURCE, Dimension, Grain, Kpi

VALUES_SCHEMA = pa.schema(
    [
        ("kpi", pa.string()),
        ("grain", pa.string()),
        ("period_start_date", pa.date32()),
        ("is_complete", pa.bool_()),
        ("dimension", pa.string()),
        ("member", pa.string()),
        ("currency", pa.string()),
        ("value", pa.float64()),
        ("numerator", pa.decimal128(38, 4)),
        ("denominator", pa.decimal128(38, 4)),
        ("reason", pa.string()),
    ]
)
"""One row per key figure, period, member of a dimension and currency.

``grain``: ``day``, ``week`` (from Monday), ``month``, ``quarter`` or ``all`` (the whole history up to ``as_of``; it
begins with the first sale). ``is_complete``: whether the period was over at the end of ``as_of``; where that is the
newest day and the files hold a part of it alone, of the day before. ``dimension``: ``total``,
``channel``, ``category`` (at the sale), ``country`` (that the sale went to) or, for figures on the raw files,
``dataset``; ``member``: ``all`` for the total, ``unknown`` where the line names none. ``value``: null where it cannot
be said; ``reason`` then says why. ``numerator``: exact value of a sum or of the part above the line; ``denominator``:
part below the line, null for sums.
Figures that the data cannot give have one row, of grain ``all`` and dimension ``total``, without currency.
"""

_LENGTH = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months"}
_COSTS_IN = "max(unit_cost_currency) FILTER (WHERE unit_cost_at_sale_amount IS NOT NULL)"
_COSTS_ARE_FOREIGN = """CASE WHEN sums.costs_in <> sums.currency
            THEN 'not available: the catalogue''s costs are in ' || sums.costs_in || ', the sales in ' || sums.currency
        END"""
_MEMBERS = {"total": "'all'", **{name: f"coalesce({name}, 'unknown')" for name in ("channel", "category", "country")}}


def values_sql(
    grain: Grain,
    dimension: Dimension,
    names: Sequence[str] | None = None,
    source: str = SOURCE,
    *,
    is_day_over: bool = True,
) -> str:
    """A statement that gives key figures as rows of ``VALUES_SCHEMA``.

    Args:
        grain: The periods.
        dimension: What they are cut by.
        names: Which figures; by default all of sales that are available.
        source: What it reads: a table with the columns of the view.
        is_day_over: Whether ``as_of`` itself is over; else its periods are not complete.

    Returns:
        One ``SELECT``; its parameter is ``as_of``.

    Raises:
        KeyError: There is no such figure, or the data cannot give it.
    """
    of_sales = [kpi for kpi in KPIS.values() if kpi.is_available and kpi.source == SOURCE]
    kpis = of_sales if names is None else [KPIS[name] for name in names]
    kpis = [kpi for kpi in kpis if grain in kpi.grains and dimension in kpi.dimensions]
    if missing := [kpi.name for kpi in kpis if not kpi.is_available]:
        raise KeyError(*missing)
    next_day = f"day.as_of + {int(is_day_over)}"
    complete = "false" if grain == "all" else f"period_start_date + interval '{_LENGTH[grain]}' <= {next_day}"
    return _figures(_sums(grain, dimension, _components(kpis), source), kpis, (grain, dimension), complete)


def ledger_sql(names: Sequence[str] | None = None, source: str = LEDGER) -> str:
    """A statement that gives figures on the raw files as rows of ``VALUES_SCHEMA``, by dataset; no currency is told.

    Args:
        names: Which figures; by default all of the ledger.
        source: What it reads: a table with the columns of the ledger.
    """
    of_ledger = [kpi for kpi in KPIS.values() if kpi.is_available and kpi.source == LEDGER]
    kpis = of_ledger if names is None else [KPIS[name] for name in names]
    parts = ",\n        ".join(f"{COMPONENTS[name].sql} AS {name}" for name in _components(kpis))
    sums = f"""WITH day AS (SELECT %(as_of)s::date AS as_of),
sums AS (
    SELECT
        min(day.as_of) AS period_start_date,
        dataset AS member,
        NULL::text AS currency,
        {parts}
    FROM {source}
    CROSS JOIN day
    GROUP BY dataset
)"""  # noqa: S608 - made of the registry's own names
    return _figures(sums, kpis, ("all", "dataset"), "false")


def published_sql(kpi: Kpi) -> str:
    """The statement that analysts send for one figure: by month, where it is given by month."""
    return ledger_sql([kpi.name]) if kpi.source == LEDGER else values_sql("month", "total", [kpi.name])


def components_sql(grain: Grain, dimension: Dimension) -> str:
    """A statement that gives every component that an identity speaks of: one row per period, member and currency."""
    names = dict.fromkeys(name for one in IDENTITIES for side in (one.left, one.right) for _, name in side.terms)
    return f"{_sums(grain, dimension, list(names), SOURCE)}\nSELECT * FROM sums"


def unavailable() -> pa.Table:
    """The figures that the data cannot give: explicit nulls with the reason, as rows of ``VALUES_SCHEMA``."""
    lines = [
        {"kpi": kpi.name, "grain": "all", "dimension": "total", "member": "all", "is_complete": False,
         "reason": f"not available: {kpi.reason}"}
        for kpi in KPIS.values() if not kpi.is_available
    ]  # fmt: skip
    return pa.Table.from_pylist(lines, schema=VALUES_SCHEMA)


def line_sql(source: str = SOURCE) -> str:
    """The sale lines up to ``as_of`` with what components count: order, customer, product, first order."""
    return f"""day AS (SELECT %(as_of)s::date AS as_of),
known AS (
    SELECT sale.*, nullif(sale.customer_pseudonym, 'unknown') AS customer
    FROM {source} AS sale
    CROSS JOIN day
    WHERE sale.date <= day.as_of
),
firsts AS (
    SELECT customer, min(date) AS first_order_date
    FROM known
    WHERE NOT is_return AND customer IS NOT NULL
    GROUP BY customer
),
line AS (
    SELECT
        known.*,
        known.category_at_sale AS category,
        known.ship_country AS country,
        nullif(known.product_id, 'unknown') AS product,
        firsts.first_order_date,
        CASE
            WHEN known.is_return THEN NULL
            WHEN known.order_id IS NULL
            THEN known.source_system || '/' || known.source_file || '#' || known.source_row
            ELSE known.source_system || ':' || known.order_id
        END AS order_ref,
        coalesce(nullif(known.product_id, 'unknown'), 'channel: ' || known.channel) AS article
    FROM known
    LEFT JOIN firsts USING (customer)
)"""  # noqa: S608 - as above


def _figures(sums: str, kpis: Sequence[Kpi], cut: tuple[Grain, Dimension], complete: str) -> str:
    rows = ",\n        ".join(_lateral_row(kpi) for kpi in kpis)
    return f"""{sums}
SELECT
    figure.kpi,
    '{cut[0]}' AS grain,
    sums.period_start_date,
    {complete} AS is_complete,
    '{cut[1]}' AS dimension,
    sums.member,
    sums.currency,
    CASE
        WHEN figure.is_ratio THEN figure.numerator / nullif(figure.denominator, 0)
        ELSE figure.numerator
    END::double precision AS value,
    figure.numerator::numeric(38, 4) AS numerator,
    figure.denominator::numeric(38, 4) AS denominator,
    CASE
        WHEN figure.numerator IS NULL OR (figure.is_ratio AND figure.denominator IS NULL) THEN figure.unknown
        WHEN figure.is_ratio AND figure.denominator = 0 THEN 'there is nothing to divide by'
    END AS reason
FROM sums
CROSS JOIN day
CROSS JOIN LATERAL (
    VALUES
        {rows}
) AS figure (kpi, is_ratio, unknown, numerator, denominator)"""  # noqa: S608 - as above


def _components(kpis: Iterable[Kpi]) -> list[str]:
    return list(dict.fromkeys(name for kpi in kpis if kpi.formula is not None for name in components_of(kpi.formula)))


def _sums(grain: Grain, dimension: Dimension, names: list[str], source: str) -> str:
    """The common table expressions up to ``sums``: one row per cut with each component."""
    start = "(SELECT min(date) FROM line)" if grain == "all" else f"date_trunc('{grain}', date)::date"
    placed = f"{LINES} AS (SELECT line.*, {start} AS period_start_date, {_MEMBERS[dimension]} AS member FROM line)"  # noqa: S608
    levels = [level for level in (LINES, *LEVELS) if any(COMPONENTS[name].level == level for name in names)]
    steps = [line_sql(source), placed, *(step for level in levels if level != LINES for step in grouped(level))]
    steps += [f"sums_of_{level} AS ({_added(level, names)})" for level in levels]
    joined = "".join(f" JOIN sums_of_{level} USING ({CUT})" for level in levels[1:])
    steps.append(f"sums AS (SELECT * FROM sums_of_{levels[0]}{joined})")  # noqa: S608
    return "WITH " + ",\n".join(steps)


def _added(level: str, names: list[str]) -> str:
    told = {name: COMPONENTS[name].sql for name in names if COMPONENTS[name].level == level}
    if any(COMPONENTS[name].has_costs for name in told):
        told["costs_in"] = _COSTS_IN
    parts = ",\n        ".join(f"{aggregate} AS {name}" for name, aggregate in told.items())
    return f"""
    SELECT
        {CUT},
        {parts}
    FROM {level}
    GROUP BY {CUT}
"""  # noqa: S608 - as above


def _lateral_row(kpi: Kpi) -> str:
    if kpi.formula is None:
        raise KeyError(kpi.name)
    parts = (kpi.formula.numerator, kpi.formula.denominator) if isinstance(kpi.formula, Ratio) else (kpi.formula, None)
    sums = ", ".join("NULL::numeric(38, 4)" if part is None else _expression(part) for part in parts)
    has_costs = any(COMPONENTS[name].has_costs for name in components_of(kpi.formula))
    unknown = f"coalesce({_COSTS_ARE_FOREIGN}, '{kpi.unknown}')" if has_costs else f"'{kpi.unknown}'"
    return f"('{kpi.name}', {'false' if parts[1] is None else 'true'}, {unknown}, {sums})"


def _expression(part: Sum) -> str:
    return " ".join(
        f"{'+' if sign > 0 else '-'} sums.{name}::numeric(38, 4)" for sign, name in part.terms
    ).removeprefix("+ ")
