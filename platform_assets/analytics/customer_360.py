"""One row per customer with all that is known: what they did, what they are worth, what to do, how far to trust it.

Belongs here: what is summed up of a customer's sale lines, and the joining of what other analyses say. Does not belong
here: any of those analyses; where the lines are that no customer has (``customer_360_balance``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import narwhals as nw

from platform_assets.analytics.customer_360_schemas import CUSTOMER_360_SCHEMA
from platform_assets.analytics.lines import lines_between, order_ref, with_measures, with_profit
from platform_assets.engines.engine import Engine, Frame, conformed
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets.transforms.core_sales import SALES_DATASETS
from platform_assets.transforms.versions import VALID_FROM, VALID_TO

NO_ORDER = "no order up to the day in this currency"
NOT_COMPUTED = "not computed for this day"
_MONEY = nw.Decimal(18, 4)
_TOLD = ("customer_name", "segment", "country", "region", "state", "city")
_CONFLICTS = {"customer_name": "names", "segment": "segments", "country": "countries"}


@dataclass(frozen=True)
class Known:
    """What is known of customers.

    Attributes:
        sales: Rows of core/sales.
        customers: Rows of core/customers.
        products: Rows of core/products.
        scores: RFM: rows of ``SCORES_SCHEMA``.
        values: Rows of lifetime's ``VALUES_SCHEMA``.
        churn: Rows of ``CHURN_SCHEMA``.
        actions: Rows of ``RETENTION_SCHEMA``.
    """

    sales: Frame
    customers: Frame
    products: Frame
    scores: Frame
    values: Frame
    churn: Frame
    actions: Frame


@dataclass(frozen=True)
class View:
    """From where customers are looked at.

    Attributes:
        as_of: The day.
        currency: The currency of the amounts.
        datasets: The datasets whose amounts are in it.
        cost_currency: The currency of the catalogue's costs: those in another one say nothing of the amounts.
    """

    as_of: date
    currency: str
    datasets: Sequence[str]
    cost_currency: str


def main_currency(currencies: Mapping[str, str], default: str, with_lines: Collection[str]) -> tuple[str, list[str]]:
    """The currency that amounts of customers are in, and the datasets that have it.

    Args:
        currencies: Currency by dataset.
        default: The deployment's own; where no dataset has it, the one that most have counts, the first by name.
        with_lines: The datasets that have sale lines: the others have no say, unless none has any.
    """
    codes = [code for dataset, code in currencies.items() if dataset in with_lines] or list(currencies.values())
    code = default if default in codes else min(codes, key=lambda one: (-codes.count(one), one))
    return code, sorted(dataset for dataset, one in currencies.items() if one == code)


def customer_360(known: Known, view: View, engine: Engine) -> Frame:
    """All that is known on the day of every customer with a sale line up to it, in whatever currency.

    Returns:
        Rows of ``CUSTOMER_360_SCHEMA``.
    """
    every = lines_between(known.sales.filter(~nw.col("customer_id").is_null()), view.as_of)
    lines = engine.kept(_measured(every.filter(is_main(view)), known.products, view))
    described = known.customers.filter(_holds_on(view.as_of)).select(
        "customer_id", "country", nw.col("segment").alias("customer_segment")
    )
    frame = _identity(every)
    parts = [
        described,
        _sums(lines),
        _orders(lines),
        _favourite(lines, "_category", "favourite_category"),
        _favourite(lines, "channel", "favourite_channel"),
        _trust(every, view),
        *(_conflict(every, column, name) for column, name in _CONFLICTS.items()),
        *_said(known, view),
    ]
    for part in parts:
        frame = frame.join(part, on="customer_id", how="left")
    return conformed(_filled(frame, view), CUSTOMER_360_SCHEMA)


def is_main(view: View) -> nw.Expr:
    """Whether a sale line's amounts are in the currency of the view."""
    return nw.col("source_system").is_in(list(view.datasets))


def _measured(lines: Frame, products: Frame, view: View) -> Frame:
    """The lines with measures, profit, and the category: that of the line, else the product's on the day."""
    now = products.filter(_holds_on(view.as_of)).select("product_id", nw.col("category").alias("_of_product"))
    currencies = {**dict.fromkeys(view.datasets, view.currency), CATALOG: view.cost_currency}
    measured = with_profit(with_measures(lines), products, currencies).join(now, on="product_id", how="left")
    return measured.with_columns(nw.coalesce(nw.col("category"), nw.col("_of_product")).alias("_category"))


def _holds_on(day: date) -> nw.Expr:
    """Whether a version is the one at the end of a day."""
    # Without its type, pandas counts the literal in nanoseconds, in which the year 9999 is in the past.
    end = nw.lit(datetime.combine(day + timedelta(days=1), time()), dtype=nw.Datetime("us"))
    return (nw.col(VALID_FROM) < end) & (nw.col(VALID_TO) >= end)


def _identity(lines: Frame) -> Frame:
    """The customers that lines are of, the datasets that know them, and whether anything but the id is known."""
    is_told = nw.any_horizontal(*(~nw.col(name).is_null() for name in _TOLD), ignore_nulls=True)
    flags = {name: nw.col("source_system") == name for name in SALES_DATASETS}
    flagged = lines.with_columns(_flag(is_told).alias("_told"), *(_flag(on).alias(name) for name, on in flags.items()))
    seen = flagged.group_by("customer_id").agg(nw.col("_told").max(), *(nw.col(name).max() for name in flags))
    listed = [nw.when(nw.col(name) == 1).then(nw.lit(name)) for name in flags]
    return seen.select(
        "customer_id",
        nw.concat_str(listed, separator=", ", ignore_nulls=True).alias("source_systems"),
        (nw.col("_told") == 0).alias("is_inferred"),
    )


def _sums(lines: Frame) -> Frame:
    sold = ~nw.col("is_return")
    day = nw.when(sold).then(nw.col("sold_at").cast(nw.Date))
    flagged = lines.with_columns(
        day.alias("_day"),
        _flag(sold).alias("_sale"),
        _flag(~sold).alias("_return"),
        _flag(~nw.col("profit").is_null()).alias("_known"),
        nw.when(sold).then(nw.col("net_amount")).otherwise(nw.lit(Decimal(0))).cast(_MONEY).alias("_sold"),
    )
    summed = flagged.group_by("customer_id").agg(
        nw.col("_day").min().alias("first_order_date"),
        nw.col("_day").max().alias("last_order_date"),
        nw.col("_sale").sum().alias("sale_lines"),
        nw.col("_return").sum().alias("return_lines"),
        nw.col("_known").sum().alias("_known_lines"),
        nw.col("_sold").sum().alias("sales_amount"),
        nw.col("net_amount").sum().alias("net_revenue_amount"),
        nw.col("profit").sum().alias("_profit"),
        nw.col("net_sales_with_profit").sum().alias("_with_profit"),
    )
    has_margin = nw.col("_known_lines") > 0
    every = (nw.col("sale_lines") + nw.col("return_lines")).cast(nw.Float64)
    return summed.with_columns(
        (nw.col("sales_amount") - nw.col("net_revenue_amount")).cast(_MONEY).alias("returns_amount"),
        nw.when(has_margin).then(nw.col("_profit")).alias("margin_amount"),
        nw.when(has_margin).then(nw.col("_with_profit")).alias("margin_known_amount"),
        (nw.col("_known_lines").cast(nw.Float64) / every).alias("margin_coverage_rate"),
    ).drop("_known_lines", "_profit", "_with_profit")


def _orders(lines: Frame) -> Frame:
    """Different orders; returns are none."""
    named = lines.filter(~nw.col("is_return")).select("customer_id", order_ref().alias("_order"))
    return named.unique(["customer_id", "_order"]).group_by("customer_id").agg(nw.len().alias("orders"))


def _favourite(lines: Frame, column: str, name: str) -> Frame:
    """The value with the most sales in money; the first by name of several."""
    sold = lines.filter(~nw.col("is_return") & ~nw.col(column).is_null())
    summed = sold.group_by("customer_id", column).agg(nw.col("net_amount").sum().alias("_amount"))
    most = summed.group_by("customer_id").agg(nw.col("_amount").max().alias("_most"))
    best = summed.join(most, on="customer_id", how="inner").filter(nw.col("_amount") == nw.col("_most"))
    return best.group_by("customer_id").agg(nw.col(column).min().alias(name))


def _trust(lines: Frame, view: View) -> Frame:
    flagged = lines.with_columns(
        _flag(nw.col("product_id").is_null()).alias("_no_product"), _flag(~is_main(view)).alias("_other")
    )
    counted = flagged.group_by("customer_id").agg(
        nw.len().alias("_lines"), nw.col("_no_product").sum(), nw.col("_other").sum().alias("lines_in_other_currencies")
    )
    rate = nw.col("_no_product").cast(nw.Float64) / nw.col("_lines").cast(nw.Float64)
    return counted.select("customer_id", "lines_in_other_currencies", rate.alias("lines_without_product_rate"))


def _conflict(lines: Frame, column: str, name: str) -> Frame:
    """How many texts there are of one thing; those that differ in case and blanks alone are one."""
    text = nw.col(column).str.to_lowercase().str.strip_chars().alias("_text")
    told = lines.filter(~nw.col(column).is_null()).select("customer_id", text).unique(["customer_id", "_text"])
    counted = told.group_by("customer_id").agg(nw.len().alias("_texts"))
    return counted.select("customer_id", nw.col("_texts").alias(f"_{name}"))


def _said(known: Known, view: View) -> list[Frame]:
    """What other analyses say of the day, under the names it has here."""
    scores, values, churn, actions = (
        frame.filter(nw.col("as_of_date") == nw.lit(view.as_of).cast(nw.Date))
        for frame in (known.scores, known.values, known.churn, known.actions)
    )
    return [
        scores.select(
            "customer_id",
            "recency_score",
            "frequency_score",
            "monetary_score",
            nw.col("segment").alias("rfm_segment"),
        ),
        values.select(
            "customer_id",
            *("value_amount", "value_low_amount", "value_high_amount", "value_basis"),
            nw.col("horizon_days").alias("value_horizon_days"),
            nw.col("reason").alias("value_reason"),
            nw.col("as_of_date").alias("_value_date"),
        ),
        churn.select(
            "customer_id",
            "churn_rate",
            nw.col("horizon_days").alias("churn_horizon_days"),
            nw.col("reason").alias("churn_reason"),
            nw.col("as_of_date").alias("_churn_date"),
        ),
        actions.select(
            "customer_id",
            *("value_at_stake_amount", "stake_rank", "is_held_out"),
            nw.col("action").alias("next_best_action"),
            nw.col("action_title").alias("next_best_action_title"),
        ),
    ]


def _filled(frame: Frame, view: View) -> Frame:
    counts = ("orders", "sale_lines", "return_lines", "lines_in_other_currencies")
    amounts = ("sales_amount", "returns_amount", "net_revenue_amount")
    return frame.with_columns(
        nw.lit(view.as_of).cast(nw.Date).alias("as_of_date"),
        nw.lit(view.currency).alias("currency"),
        *(nw.col(name).fill_null(0).cast(nw.Int64) for name in counts),
        *(_or_nothing(name) for name in amounts),
        nw.col("is_held_out").fill_null(value=False),
        *((nw.col(f"_{name}").fill_null(0) > 1).alias(f"has_several_{name}") for name in _CONFLICTS.values()),
        *(_reason(name) for name in ("value", "churn")),
    )


def _reason(name: str) -> nw.Expr:
    """Why an analysis says nothing: itself, or because it knows of no order, or because it is of another day."""
    said = nw.col(f"{name}_reason")
    never = nw.col("first_order_date").is_null() & said.is_null()
    missing = nw.when(nw.col(f"_{name}_date").is_null()).then(nw.lit(NOT_COMPUTED)).otherwise(said)
    return nw.when(never).then(nw.lit(NO_ORDER)).otherwise(missing).alias(f"{name}_reason")


def _or_nothing(name: str) -> nw.Expr:
    missing = nw.col(name).is_null()
    return nw.when(missing).then(nw.lit(Decimal(0))).otherwise(nw.col(name)).cast(_MONEY).alias(name)


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
