"""core/customers, core/products and core/channels: one row per thing that sales and the catalogue speak of."""

from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from platform_assets.engines.engine import MONEY, Engine, Frame
from platform_assets.transforms.quantiles import quantile_edges

CUSTOMERS_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("customer_name", pa.string()),
        ("segment", pa.string()),
        ("country", pa.string()),
        ("region", pa.string()),
        ("state", pa.string()),
        ("city", pa.string()),
        ("first_order_date", pa.date32()),
        ("last_order_date", pa.date32()),
        ("source_systems", pa.string()),
    ]
)
PRODUCTS_SCHEMA = pa.schema(
    [
        ("product_id", pa.string()),
        ("product_name", pa.string()),
        ("category", pa.string()),
        ("sub_category", pa.string()),
        ("brand", pa.string()),
        ("price_amount", MONEY),
        ("list_price_amount", MONEY),
        ("cost_amount", MONEY),
        ("price_tier", pa.string()),
        ("volume_cm3", pa.float64()),
        ("is_in_catalog", pa.bool_()),
    ]
)
CHANNELS_SCHEMA = pa.schema([("channel", pa.string()), ("sale_lines", pa.int64())])

PRICE_TIERS = ("budget", "standard", "premium", "luxury")


def customers(sales: Frame, source_systems: tuple[str, ...]) -> Frame:
    """One row per known customer; descriptions are those of the newest sale that has them.

    Args:
        sales: Rows of core/sales.
        source_systems: Datasets that may know a customer, in the order they are listed.

    Returns:
        Rows of ``CUSTOMERS_SCHEMA``.
    """
    known = sales.filter(~nw.col("customer_id").is_null())
    seen = [
        nw.when(nw.col("source_system") == name).then(nw.lit(1)).otherwise(nw.lit(0)).alias(f"_in_{name}")
        for name in source_systems
    ]
    first, last = nw.col("sold_at").min().alias("_first"), nw.col("sold_at").max().alias("_last")
    flags = [nw.col(f"_in_{name}").max() for name in source_systems]
    frame = known.with_columns(*seen).group_by("customer_id").agg(first, last, *flags)
    for name in ("customer_name", "segment", "country", "region", "state", "city"):
        frame = frame.join(_newest(known, "customer_id", name), on="customer_id", how="left")
    listed = [nw.when(nw.col(f"_in_{name}") == 1).then(nw.lit(name)) for name in source_systems]
    return frame.with_columns(
        nw.col("_first").cast(nw.Date).alias("first_order_date"),
        nw.col("_last").cast(nw.Date).alias("last_order_date"),
        nw.concat_str(listed, separator=", ", ignore_nulls=True).alias("source_systems"),
    ).select(CUSTOMERS_SCHEMA.names)


def products(sales: Frame, catalog: Frame, edges: tuple[Decimal, ...]) -> Frame:
    """One row per product that is sold or in the catalogue; the catalogue's description wins.

    Args:
        sales: Rows of core/sales.
        catalog: Rows of the catalogue that count.
        edges: Quartile edges of the catalogue's prices, see ``price_edges``.

    Returns:
        Rows of ``PRODUCTS_SCHEMA``.
    """
    sold = sales.filter(~nw.col("product_id").is_null())
    ids = nw.concat([sold.select("product_id"), catalog.select("product_id")], how="vertical").unique("product_id")
    listed = catalog.with_columns(_price_tier(edges), _volume(), nw.lit(value=True).alias("_listed"))
    frame = ids.join(listed, on="product_id", how="left")
    for name in ("product_name", "category", "sub_category"):
        newest = _newest(sold, "product_id", name).rename({name: f"_sold_{name}"})
        frame = frame.join(newest, on="product_id", how="left")
        frame = frame.with_columns(nw.coalesce(nw.col(name), nw.col(f"_sold_{name}")).alias(name))
    return frame.with_columns(
        nw.col("price").alias("price_amount"),
        nw.col("list_price").alias("list_price_amount"),
        nw.col("cost").alias("cost_amount"),
        (~nw.col("_listed").is_null()).alias("is_in_catalog"),
    ).select(PRODUCTS_SCHEMA.names)


def price_edges(catalog: Frame, engine: Engine) -> tuple[Decimal, ...]:
    """The three quartile edges of the catalogue's prices."""
    return quantile_edges(catalog, "price", 4, engine)


def channels(sales: Frame) -> Frame:
    """One row per channel, with the number of sale lines."""
    known = sales.filter(~nw.col("channel").is_null())
    return known.group_by("channel").agg(nw.len().alias("sale_lines")).select(CHANNELS_SCHEMA.names)


def _newest(rows: Frame, key: str, value: str) -> Frame:
    """The value of the newest sale that has one, per key; of several at one instant, the first in the alphabet."""
    pairs = rows.filter(~nw.col(value).is_null()).group_by(key, value).agg(nw.col("sold_at").max().alias("_at"))
    newest = pairs.group_by(key).agg(nw.col("_at").max().alias("_at"))
    return pairs.join(newest, on=[key, "_at"], how="inner").group_by(key).agg(nw.col(value).min().alias(value))


def _price_tier(edges: tuple[Decimal, ...]) -> nw.Expr:
    tier = nw.lit(PRICE_TIERS[0])
    for edge, name in zip(edges, PRICE_TIERS[1:], strict=False):
        tier = nw.when(nw.col("price") >= edge).then(nw.lit(name)).otherwise(tier)
    return nw.when(~nw.col("price").is_null()).then(tier).alias("price_tier")


def _volume() -> nw.Expr:
    return (nw.col("length_cm") * nw.col("width_cm") * nw.col("height_cm")).alias("volume_cm3")
