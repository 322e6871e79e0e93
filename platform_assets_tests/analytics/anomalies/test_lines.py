from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from platform_assets.analytics.anomalies.lines import OutlierSettings, outliers, scored
from platform_assets.analytics.anomalies.prices import PAID_SCHEMA, categorised, no_products, paid, spreads
from platform_assets.engines.engine import Engine, Frame
from platform_assets_tests.analytics.anomalies.sales import Row, sale, sales

DAY = datetime(2024, 3, 6)


def lines_of(engine: Engine, rows: list[Row]) -> Frame:
    return categorised(engine.from_arrow(sales(rows)), engine.from_arrow(no_products()), date(2024, 12, 31))


def ordinary() -> list[Row]:
    prices = ["9.8", "10", "10.1", "10", "9.9", "10", "10.2", "10", "10", "9.7"] * 3
    return [sale(DAY, net=price, order_id=f"o{place}") for place, price in enumerate(prices)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_three_quarters_of_the_first_200_lines_are_injected_errors(shared_datasets: Path, seed: int) -> None:
    text = (shared_datasets / "cdnow" / "CDNOW_master.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines()[1:] if line.strip()]
    kept = [(int(row[2]), float(row[3])) for row in rows if float(row[3]) > 0]
    quantity, money = (np.array(column) for column in zip(*kept, strict=True))
    rng = np.random.default_rng(seed)
    wrong = rng.choice(len(money), 200, replace=False)
    money[wrong] *= rng.choice([10, 100], 200)
    size = len(money)
    columns = [["cdnow"] * size, ["cd"] * size, ["music"] * size, quantity, [None] * size, money, [1] * size]
    table = pa.Table.from_arrays(
        [pa.array(column).cast(kind.type) for column, kind in zip(columns, PAID_SCHEMA, strict=True)],
        schema=PAID_SCHEMA,
    )

    first = np.argsort(-scored(table).score, kind="stable")[:200]

    assert np.isin(first, wrong).mean() >= 0.75


def test_a_price_a_hundredth_of_the_usual_comes_first_with_its_money(engine: Engine) -> None:
    rows = [*ordinary(), sale(DAY, quantity=3, net="0.3", order_id="cheap")]
    lines = lines_of(engine, rows)

    (found,) = outliers(lines, engine.collect(paid(lines)), engine).to_pylist()

    assert (found["order_id"], found["rank"], found["reason"]) == ("cheap", 1, "price")
    assert (found["unit_price_amount"], found["usual_price_amount"]) == (Decimal("0.1"), Decimal(10))
    assert found["impact_amount"] == Decimal("-29.7")
    assert found["price_z"] < -50


@pytest.mark.parametrize("net", ["0", "0.001"])
def test_what_is_free_or_nearly_so_has_no_usual_price_to_be_unlike(engine: Engine, net: str) -> None:
    gifts = [sale(DAY, "GIFT", quantity=100, net=net, order_id=f"g{place}") for place in range(60)]
    rows = [*ordinary(), *gifts, sale(DAY, "GIFT", quantity=50_000, net=net, order_id="many")]
    lines = lines_of(engine, rows)
    ways = engine.collect(paid(lines))

    assert outliers(lines, ways, engine).num_rows == 0
    assert np.isnan(scored(ways).usual_price).any() == (net == "0")


def test_the_price_that_was_said_counts_before_the_computed_one(engine: Engine) -> None:
    rows = [*ordinary(), sale(DAY, net="10", unit_price_amount=Decimal(1000), order_id="said")]
    lines = lines_of(engine, rows)

    (found,) = outliers(lines, engine.collect(paid(lines)), engine).to_pylist()

    assert (found["order_id"], found["unit_price_amount"]) == ("said", Decimal(1000))


def test_a_quantity_far_beyond_the_usual_is_named_so(engine: Engine) -> None:
    rows = [*ordinary(), sale(DAY, quantity=500, net="5000", order_id="bulk")]
    lines = lines_of(engine, rows)

    (found,) = outliers(lines, engine.collect(paid(lines)), engine).to_pylist()

    assert (found["order_id"], found["impact_amount"]) == ("bulk", Decimal(0))
    assert found["reason"] in {"quantity", "amount"}


def test_discounts_that_one_line_in_fifty_has_are_usual_and_a_hundredth_of_the_price_is_not(engine: Engine) -> None:
    listed = [sale(DAY, f"p{n % 4}", net="10", order_id=f"o{n}") for n in range(980)]
    reduced = [sale(DAY, f"p{n % 4}", net="3", order_id=f"d{n}") for n in range(20)]
    lines = lines_of(engine, [*listed, *reduced, sale(DAY, "p0", net="0.1", order_id="wrong")])

    found = outliers(lines, engine.collect(paid(lines)), engine).to_pylist()

    assert [row["order_id"] for row in found] == ["wrong"]


def test_products_sold_rarely_and_returns_are_not_judged(engine: Engine) -> None:
    rows = [*ordinary(), *[sale(DAY, "rare", net=net) for net in ("1", "1", "900")], sale(DAY, quantity=-1, net="-900")]
    lines = lines_of(engine, rows)

    assert outliers(lines, engine.collect(paid(lines)), engine).num_rows == 0


def test_no_more_lines_than_asked_for_are_given_and_ties_follow_file_and_row(engine: Engine) -> None:
    rows = [*ordinary(), *[sale(DAY, net="500", order_id=f"x{n}") for n in range(4)]]
    lines = lines_of(engine, rows)

    found = outliers(lines, engine.collect(paid(lines)), engine, OutlierSettings(most=3)).to_pylist()

    assert [(row["order_id"], row["rank"]) for row in found] == [("x0", 1), ("x1", 2), ("x2", 3)]


def test_without_sales_there_is_nothing_to_judge(engine: Engine) -> None:
    lines = lines_of(engine, [])

    assert outliers(lines, engine.collect(paid(lines)), engine).num_rows == 0


def test_weighted_medians_are_values_of_the_group() -> None:
    values, group = np.array([3.0, 1, 2, 10, 20]), np.array([0, 0, 0, 2, 2])

    found = spreads(values, group, 3, np.array([1.0, 1, 1, 3, 1]))

    assert found.centre[[0, 2]].tolist() == [2, 10]
    assert np.isnan(found.centre[1])
    assert found.scale[0] == pytest.approx(1.4826)
    assert found.weight.tolist() == [3, 0, 4]
