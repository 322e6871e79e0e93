"""What several analyses ask of sale lines: which count, which order they are of, what they brought in.

Belongs here: expressions on the rows of core/sales, with the same meaning as ``warehouse.sales_measures``. Does not
belong here: anything that groups them.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import narwhals as nw

from platform_assets.engines.engine import Frame
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW
from platform_assets.transforms.versions import VALID_FROM, VALID_TO

_MONEY = nw.Decimal(18, 4)


def lines_between(sales: Frame, as_of: date, days: int | None = None) -> Frame:
    """The lines up to a day, and of so many days only: the day itself is the last of them."""
    lines = sales.filter(nw.col("sold_at") < datetime.combine(as_of + timedelta(days=1), time()))
    if days is None:
        return lines
    return lines.filter(nw.col("sold_at") >= datetime.combine(as_of + timedelta(days=1 - days), time()))


def order_ref() -> nw.Expr:
    """What to count the distinct values of to count orders: a line without a number is an order by itself."""
    place = [nw.col("source_system"), nw.lit("/"), nw.col(SOURCE_FILE), nw.lit("#"), nw.col(SOURCE_ROW).cast(nw.String)]
    number = nw.concat_str([nw.col("source_system"), nw.lit(":"), nw.col("order_id")])
    return nw.when(nw.col("order_id").is_null()).then(nw.concat_str(place)).otherwise(number)


def currency(currencies: Mapping[str, str]) -> nw.Expr:
    """The currency of a line, which its dataset says."""
    result = nw.lit(None).cast(nw.String)
    for dataset, code in currencies.items():
        result = nw.when(nw.col("source_system") == dataset).then(nw.lit(code)).otherwise(result)
    return result.alias("currency")


def with_measures(lines: Frame) -> Frame:
    """The lines with Shopify's measures: null, not nought, where a measure does not concern the line.

    Adds ``units_sold``, ``units_returned``, ``gross_sales``, ``discounts`` and ``returns`` (positive numbers), and the
    ``net_sales``, which are the gross sales less the discounts less the returns.
    """
    sold, amount = ~nw.col("is_return"), nw.col("net_amount")
    before_discount = (amount + nw.col("discount_amount")).cast(_MONEY)
    gross = nw.coalesce(nw.col("gross_amount"), before_discount, amount)
    return lines.with_columns(
        nw.when(sold).then(nw.col("quantity")).alias("units_sold"),
        nw.when(~sold).then(nw.col("quantity") * -1).alias("units_returned"),
        nw.when(sold).then(gross).alias("gross_sales"),
        nw.when(sold).then((gross - amount).cast(_MONEY)).alias("discounts"),
        nw.when(~sold).then((amount * -1).cast(_MONEY)).alias("returns"),
        amount.alias("net_sales"),
    )


def with_profit(lines: Frame, products: Frame, currencies: Mapping[str, str]) -> Frame:
    """The lines with their cost by the catalogue at the sale, the profit, and the net sales whose profit is known.

    Args:
        lines: Rows of core/sales.
        products: Rows of core/products.
        currencies: Currency of each dataset, the catalogue among them: a cost in one is none of a sale in another.

    Returns:
        The lines with ``cost`` (negative for returns), ``profit`` (by the source, else net amount less cost) and
        ``net_sales_with_profit``; null where unknown.
    """
    costed_in = [dataset for dataset, code in currencies.items() if code == currencies[CATALOG]]
    versions = products.select("product_id", VALID_FROM, VALID_TO, "cost_amount")
    joined = lines.join(versions, on="product_id", how="left")
    # The versions of a product cover all time once, so exactly one row per line is left.
    is_valid = (nw.col("sold_at") >= nw.col(VALID_FROM)) & (nw.col("sold_at") < nw.col(VALID_TO))
    costed = joined.filter(nw.col(VALID_FROM).is_null() | is_valid).with_columns(
        nw.when(nw.col("source_system").is_in(costed_in))
        .then((nw.col("quantity") * nw.col("cost_amount")).cast(_MONEY))
        .alias("cost")
    )
    own = (nw.col("net_amount") - nw.col("cost")).cast(_MONEY)
    known = costed.with_columns(nw.coalesce(nw.col("profit_amount"), own).alias("profit"))
    return known.with_columns(
        nw.when(~nw.col("profit").is_null()).then(nw.col("net_amount")).alias("net_sales_with_profit")
    )


def with_category_at_sale(lines: Frame, products: Frame) -> Frame:
    """The lines with the category that their product had at the sale, ``category_at_sale``; null where unknown.

    Args:
        lines: Rows of core/sales.
        products: Rows of core/products.
    """
    versions = products.select(
        nw.col("product_id").alias("_product"),
        nw.col(VALID_FROM).alias("_from"),
        nw.col(VALID_TO).alias("_to"),
        nw.col("category").alias("category_at_sale"),
    )
    joined = lines.join(versions, left_on="product_id", right_on="_product", how="left")
    # As above: exactly one of the versions of a product is left.
    is_valid = (nw.col("sold_at") >= nw.col("_from")) & (nw.col("sold_at") < nw.col("_to"))
    return joined.filter(nw.col("_from").is_null() | is_valid)
