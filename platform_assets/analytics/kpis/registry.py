"""The key figures, each defined once.

Belongs here: names, formulas, units, meaning, and the reason where a figure cannot be had. Does not belong here: how
they are computed (``sql``), held to account (``checks``) or written up (``documentation``).
"""

from dataclasses import dataclass
from typing import Literal

from platform_assets.analytics.kpis.formulas import Component, Formula, Ratio, Sum, components_of, ratio, total

Unit = Literal["amount", "count", "rate", "amount per order", "amount per customer", "number per order", "number"]
Direction = Literal["up", "down", "none"]
Additivity = Literal["additive", "distinct", "ratio", "none"]
Grain = Literal["day", "week", "month", "quarter", "all"]
Dimension = Literal["total", "channel", "category", "country", "dataset"]

GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "all")
DIMENSIONS: tuple[Dimension, ...] = ("total", "channel", "category", "country")
CUTS: tuple[tuple[Grain, Dimension], ...] = (
    ("day", "total"),
    ("day", "channel"),
    ("week", "total"),
    ("week", "channel"),
    *((grain, dimension) for grain in ("month", "quarter", "all") for dimension in DIMENSIONS),
)
"""What is kept: days and weeks are not cut so fine that one order decides a figure. ``values_sql`` gives any cut."""
SOURCE = "analytics.sales_then_and_now"
LEDGER = "quality.row_ledger"
"""What became of every line of every raw file: for figures on how far the others can be trusted."""

_BOUGHT = "FILTER (WHERE NOT is_return)"
_MIDDLE = "percentile_disc(0.5) WITHIN GROUP (ORDER BY order_amount)"
_PRODUCT = "round(greatest(product_amount, 0), 2)::numeric(38, 2)"
"""So wide that its square fits: DuckDB gives a product of numbers of up to 18 digits 18 digits, too."""
_NO_COST = "no dataset tells what was spent on advertising"
_NO_TRAFFIC = "no dataset tells how many people visited"
_NO_STOCK = "no dataset tells what was in stock or received"


def _sum(name: str, column: str, definition: str) -> Component:
    return Component(name, f"sum({column})", is_distinct=False, definition=definition)


def _distinct(name: str, what: str, definition: str, where: str = _BOUGHT) -> Component:
    return Component(name, f"count(DISTINCT {what}) {where}", is_distinct=True, definition=definition)


COMPONENTS = {
    one.name: one
    for one in (
        _sum("gross_sales", "gross_sales_amount", "value of what was sold, before discounts and returns"),
        _sum("discounts", "discounts_amount", "discounts, as a positive number"),
        _sum("returns", "returns_amount", "value of what came back, on the day of the return, as a positive number"),
        _sum("net_sales", "net_sales_amount", "what the sales brought in, returns taken off"),
        _sum("units_sold", "units_sold", "pieces sold, where the source says"),
        _sum("units_returned", "units_returned", "pieces that came back, where the source says"),
        Component("profit", "sum(profit_amount)", is_distinct=False, has_costs=True,
                  definition="profit by the source, else net sales less cost, where known"),
        Component("net_sales_with_profit", "sum(net_sales_amount) FILTER (WHERE profit_amount IS NOT NULL)",
                  is_distinct=False, has_costs=True, definition="net sales of the lines whose profit is known"),
        _distinct("orders", "order_ref", "orders placed; a line without an order number is one; returns are none"),
        Component("basket_lines", "count(*) FILTER (WHERE is_named)", is_distinct=True, level="order_products",
                  definition="different named products per order, over all orders"),
        _distinct("customers", "customer", "named customers who ordered; guests are not counted"),
        _distinct(
            "new_customers", "customer", "customers whose first order ever is in the period",
            "FILTER (WHERE NOT is_return AND first_order_date >= period_start_date)",
        ),
        _distinct(
            "returning_customers", "customer", "customers who ordered and whose first order was before the period",
            "FILTER (WHERE NOT is_return AND first_order_date < period_start_date)",
        ),
        _distinct("customer_orders", "order_ref", "orders of named customers",
                  "FILTER (WHERE NOT is_return AND customer IS NOT NULL)"),
        Component("customer_net_sales", "sum(net_sales_amount) FILTER (WHERE customer IS NOT NULL)",
                  is_distinct=False, definition="net sales to named customers"),
        Component("attached_orders", "count(*) FILTER (WHERE has_other_product)",
                  is_distinct=True, definition="orders with two different named products or more",
                  level="orders"),
        Component("median_order", f"({_MIDDLE} + {_MIDDLE[:-1]} DESC))::numeric(38, 4) * 0.5",
                  is_distinct=True, definition="value that half of the orders stay below, before returns",
                  level="orders"),
        Component("top_decile_net_sales",
                  "sum(customer_amount) FILTER (WHERE customer_rank <= ceil(customer_count / 10.0))",
                  is_distinct=True, definition="net sales to the tenth of the named customers that brought in most",
                  level="customers"),
        Component("squared_product_sales",
                  f"sum({_PRODUCT} * {_PRODUCT})",
                  is_distinct=True,
                  definition="squares of the positive net sales of each named product, to the cent",
                  level="products"),
        Component("squared_sum_of_product_sales",
                  f"sum({_PRODUCT})::numeric(38, 2) * sum({_PRODUCT})::numeric(38, 2)",
                  is_distinct=True, definition="square of their sum", level="products"),
        Component("comparable_net_sales",
                  "sum(article_amount) FILTER (WHERE amount_year_before IS NOT NULL)",
                  is_distinct=True,
                  definition="net sales of each dataset's products (of channels, where a line names no product) that "
                  "it sold in the same period a year before, too",
                  level="articles"),
        Component("comparable_net_sales_before", "sum(amount_year_before)",
                  is_distinct=True, definition="what the same products and channels brought in then",
                  level="articles"),
        _sum("rows_read", "rows_read", "lines in the raw files"),
        _sum("rows_loaded", "rows_loaded", "those that count: not rejected, quarantined or repeated"),
        _sum("amount_read", "amount_read", "money in the raw files"),
        _sum("amount_quarantined", "amount_quarantined", "money of the lines that broke a rule and were set aside"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Kpi:
    """A key figure.

    Attributes:
        name: How tables call it.
        title: How people call it.
        formula: What it is; ``None`` where the data cannot give it.
        unit: Of its values; amounts are in the currency of the row.
        direction: Where better is.
        definition: What it means and leaves out.
        low: No value is lower; ``None`` for no bound.
        high: No value is higher.
        reason: Why the data cannot give it; empty where they can.
        grains: Periods it is given for.
        dimensions: What it is given by.
        source: What it is computed from.
        unknown: Why there is no value where a component has none.
    """

    name: str
    title: str
    formula: Formula | None
    unit: Unit
    direction: Direction
    definition: str
    low: float | None = None
    high: float | None = None
    reason: str = ""
    grains: tuple[Grain, ...] = GRAINS
    dimensions: tuple[Dimension, ...] = DIMENSIONS
    source: str = SOURCE
    unknown: str = "no source says"

    @property
    def is_available(self) -> bool:
        """Whether the data can give it."""
        return self.formula is not None

    @property
    def additivity(self) -> Additivity:
        """Whether values of parts add up to that of the whole: never over currencies; ratios never at all."""
        if self.formula is None:
            return "none"
        if isinstance(self.formula, Ratio):
            return "ratio"
        return "distinct" if any(COMPONENTS[name].is_distinct for name in components_of(self.formula)) else "additive"


@dataclass(frozen=True)
class Identity:
    """Two sums that must be equal in every row."""

    name: str
    left: Sum
    right: Sum


_AVAILABLE = (
    Kpi("gross_sales", "Gross sales", total("gross_sales"), "amount", "up",
         "Value of what was sold, before discounts and returns.", 0),
    Kpi("discounts", "Discounts", total("discounts"), "amount", "down",
         "Gross sales less what the sales brought in; 0 where the source knows of none."),
    Kpi("returns", "Returns", total("returns"), "amount", "down",
         "Value of what came back in the period, whenever it was sold.", 0),
    Kpi("net_sales", "Net sales", total("net_sales"), "amount", "up", "Gross sales less discounts less returns."),
    Kpi("orders", "Orders", total("orders"), "count", "up",
         "Orders placed. An order with two categories counts in both, so parts do not add up.", 0),
    Kpi("units_sold", "Units sold", total("units_sold"), "count", "up", "Pieces sold, where the source says.", 0),
    Kpi("average_order_value", "Average order value", ratio(total("gross_sales", "-discounts"), "orders"),
         "amount per order", "up", "Sales after discounts and before returns, per order.", 0),
    Kpi("median_order_value", "Median order value", total("median_order"), "amount per order", "up",
         "Half of the orders bring in less, before returns: what a few large orders do not move.", 0),
    Kpi("attach_rate", "Attach rate", ratio("attached_orders", "orders"), "rate", "up",
         "Share of orders with two different products or more of the cut.", 0, 1),
    Kpi("units_per_order", "Units per order", ratio("units_sold", "orders"), "number per order", "up",
         "Pieces sold per order.", 0),
    Kpi("products_per_order", "Products per order", ratio("basket_lines", "orders"), "number per order", "up",
         "Different products per order; lines that name no product count as none.", 0),
    Kpi("discount_rate", "Discount rate", ratio("discounts", "gross_sales"), "rate", "down",
         "Share of gross sales that was given away as discount.", None, 1),
    Kpi("return_rate", "Return rate", ratio("returns", "gross_sales"), "rate", "down",
         "Returns of the period as a share of its gross sales; above 1 where more came back than was sold.", 0),
    Kpi("unit_return_rate", "Unit return rate", ratio("units_returned", "units_sold"), "rate", "down",
         "Pieces that came back in the period, per piece sold in it.", 0),
    Kpi("profit", "Gross profit", total("profit"), "amount", "up",
         "Profit by the source, else net sales less cost by the catalogue, of the lines where it is known; a cost in "
         "another currency than the sale is none."),
    Kpi("margin_rate", "Gross margin", ratio("profit", "net_sales_with_profit"), "rate", "up",
         "Profit as a share of the net sales of the lines whose profit is known."),
    Kpi("profit_coverage", "Profit coverage", ratio("net_sales_with_profit", "net_sales"), "rate", "none",
         "Share of net sales whose profit is known: what the margin speaks of."),
    Kpi("customers", "Active customers", total("customers"), "count", "up",
         "Named customers who ordered in the period; guests are not counted.", 0),
    Kpi("new_customers", "New customers", total("new_customers"), "count", "up",
         "Customers whose first order ever, in any currency, is in the period.", 0),
    Kpi("returning_customers", "Returning customers", total("returning_customers"), "count", "up",
         "Customers who ordered in the period and had ordered before it.", 0),
    Kpi("new_customer_rate", "New customer share", ratio("new_customers", "customers"), "rate", "none",
         "Share of the active customers who are new.", 0, 1),
    Kpi("orders_per_customer", "Purchase frequency", ratio("customer_orders", "customers"), "number", "up",
         "Orders of named customers, per active customer.", 0),
    Kpi("net_sales_per_customer", "Revenue per customer", ratio("customer_net_sales", "customers"),
         "amount per customer", "up", "Net sales to named customers, per active customer."),
    Kpi("top_decile_share", "Share of the top tenth of customers", ratio("top_decile_net_sales", "customer_net_sales"),
         "rate", "none", "Share of the net sales to named customers that the best tenth of them brought in."),
    Kpi("product_concentration", "Concentration on products (Herfindahl)",
         ratio("squared_product_sales", "squared_sum_of_product_sales"), "rate", "none",
         "Sum of the squared shares of products: 1 is one product, 0.01 is like a hundred equal ones.", 0, 1),
    Kpi("comparable_growth_rate", "Comparable growth (like for like)",
         ratio(total("comparable_net_sales", "-comparable_net_sales_before"), "comparable_net_sales_before"),
         "rate", "up", "Change against the same period a year before, of what each dataset sold in both: what is new "
         "or gone does not count.",
         grains=("month", "quarter"), unknown="nothing of it was sold in the same period a year before"),
    Kpi("rows_loaded_rate", "Rows loaded", ratio("rows_loaded", "rows_read"), "rate", "up",
         "Share of the lines of all raw files that the figures rest on, whatever their day.", 0, 1,
         grains=("all",), dimensions=("dataset",), source=LEDGER),
    Kpi("quarantined_amount_rate", "Money in quarantine", ratio("amount_quarantined", "amount_read"), "rate", "down",
         "Share of the money in all raw files that was set aside and is in no other figure; below 0 where what was "
         "set aside is negative.",
         grains=("all",), dimensions=("dataset",), source=LEDGER),
)  # fmt: skip

_UNAVAILABLE = (
    Kpi("cac", "Customer acquisition cost", None, "amount per customer", "down",
                   "Spend on winning customers, per new customer.", reason=_NO_COST),
    Kpi("ltv_to_cac", "Lifetime value to acquisition cost", None, "number", "up",
                   "Lifetime value of a customer over the cost of winning one.", reason=_NO_COST),
    Kpi("roas", "Return on advertising spend", None, "number", "up",
                   "Sales that advertising brought, over its cost.", reason=_NO_COST),
    Kpi("conversion_rate", "Conversion rate", None, "rate", "up", "Orders per visit.", reason=_NO_TRAFFIC),
    Kpi("cart_abandonment_rate", "Cart abandonment", None, "rate", "down",
                   "Share of filled carts that were not bought.", reason=_NO_TRAFFIC),
    Kpi("gmroi", "Gross margin return on inventory", None, "number", "up",
                   "Gross margin over the average cost of the inventory.", reason=_NO_STOCK),
    Kpi("inventory_turnover", "Inventory turnover", None, "number", "up",
                   "Cost of what was sold over the average cost of the inventory.", reason=_NO_STOCK),
    Kpi("sell_through_rate", "Sell-through", None, "rate", "up", "Pieces sold over pieces received.", reason=_NO_STOCK),
    Kpi("cohort_return_rate", "Return rate by order", None, "rate", "down",
                   "Share of the sales of a period that came back, whenever.",
                   reason="no dataset tells which order a return belongs to"),
)  # fmt: skip

KPIS = {kpi.name: kpi for kpi in (*_AVAILABLE, *_UNAVAILABLE)}

IDENTITIES = (
    Identity("net_is_gross_less_discounts_less_returns", total("net_sales"),
             total("gross_sales", "-discounts", "-returns")),
    Identity("customers_are_new_or_returning", total("customers"), total("new_customers", "returning_customers")),
)  # fmt: skip
