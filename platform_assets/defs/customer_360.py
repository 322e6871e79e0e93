"""Customer 360: one table with all that is known of each customer."""

from functools import partial

import dagster as dg
import pyarrow as pa

from platform_assets.analytics.churn.churn import CHURN_SCHEMA
from platform_assets.analytics.churn.retention import RETENTION_SCHEMA
from platform_assets.analytics.customer_360 import Known, View, customer_360
from platform_assets.analytics.customer_360_balance import balance
from platform_assets.analytics.customer_360_checks import (
    faulty_customers,
    lines_by_currency,
    not_of_this_day,
    sums_apart,
)
from platform_assets.analytics.customer_360_schemas import BALANCE_SCHEMA, CUSTOMER_360_SCHEMA
from platform_assets.analytics.lifetime.value_schemas import VALUES_SCHEMA
from platform_assets.analytics.rfm.scores import SCORES_SCHEMA
from platform_assets.defs.analytics import main_datasets
from platform_assets.defs.topics import Inputs, ResultCheck, ResultTable, Tables, Topic, Verdict, topic_assets
from platform_assets.engines.engine import Frame
from platform_assets.lake.whole import whole_rows
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.core_dimensions import CATALOG, CUSTOMERS_SCHEMA, PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import sales_rows

_READ: dict[str, tuple[str, pa.Schema]] = {
    "customers": ("core", CUSTOMERS_SCHEMA),
    "products": ("core", PRODUCTS_SCHEMA),
    "rfm_scores": ("analytics", SCORES_SCHEMA),
    "lifetime_values": ("analytics", VALUES_SCHEMA),
    "churn_rates": ("analytics", CHURN_SCHEMA),
    "retention_actions": ("analytics", RETENTION_SCHEMA),
}
_TABLES = (
    ResultTable(
        "customer_360",
        CUSTOMER_360_SCHEMA,
        ("customer_id",),
        "One row per customer: what they did, what they are worth, what to do, and how far to trust it.",
    ),
    ResultTable(
        "customer_360_balance",
        BALANCE_SCHEMA,
        ("part",),
        "Where the lines of core/sales are: with customers, with guests, in other currencies, or later than the day.",
    ),
)


def _compute(inputs: Inputs) -> Tables:
    engine, view = inputs.engine, _view(inputs)
    sales = sales_rows(inputs.tables["sales"], inputs.snapshots["sales"], engine)
    rows = partial(_rows, inputs)
    known = Known(
        sales,
        customers=rows("customers"),
        products=rows("products"),
        scores=rows("rfm_scores"),
        values=rows("lifetime_values"),
        churn=rows("churn_rates"),
        actions=rows("retention_actions"),
    )
    everyone = engine.collect(customer_360(known, view, engine)).sort_by("customer_id")
    inputs.tell(f"{everyone.num_rows} customers")
    return {"customer_360": everyone, "customer_360_balance": balance(sales, view, engine)}


def _rows(inputs: Inputs, name: str) -> Frame:
    return whole_rows(inputs.tables[name], inputs.snapshots[name], _READ[name][1], inputs.engine)


def _view(inputs: Inputs) -> View:
    return View(inputs.as_of, *_currencies(inputs.platform))


def _currencies(platform: PlatformResource) -> tuple[str, list[str], str]:
    """The currency of the amounts, the datasets that have it, and the currency of the catalogue's costs."""
    return *main_datasets(platform), platform.config.currencies.of(CATALOG)


def _consistent(tables: Tables) -> Verdict:
    counts = faulty_customers(tables["customer_360"])
    broken = [f"{name}: {count}" for name, count in counts.items() if count]
    return Verdict(not broken, "; ".join(broken) or f"Holds: {', '.join(counts)}.", counts)


def _balanced(tables: Tables) -> Verdict:
    apart = sums_apart(tables["customer_360"], tables["customer_360_balance"])
    told = [f"{name} are {found}, and must be {wanted}" for name, (found, wanted) in apart.items()]
    return Verdict(not apart, "; ".join(told) or "Every line of core/sales is in one part, and customers have theirs.")


def _of_this_day(tables: Tables) -> Verdict:
    counts = not_of_this_day(tables["customer_360"])
    missing = [f"{count:,} customers have no {name} of this day" for name, count in counts.items() if count]
    told = f"{'; '.join(missing)}: run rfm and customer_value for it, too" if missing else "All are of this day"
    return Verdict(not missing, f"{told}.", counts)


def _in_main_currency(tables: Tables) -> Verdict:
    main, others = lines_by_currency(tables["customer_360_balance"])
    told = f"{main:,} lines up to the day are in the currency of the amounts, {others:,} in others."
    return Verdict(bool(main) or not others, told, {"lines": main, "lines in other currencies": others})


CUSTOMER_360 = Topic(
    "customer_360",
    tables=_TABLES,
    sources={"sales": ("core", "sales"), **{name: (layer, name) for name, (layer, _) in _READ.items()}},
    compute=_compute,
    settings=_currencies,
    checks=(
        ResultCheck(
            "rows_consistent",
            "customer_360",
            "One row per customer; dates, orders, scores, values and reasons go together; rates are rates.",
            _consistent,
        ),
        ResultCheck(
            "sums_are_those_of_sales",
            "customer_360_balance",
            "Lines and net revenue of customers are those of core/sales, less guests, later days, other currencies.",
            _balanced,
        ),
        ResultCheck(
            "analyses_are_of_this_day",
            "customer_360",
            "Scores, values and churn probabilities were computed for the day of the table.",
            _of_this_day,
            dg.AssetCheckSeverity.WARN,
        ),
        ResultCheck(
            "main_currency_has_sales",
            "customer_360_balance",
            "The currency of the amounts has sale lines, where any has.",
            _in_main_currency,
            dg.AssetCheckSeverity.WARN,
        ),
    ),
)


@dg.definitions
def defs() -> dg.Definitions:
    """The table of customers."""
    return dg.Definitions(assets=topic_assets(CUSTOMER_360))
