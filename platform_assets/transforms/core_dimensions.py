"""core/customers, core/products, core/channels and core/locations: what sales and the catalogue speak of.

Customers and products have one row per version. What is tracked (segment and country; prices, cost, categories and
brand) is as it was in the time of the version; all else is the newest that is known, on every version alike.
"""

from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from platform_assets.engines.engine import INSTANT, MONEY, Engine, Frame
from platform_assets.transforms.quantiles import quantile_edges
from platform_assets.transforms.versions import BEGINNING, END, VALID_FROM, VALID_TO, is_current, versions

CATALOG = "product_catalog"
"""The dataset that prices and costs are from."""

CUSTOMERS_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        (VALID_FROM, INSTANT),
        (VALID_TO, INSTANT),
        ("customer_name", pa.string()),
        ("segment", pa.string()),
        ("country", pa.string()),
        ("region", pa.string()),
        ("state", pa.string()),
        ("city", pa.string()),
        ("first_order_date", pa.date32()),
        ("last_order_date", pa.date32()),
        ("source_systems", pa.string()),
        ("is_inferred", pa.bool_()),
    ]
)
PRODUCTS_SCHEMA = pa.schema(
    [
        ("product_id", pa.string()),
        (VALID_FROM, INSTANT),
        (VALID_TO, INSTANT),
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

_PLACE = ("country", "region", "state", "city")
LOCATIONS_SCHEMA = pa.schema([("location_id", pa.string()), *((name, pa.string()) for name in _PLACE)])

CUSTOMER_HISTORY = ("segment", "country")
PRODUCT_HISTORY = ("price_amount", "list_price_amount", "cost_amount", "category", "sub_category", "brand")

PRICE_TIERS = ("budget", "standard", "premium", "luxury")


def customers(sales: Frame, source_systems: tuple[str, ...]) -> Frame:
    """Every known customer, one row per version.

    A sale tells from its instant on what its dataset knows of the customer; what it does not know, it says nothing of.

    Args:
        sales: Rows of core/sales.
        source_systems: Datasets that may know a customer, in the order they are listed.

    Returns:
        Rows of ``CUSTOMERS_SCHEMA``.
    """
    known = sales.filter(~nw.col("customer_id").is_null())
    frame = versions(known, "customer_id", "sold_at", CUSTOMER_HISTORY, carried=True)
    frame = frame.join(_seen(known, source_systems), on="customer_id", how="left")
    for name in ("customer_name", "region", "state", "city"):
        frame = frame.join(_newest(known, "customer_id", name, "sold_at"), on="customer_id", how="left")
    unknown = [nw.col(name).is_null() for name in ("customer_name", "segment", *_PLACE)]
    inferred = nw.all_horizontal(*unknown, ignore_nulls=True).alias("is_inferred")
    return frame.with_columns(inferred).select(CUSTOMERS_SCHEMA.names)


def products(sales: Frame, catalog: Frame, edges: tuple[Decimal, ...]) -> Frame:
    """Every product that is sold or in the catalogue, one row per version.

    A row of the catalogue tells all that is tracked, from its day on. What no row of the catalogue ever says of a
    product is as on its newest sale.

    Args:
        sales: Rows of core/sales.
        catalog: Rows of the catalogue that count.
        edges: Quartile edges of the catalogue's prices, see ``price_edges``.

    Returns:
        Rows of ``PRODUCTS_SCHEMA``.
    """
    sold, listed = sales.filter(~nw.col("product_id").is_null()), _listed(catalog)
    ids = nw.concat([sold.select("product_id"), listed.select("product_id")], how="vertical").unique("product_id")
    frame = ids.join(_catalog_versions(listed), on="product_id", how="left")
    frame = frame.join(_newest(listed, "product_id", "volume_cm3", "valid_from"), on="product_id", how="left")
    for name in ("product_name", "category", "sub_category"):
        for rows, at, source in ((listed, "valid_from", "listed"), (sold, "sold_at", "sold")):
            newest = _newest(rows, "product_id", name, at).rename({name: f"_{source}_{name}"})
            frame = frame.join(newest, on="product_id", how="left")
    return frame.with_columns(
        nw.coalesce(nw.col("_listed_product_name"), nw.col("_sold_product_name")).alias("product_name"),
        *(_said_by_catalog_or_sale(name) for name in ("category", "sub_category")),
        _price_tier(edges),
        (~nw.col(VALID_FROM).is_null()).alias("is_in_catalog"),
        nw.col(VALID_FROM).fill_null(BEGINNING),
        nw.col(VALID_TO).fill_null(END),
    ).select(PRODUCTS_SCHEMA.names)


def price_edges(catalog: Frame, engine: Engine) -> tuple[Decimal, ...]:
    """The three quartile edges of the prices that the catalogue's products have now."""
    current = _catalog_versions(_listed(catalog)).filter(is_current())
    return quantile_edges(current, "price_amount", 4, engine)


def locations(sales: Frame) -> Frame:
    """One row per place that a sale went to.

    Args:
        sales: Rows of core/sales.

    Returns:
        Rows of ``LOCATIONS_SCHEMA``.
    """
    places = sales.select(*_PLACE).unique(list(_PLACE)).with_columns(location_id())
    return places.filter(~nw.col("location_id").is_null()).select(LOCATIONS_SCHEMA.names)


def location_id() -> nw.Expr:
    """The name of a sale's place, of its country, region, state and city; null where all four are missing.

    The parts stand between bars with a blank on each side, a missing one is empty, and missing ones at the end are
    left out, with their bars: ``France |  |  | Paris``, ``Spain``. A bar within a part is written twice. So two
    different places never have one name: a lone bar between blanks is always the end of a part.
    """
    parts = [nw.col(name).fill_null("").str.replace_all("|", "||", literal=True) for name in _PLACE]
    named = nw.concat_str(parts, separator=" | ").str.replace_all(r"(?: \| )+\z", "")
    has_place = nw.any_horizontal(*(~nw.col(name).is_null() for name in _PLACE), ignore_nulls=True)
    return nw.when(has_place).then(named).alias("location_id")


def channels(sales: Frame) -> Frame:
    """One row per channel, with the number of sale lines."""
    known = sales.filter(~nw.col("channel").is_null())
    return known.group_by("channel").agg(nw.len().alias("sale_lines")).select(CHANNELS_SCHEMA.names)


def _seen(known: Frame, source_systems: tuple[str, ...]) -> Frame:
    """When each customer bought first and last, and which datasets know of it."""
    seen = [
        nw.when(nw.col("source_system") == name).then(nw.lit(1)).otherwise(nw.lit(0)).alias(f"_in_{name}")
        for name in source_systems
    ]
    first, last = nw.col("sold_at").min().alias("_first"), nw.col("sold_at").max().alias("_last")
    flags = [nw.col(f"_in_{name}").max() for name in source_systems]
    frame = known.with_columns(*seen).group_by("customer_id").agg(first, last, *flags)
    listed = [nw.when(nw.col(f"_in_{name}") == 1).then(nw.lit(name)) for name in source_systems]
    return frame.select(
        "customer_id",
        nw.col("_first").cast(nw.Date).alias("first_order_date"),
        nw.col("_last").cast(nw.Date).alias("last_order_date"),
        nw.concat_str(listed, separator=", ", ignore_nulls=True).alias("source_systems"),
    )


def _listed(catalog: Frame) -> Frame:
    """The rows of the catalogue in the terms of core/products; those of before it had days hold from the beginning."""
    amounts = [nw.col(name).alias(f"{name}_amount") for name in ("price", "list_price", "cost")]
    day = nw.col("valid_from").cast(nw.Datetime("us")).fill_null(BEGINNING).alias("valid_from")
    volume = (nw.col("length_cm") * nw.col("width_cm") * nw.col("height_cm")).alias("volume_cm3")
    return catalog.select("product_id", day, "product_name", "category", "sub_category", "brand", *amounts, volume)


def _catalog_versions(listed: Frame) -> Frame:
    told = listed.rename({"valid_from": "_since"})
    return versions(told, "product_id", "_since", PRODUCT_HISTORY, carried=False)


def _said_by_catalog_or_sale(name: str) -> nw.Expr:
    never = nw.col(f"_listed_{name}").is_null()
    return nw.when(never).then(nw.col(f"_sold_{name}")).otherwise(nw.col(name)).alias(name)


def _newest(rows: Frame, key: str, value: str, at: str) -> Frame:
    """The newest value that there is, per key; of several at one instant the least, the first in the alphabet."""
    pairs = rows.filter(~nw.col(value).is_null()).group_by(key, value).agg(nw.col(at).max().alias("_at"))
    newest = pairs.group_by(key).agg(nw.col("_at").max().alias("_at"))
    return pairs.join(newest, on=[key, "_at"], how="inner").group_by(key).agg(nw.col(value).min().alias(value))


def _price_tier(edges: tuple[Decimal, ...]) -> nw.Expr:
    tier = nw.lit(PRICE_TIERS[0])
    for edge, name in zip(edges, PRICE_TIERS[1:], strict=False):
        tier = nw.when(nw.col("price_amount") >= edge).then(nw.lit(name)).otherwise(tier)
    return nw.when(~nw.col("price_amount").is_null()).then(tier).alias("price_tier")
