"""What is found about the products of the generated sample, against what is known to be true of them.

They are drawn for orders one by one, as often as they are popular: none goes with another, none ever disappears, and no
category changes its level for good. Prices change on known days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from platform_assets.analytics.products.affinity import affinity, category_baskets, product_baskets
from platform_assets.analytics.products.prices import sale_price_changes
from platform_assets.analytics.products.substitutes import gone_products
from platform_assets.analytics.products.succession import SubstituteRules
from platform_assets.analytics.products.trends import category_changes, category_trends, weekly_category_sales
from platform_assets.engines.engine import Engine, Frame
from platform_assets.samples.generate import TRUTH, generate
from platform_assets_tests.analytics.insights.sample import sample_products, sample_sales
from platform_assets_tests.conftest import make_test_engine

AS_OF = date(2024, 12, 31)
ROWS, SEED = 20_000, 7
CURRENCIES = {"ecommerce_transactions": "USD", "superstore_sales": "USD", "retail_analytics": "USD"}
PROMOTION = 0.8
"""What prices were multiplied by over the Black Friday weekend."""


@dataclass(frozen=True)
class Sample:
    """The sample, and the truth about its products."""

    engine: Engine
    lines: pa.Table
    products: Frame
    truth: list[dict[str, Any]]

    @property
    def sales(self) -> Frame:
        return self.engine.from_arrow(self.lines)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, rows=ROWS, seed=SEED)
    engine = make_test_engine("duckdb", tmp_path_factory.mktemp("scratch"))
    truth = pq.read_table(folder / TRUTH / "products.parquet").to_pylist()
    yield Sample(engine, sample_sales(folder), engine.from_arrow(sample_products(folder)), truth)
    engine.close()


def test_no_product_is_said_to_be_gone_before_its_time(sample: Sample) -> None:
    assert gone_products(sample.sales, sample.products, AS_OF, sample.engine, SubstituteRules()) == []


def test_a_product_whose_sales_are_taken_out_is_said_to_be_gone(sample: Sample) -> None:
    best = max((one for one in sample.truth if one["is_listed"]), key=lambda one: one["popularity"])["product_id"]
    is_late = pc.greater(sample.lines["sold_at"], pa.scalar(date(2024, 8, 31)).cast(sample.lines["sold_at"].type))
    left = sample.lines.filter(pc.invert(pc.and_(pc.equal(sample.lines["product_id"], best), is_late)))

    (gone,) = gone_products(sample.engine.from_arrow(left), sample.products, AS_OF, sample.engine, SubstituteRules())

    assert gone.product_id == best


def test_no_pair_of_what_is_drawn_by_itself_is_significant(sample: Sample) -> None:
    products = affinity(product_baskets(sample.sales, AS_OF), "product", sample.engine)
    categories = affinity(category_baskets(sample.sales, sample.products, AS_OF), "category", sample.engine)

    assert len(products.pairs) > 100
    assert len(categories.pairs) == 10
    # One in twenty of the significant pairs may be chance; of thousands without meaning, that is hardly one.
    assert sum(products.pairs["is_significant"].to_pylist()) <= 1
    assert sum(categories.pairs["is_significant"].to_pylist()) == 0
    assert all(abs(lift - 1) < 0.15 for lift in categories.pairs["lift"].to_pylist())


def test_no_category_is_said_to_have_changed_its_level(sample: Sample) -> None:
    weekly = weekly_category_sales(sample.sales, sample.products, CURRENCIES, AS_OF, sample.engine)

    assert not any(category_changes(weekly, seed=0)["is_significant"].to_pylist())


def test_trends_hold_what_two_years_really_grew_by_and_less_than_two_years_have_none(sample: Sample) -> None:
    weekly = weekly_category_sales(sample.sales, sample.products, CURRENCIES, AS_OF, sample.engine)
    trends = category_trends(weekly).to_pylist()

    years = {row["category"]: row for row in trends if row["source_system"] == "superstore_sales"}
    assert len(years) == 5
    for name, row in years.items():
        values = weekly.series["superstore_sales", name, "USD"]
        assert row["low_rate"] <= values[-52:].sum() / values[-104:-52].sum() - 1 <= row["high_rate"]
    assert {row["reason"] is None for row in trends if row["source_system"] != "superstore_sales"} == {False}


def test_changes_of_prices_are_those_that_were_planted(sample: Sample) -> None:
    web = sample.lines.filter(pc.equal(sample.lines["source_system"], "ecommerce_transactions"))
    found = sale_price_changes(sample.engine.from_arrow(web), CURRENCIES, AS_OF, sample.engine).to_pylist()
    planted = {one["product_id"]: [(c["date"], c["factor"]) for c in one["price_changes"]] for one in sample.truth}

    right = [row for row in found if is_planted(row, planted[row["product_id"]])]

    assert len(found) >= 50
    assert len(right) / len(found) >= 0.95


def is_planted(row: dict[str, Any], changes: list[tuple[date, float]]) -> bool:
    """Whether planted changes between the two prices, or the promotion, explain the change to 1.5 points."""
    factor = 1.0
    for day, size in changes:
        factor *= size if row["last_seen_before_date"] < day <= row["changed_date"] else 1.0
    explained = (factor, factor * PROMOTION, factor / PROMOTION)
    return any(abs(1 + row["change_rate"] - one) < 0.015 for one in explained if one != 1)
