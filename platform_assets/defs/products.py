"""analytics/product_*, category_* and what goes with them: products and categories, measured."""

from collections.abc import Callable

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.products.affinity import AFFINITY_SCHEMA, affinity, category_baskets, product_baskets
from platform_assets.analytics.products.checks import (
    changes_that_are_none,
    covered_rate,
    pairs_that_cannot_be,
    rates_out_of_range,
    sales_that_do_not_add_up,
    shares_that_do_not_close,
    silent_nulls,
    successors_of_nothing,
)
from platform_assets.analytics.products.measures import PERFORMANCE_SCHEMA, product_performance
from platform_assets.analytics.products.prices import PRICE_CHANGES_SCHEMA, catalogue_price_changes, sale_price_changes
from platform_assets.analytics.products.substitutes import (
    GONE_SCHEMA,
    SUBSTITUTES_SCHEMA,
    gone_products,
    gone_table,
    substitutes,
)
from platform_assets.analytics.products.succession import SubstituteRules
from platform_assets.analytics.products.trends import (
    CHANGES_SCHEMA,
    TRENDS_SCHEMA,
    category_changes,
    category_trends,
    weekly_category_sales,
)
from platform_assets.defs.result_checks import invariant_check
from platform_assets.defs.topics import Inputs, ResultCheck, ResultTable, Tables, Topic, Verdict, topic_assets
from platform_assets.engines.engine import Frame
from platform_assets.lake.whole import whole_rows
from platform_assets.transforms.core_dimensions import CATALOG, PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import sales_rows
from platform_assets.transforms.versions import is_current

_TABLES = (
    ResultTable(
        "product_performance",
        PERFORMANCE_SCHEMA,
        ("product_id", "currency"),
        "Sales, margin, discounts, returns, growth and ABC class of every product that was sold, by currency.",
    ),
    ResultTable(
        "price_changes",
        PRICE_CHANGES_SCHEMA,
        ("product_id", "source", "currency", "changed_date"),
        "When prices changed, by the catalogue and by what was really asked.",
    ),
    ResultTable(
        "product_affinity",
        AFFINITY_SCHEMA,
        ("item_a", "item_b"),
        "Pairs of products that are in one order, and whether more often than by chance.",
    ),
    ResultTable(
        "category_affinity",
        AFFINITY_SCHEMA,
        ("item_a", "item_b"),
        "Pairs of categories that are in one order, and whether more often than by chance.",
    ),
    ResultTable(
        "category_trends",
        TRENDS_SCHEMA,
        ("source_system", "category"),
        "By how much the weekly sales of every dataset's categories grow in a year, seasons apart.",
    ),
    ResultTable(
        "category_changes",
        CHANGES_SCHEMA,
        ("source_system", "category", "change_date"),
        "The weeks in which a category of a dataset changed its level for good.",
    ),
    ResultTable(
        "gone_products", GONE_SCHEMA, ("product_id",), "Products that are silent for longer than chance explains."
    ),
    ResultTable(
        "substitutes",
        SUBSTITUTES_SCHEMA,
        ("product_id", "successor_id"),
        "What sold more after a product was gone; one row with the reason where nothing did.",
    ),
)
_COVERED = 0.95
"""So many of the products that were sold have a category: less, and trends and affinities speak of a part only."""


def _compute(inputs: Inputs) -> Tables:
    engine, as_of, seed = inputs.engine, inputs.as_of, inputs.platform.config.analytics.seed
    currencies = inputs.platform.config.currencies.by_dataset()
    sales = engine.kept(sales_rows(inputs.tables["sales"], inputs.snapshots["sales"], engine))
    versions = whole_rows(inputs.tables["products"], inputs.snapshots["products"], PRODUCTS_SCHEMA, engine)
    products = engine.kept(versions.filter(is_current()).select("product_id", "category", "sub_category"))
    inputs.tell("Products and prices")
    prices = [
        catalogue_price_changes(versions, currencies[CATALOG], as_of, engine),
        sale_price_changes(sales, currencies, as_of, engine),
    ]
    found = {
        "product_performance": product_performance(sales, versions, currencies, as_of, engine),
        "price_changes": pa.concat_tables(prices),
    }
    return {**found, **_pairs(inputs, sales, products), **_trends(inputs, sales, products, seed),
            **_succession(inputs, sales, products)}  # fmt: skip


def _pairs(inputs: Inputs, sales: Frame, products: Frame) -> dict[str, pa.Table]:
    inputs.tell("What is bought together")
    one, other = product_baskets(sales, inputs.as_of), category_baskets(sales, products, inputs.as_of)
    return {
        "product_affinity": affinity(one, "product", inputs.engine).pairs,
        "category_affinity": affinity(other, "category", inputs.engine).pairs,
    }


def _trends(inputs: Inputs, sales: Frame, products: Frame, seed: int) -> dict[str, pa.Table]:
    inputs.tell("Trends of categories")
    currencies = inputs.platform.config.currencies.by_dataset()
    weekly = weekly_category_sales(sales, products, currencies, inputs.as_of, inputs.engine)
    return {"category_trends": category_trends(weekly), "category_changes": category_changes(weekly, seed)}


def _succession(inputs: Inputs, sales: Frame, products: Frame) -> dict[str, pa.Table]:
    inputs.tell("Products that are gone, and what took over")
    engine, as_of, rules = inputs.engine, inputs.as_of, SubstituteRules()
    gone = gone_products(sales, products, as_of, engine, rules)
    after = substitutes(sales, products, gone, as_of, engine, rules=rules) if gone else SUBSTITUTES_SCHEMA.empty_table()
    return {"gone_products": gone_table(gone, as_of), "substitutes": _named(after, "successor_id", "none")}


def _named(table: pa.Table, column: str, name: str) -> pa.Table:
    """What a key is made of has a value in every row."""
    place = table.schema.get_field_index(column)
    return table.set_column(place, table.schema.field(column), pc.fill_null(table[column], name))


def _pairs_in(name: str) -> Callable[[Tables], list[str]]:
    return lambda tables: pairs_that_cannot_be(tables[name])


def _known_categories(tables: Tables) -> Verdict:
    rate = covered_rate(tables["product_performance"], "category")
    if rate is None:
        return Verdict(passed=True, description="No product was sold.")
    said = f"{rate:.1%} of the products that were sold have a category"
    return Verdict(rate >= _COVERED, said, {"share with a category": rate})


_CHECKS = (
    invariant_check(
        "sales_add_up",
        "product_performance",
        "Net sales are gross sales less discounts less returns, to the last place.",
        lambda tables: sales_that_do_not_add_up(tables["product_performance"]),
    ),
    invariant_check(
        "shares_close",
        "product_performance",
        "Shares of revenue are 1 together in every currency; classes follow revenue.",
        lambda tables: shares_that_do_not_close(tables["product_performance"]),
    ),
    invariant_check(
        "rates_in_range",
        "product_performance",
        "Shares and probabilities of all tables on products are between 0 and 1.",
        rates_out_of_range,
    ),
    invariant_check(
        "nulls_have_reasons",
        "product_performance",
        "What cannot be said has a reason, and only that, in all tables on products.",
        silent_nulls,
    ),
    ResultCheck(
        "categories_are_known",
        "product_performance",
        f"At least {_COVERED:.0%} of the products that were sold have a category.",
        _known_categories,
        dg.AssetCheckSeverity.WARN,
    ),
    invariant_check(
        "changes_are_changes",
        "price_changes",
        "The price after a change is another one, and the rate is the one of the two.",
        lambda tables: changes_that_are_none(tables["price_changes"]),
    ),
    *(
        invariant_check(
            "pairs_are_possible",
            name,
            "No pair is in more orders than one of its items, and lift is what the counts say.",
            _pairs_in(name),
        )
        for name in ("product_affinity", "category_affinity")
    ),
    invariant_check(
        "successors_follow",
        "substitutes",
        "Every product that is gone was looked into, no other, and none took over from itself.",
        lambda tables: successors_of_nothing(tables["gone_products"], tables["substitutes"]),
    ),
)


@dg.definitions
def defs() -> dg.Definitions:
    """Products and categories."""
    topic = Topic(
        "products",
        _TABLES,
        {"sales": ("core", "sales"), "products": ("core", "products")},
        _compute,
        settings=lambda platform: [platform.config.analytics.seed, platform.config.currencies.by_dataset()],
        checks=_CHECKS,
    )
    return dg.Definitions(assets=topic_assets(topic))
