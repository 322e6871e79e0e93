import random
from datetime import date, timedelta
from typing import Any

import pytest

from platform_assets.analytics.products.substitutes import (
    GONE_SCHEMA,
    SUBSTITUTES_SCHEMA,
    gone_products,
    gone_table,
    substitutes,
)
from platform_assets.analytics.products.succession import Gone, SubstituteRules
from platform_assets.engines.engine import Engine, Frame
from platform_assets_tests.analytics.products.shop import line, product, products, sales

FIRST, STOP, AS_OF = date(2024, 1, 1), date(2024, 4, 30), date(2024, 8, 31)
RULES = SubstituteRules()
KINDS = [
    *(product(name, "Toys", sub_category="Dolls") for name in ("gone", "heir", "steady", "fallen")),
    *(product(f"other{n}", "Games", sub_category="Chess") for n in range(3)),
]


def shop(seed: int = 1) -> list[dict[str, Any]]:
    """``gone`` sells until ``STOP``; from then on its customers buy ``heir``. All else goes on as before."""
    chance = random.Random(seed)
    lines: list[dict[str, Any]] = []
    for day in range((AS_OF - FIRST).days + 1):
        on = FIRST + timedelta(days=day)
        is_after = on > STOP
        rates = {"gone": 0.0 if is_after else 0.8, "heir": 1.1 if is_after else 0.4, "steady": 0.5,
                 "fallen": 0.2 if is_after else 0.5, **{f"other{n}": 0.7 for n in range(3)}}  # fmt: skip
        for name, rate in rates.items():
            if (name == "gone" and on == STOP) or chance.random() < rate:
                loyal = name in ("gone", "heir") and chance.random() < 0.8
                customer = f"loyal{chance.randrange(30)}" if loyal else f"any{chance.randrange(300)}"
                lines.append(line(name, on, order_id=f"O{len(lines)}", customer_id=customer))
    return lines


def found(engine: Engine, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    frame, kinds = sales(engine, lines), products(engine, KINDS)
    gone = gone_products(frame, kinds, AS_OF, engine, RULES)
    rows: list[dict[str, Any]] = substitutes(frame, kinds, gone, AS_OF, engine, rules=RULES).to_pylist()
    return rows


def sold_on(engine: Engine, days: dict[str, list[int]]) -> Frame:
    """Products sold so many days before ``AS_OF``."""
    return sales(engine, [line(name, AS_OF - timedelta(days=ago)) for name, ages in days.items() for ago in ages])


def test_a_product_is_gone_when_its_silence_is_longer_than_chance_explains(engine: Engine) -> None:
    days = {
        "gone": list(range(60, 80)),  # 20 orders in 20 days, then 60 days without one: 60 expected
        "heir": list(range(20)),
        "steady": [60 + 30 * n for n in range(12)],  # 12 orders in 331 days: 2 expected
        "fallen": list(range(27, 60)),  # silent for 27 days only
        "other1": list(range(60, 69)),  # nine orders say too little
    }

    gone = gone_products(sold_on(engine, days), products(engine, KINDS), AS_OF, engine, RULES)

    assert gone == [Gone("gone", "Dolls", AS_OF - timedelta(days=79), AS_OF - timedelta(days=60), 20)]
    table = gone_table(gone, AS_OF)
    assert table.schema == GONE_SCHEMA
    assert (table["silent_days"][0].as_py(), table["expected_orders"][0].as_py()) == (60, pytest.approx(60))


def test_what_its_customers_bought_instead_is_the_substitute(engine: Engine) -> None:
    rows = found(engine, shop())

    assert {row["product_id"] for row in rows} == {"gone"}
    heir = rows[0]
    assert heir["successor_id"] == "heir"
    assert heir["is_substitute"]
    assert [row["successor_id"] for row in rows if row["is_substitute"]] == ["heir"]
    assert (heir["last_sale_date"], heir["window_days"]) == (STOP, 91)
    assert heir["customer_lift"] > 1
    assert heir["q_value"] < 0.001
    assert heir["gained_orders"] == pytest.approx(heir["orders_after"] - heir["expected_orders"])
    assert 0.5 < heir["taken_over_rate"] < 1.5


def test_the_counts_are_those_of_the_lines(engine: Engine) -> None:
    lines = shop(2)
    heir = next(row for row in found(engine, lines) if row["successor_id"] == "heir")

    def count(name: str, first: date, last: date) -> int:
        return sum(one["product_id"] == name and first <= one["sold_at"].date() <= last for one in lines)

    window = timedelta(days=91)
    before, after = (STOP - window + timedelta(days=1), STOP), (STOP + timedelta(days=1), STOP + window)
    assert heir["lost_orders"] == count("gone", *before)
    assert (heir["orders_before"], heir["orders_after"]) == (count("heir", *before), count("heir", *after))
    loyal = {one["customer_id"] for one in lines if one["product_id"] == "gone"}
    buyers = {
        one["customer_id"]
        for one in lines
        if one["product_id"] == "heir" and after[0] <= one["sold_at"].date() <= after[1]
    }
    assert heir["shared_customers"] == len(loyal & buyers)
    assert heir["baskets_together"] == 0


def test_what_was_bought_together_is_counted(engine: Engine) -> None:
    both = [line(name, STOP, order_id="both", customer_id="x") for name in ("gone", "heir")]

    heir = next(row for row in found(engine, [*shop(), *both]) if row["successor_id"] == "heir")

    assert heir["baskets_together"] == 1


def test_where_nothing_sold_more_the_reason_says_so(engine: Engine) -> None:
    lines = [one for one in shop() if one["product_id"] not in ("heir", "steady")]

    (row,) = found(engine, lines)

    assert (row["successor_id"], row["is_substitute"]) == (None, False)
    assert row["reason"] == "nothing of Dolls sold more afterwards"


def test_a_rise_of_the_whole_shop_makes_no_substitute(engine: Engine) -> None:
    lines = shop(3)
    doubled = [
        {**one, "order_id": f"{one['order_id']}+"}
        for one in lines
        if one["sold_at"].date() > STOP and one["product_id"] != "heir"
    ]

    rows = found(engine, [*(one for one in lines if one["product_id"] != "heir"), *doubled])

    assert [row for row in rows if row["is_substitute"]] == []


def test_a_shop_in_which_everything_sells_has_nothing_to_substitute(engine: Engine) -> None:
    table = found(engine, [one for one in shop() if one["product_id"] != "gone"])

    assert table == []


def test_the_order_of_the_lines_does_not_matter(engine: Engine) -> None:
    lines = shop(4)
    frame, kinds = sales(engine, lines[::-1]), products(engine, KINDS)
    gone = gone_products(frame, kinds, AS_OF, engine, RULES)

    table = substitutes(frame, kinds, gone, AS_OF, engine, rules=RULES)

    assert table.schema == SUBSTITUTES_SCHEMA
    assert [{**row} for row in table.to_pylist()] == found(engine, lines)
