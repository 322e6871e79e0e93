import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.churn.churn import CHURN_SCHEMA
from platform_assets.analytics.churn.retention import RETENTION_SCHEMA
from platform_assets.analytics.customer_360 import Known, View, customer_360, main_currency
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
from platform_assets.engines.engine import Engine
from platform_assets.transforms.core_dimensions import CUSTOMERS_SCHEMA, PRODUCTS_SCHEMA
from platform_assets.transforms.core_sales import SALES_SCHEMA
from platform_assets.transforms.versions import BEGINNING, END

SHOP, STORES = "ecommerce_transactions", "retail_analytics"
VIEW = View(date(2024, 1, 10), "USD", [SHOP], "USD")
NOBODY: dict[str, Any] = {"rfm_segment": "Prospects", "value_reason": "none", "churn_reason": "none"}


def line(number: int, customer: str | None, amount: str, **more: Any) -> dict[str, Any]:
    known = {"source_system": SHOP, "order_id": f"o{number}", "quantity": 1, "is_return": Decimal(amount) < 0}
    place = {"_source_file": "f", "_source_row": number, "_slice": "s", "sold_at": datetime(2024, 1, number)}
    return {"customer_id": customer, "net_amount": Decimal(amount), **known, **place, **more}


SALES = [
    line(1, "anna", "10", channel="web", product_id="p", category="toys", customer_name="Anna", segment="Home"),
    line(2, "anna", "6", channel="shop", category="books", customer_name="ANNA ", segment="Work", profit_amount=2),
    line(2, "anna", "5", channel="shop", order_id="o2", _source_row=99),
    line(3, "anna", "-4"),
    line(4, None, "7"),
    line(5, "bert", "5", source_system=STORES),
    line(20, "bert", "8"),
    line(21, "cleo", "9"),
]


def described_by(engine: Engine, as_of: date | None, view: View = VIEW) -> dict[str, dict[str, Any]]:
    """The row of each customer, where other analyses were computed for a day, or never."""

    def frame(rows: list[dict[str, Any]], schema: pa.Schema) -> Any:
        return engine.from_arrow(pa.Table.from_pylist(rows, schema))

    moved = datetime(2024, 1, 11)
    spans = {"Work": (BEGINNING, moved), "Home": (moved, END)}
    people = [
        {"customer_id": name, "segment": segment, "valid_from": since, "valid_to": until}
        for name in ("anna", "bert", "cleo")
        for segment, (since, until) in spans.items()
    ]
    product = {"product_id": "p", "valid_from": BEGINNING, "valid_to": END, "cost_amount": Decimal(7)}

    def said(schema: pa.Schema, **values: Any) -> Any:
        return frame([{"customer_id": "anna", "as_of_date": as_of, **values}] if as_of else [], schema)

    known = Known(
        frame(SALES, SALES_SCHEMA),
        customers=frame(people, CUSTOMERS_SCHEMA),
        products=frame([product], PRODUCTS_SCHEMA),
        scores=said(SCORES_SCHEMA, segment="New", recency_score=5),
        values=said(VALUES_SCHEMA, reason="too few"),
        churn=said(CHURN_SCHEMA, churn_rate=0.5),
        actions=said(RETENTION_SCHEMA, action="reminder", is_held_out=True),
    )
    table = engine.collect(customer_360(known, view, engine))
    assert table.schema.names == CUSTOMER_360_SCHEMA.names
    return {row["customer_id"]: row for row in table.to_pylist()}


@pytest.fixture(scope="module")
def found(engine: Engine) -> dict[str, dict[str, Any]]:
    """The row of each customer, all analyses being of the day."""
    return described_by(engine, VIEW.as_of)


def test_money_lines_and_orders_are_those_of_the_sale_lines(found: dict[str, dict[str, Any]]) -> None:
    anna = found["anna"]

    assert (anna["sales_amount"], anna["returns_amount"], anna["net_revenue_amount"]) == (21, 4, 17)
    assert (anna["orders"], anna["sale_lines"], anna["return_lines"]) == (2, 3, 1)
    assert (anna["first_order_date"], anna["last_order_date"]) == (date(2024, 1, 1), date(2024, 1, 2))


def test_margin_is_that_of_the_lines_where_it_is_known(found: dict[str, dict[str, Any]]) -> None:
    anna = found["anna"]

    # 10 - 7 by the catalogue, 2 by the source; of four lines two.
    assert (anna["margin_amount"], anna["margin_known_amount"], anna["margin_coverage_rate"]) == (5, 16, 0.5)
    assert found["bert"]["margin_amount"] is None


def test_costs_in_another_currency_say_nothing_of_a_margin(engine: Engine) -> None:
    anna = described_by(engine, VIEW.as_of, replace(VIEW, cost_currency="GBP"))["anna"]

    # What is left of the margin above: 2 by the source, of one line in four.
    assert (anna["margin_amount"], anna["margin_known_amount"], anna["margin_coverage_rate"]) == (2, 6, 0.25)


def test_favourites_are_by_money_and_the_first_by_name_of_equal_ones(found: dict[str, dict[str, Any]]) -> None:
    assert (found["anna"]["favourite_category"], found["anna"]["favourite_channel"]) == ("toys", "shop")


def test_contradictions_and_gaps_are_flagged(found: dict[str, dict[str, Any]]) -> None:
    anna = found["anna"]

    assert (anna["has_several_names"], anna["has_several_segments"], anna["has_several_countries"]) == (0, 1, 0)
    assert anna["lines_without_product_rate"] == 0.75


def test_what_other_analyses_say_is_repeated(found: dict[str, dict[str, Any]]) -> None:
    anna = found["anna"]

    assert (anna["rfm_segment"], anna["recency_score"], anna["churn_rate"]) == ("New", 5, 0.5)
    assert (anna["value_reason"], anna["next_best_action"], anna["is_held_out"]) == ("too few", "reminder", True)


def test_later_days_and_other_currencies_are_counted_and_not_added(found: dict[str, dict[str, Any]]) -> None:
    bert = found["bert"]

    assert (bert["orders"], bert["net_revenue_amount"], bert["lines_in_other_currencies"]) == (0, 0, 1)
    assert bert["value_reason"] == bert["churn_reason"] == "no order up to the day in this currency"
    assert not bert["is_held_out"]


def test_what_became_known_after_the_day_is_left_out(found: dict[str, dict[str, Any]]) -> None:
    """The next day anna moved to another segment; bert's first order here and cleo's first at all came later still."""
    assert found.keys() == {"anna", "bert"}
    assert found["anna"]["customer_segment"] == "Work"
    assert found["bert"]["source_systems"] == STORES


def test_the_newest_version_of_a_customer_holds_after_it_began(engine: Engine) -> None:
    later = replace(VIEW, as_of=date(2024, 1, 11))

    assert described_by(engine, later.as_of, later)["anna"]["customer_segment"] == "Home"


def test_a_customer_of_whom_only_the_id_is_known_is_flagged(found: dict[str, dict[str, Any]]) -> None:
    assert (found["anna"]["is_inferred"], found["bert"]["is_inferred"]) == (False, True)


def test_every_line_of_sales_is_in_one_part(engine: Engine) -> None:
    table = balance(engine.from_arrow(pa.Table.from_pylist(SALES, SALES_SCHEMA)), VIEW, engine)

    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("customers", 4, 17),
        ("guests", 1, 7),
        ("later", 2, 17),
        ("other currencies", 1, None),
        ("all", 8, None),
    ]


@pytest.mark.parametrize(
    ("currencies", "with_lines", "main"),
    [
        ({"a": "USD", "b": "GBP", "c": "GBP"}, "abc", ("USD", ["a"])),
        ({"a": "EUR", "b": "GBP", "c": "GBP"}, "abc", ("GBP", ["b", "c"])),
        ({"a": "GBP", "b": "EUR"}, "ab", ("EUR", ["b"])),
        ({"a": "GBP", "b": "USD", "c": "USD"}, "a", ("GBP", ["a"])),
        ({"a": "EUR", "b": "GBP", "c": "GBP"}, "ab", ("EUR", ["a"])),
        ({"a": "USD", "b": "USD", "c": "GBP"}, "ac", ("USD", ["a", "b"])),
        ({"a": "GBP", "b": "USD"}, "", ("USD", ["b"])),
    ],
    ids=["default", "most", "first", "the-only-with-lines", "equal-with-lines", "others-may-follow", "no-lines-yet"],
)
def test_money_is_in_the_default_currency_or_the_one_of_most_datasets_that_have_sales(
    currencies: dict[str, str], with_lines: str, main: tuple[str, list[str]]
) -> None:
    assert main_currency(currencies, "USD", list(with_lines)) == main


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (VIEW, (5, 1)),
        (View(date(2024, 1, 10), "EUR", ["none"], "USD"), (0, 6)),
        (View(date(2023, 1, 1), "USD", [SHOP], "USD"), (0, 0)),
    ],
    ids=["some", "none-in-the-currency", "none-at-all"],
)
def test_lines_in_the_main_currency_and_in_others_are_told_apart(
    engine: Engine, view: View, told: tuple[int, int]
) -> None:
    table = balance(engine.from_arrow(pa.Table.from_pylist(SALES, SALES_SCHEMA)), view, engine)

    assert lines_by_currency(table) == told


def test_all_lines_are_counted_without_their_parts(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that lose lines do not add up to all: there are eight, whatever becomes of the parts."""
    sales = engine.from_arrow(pa.Table.from_pylist(SALES, SALES_SCHEMA))
    monkeypatch.setattr("platform_assets.analytics.customer_360_balance._by_part", lambda *_: [])
    table = balance(sales, VIEW, engine)

    assert table.to_pylist()[-1] == {"part": "all", "sale_lines": 8, "net_amount": None}
    assert sums_apart(table_of(), table)["lines of all parts"] == (0, 8)


def test_all_lines_of_one_currency_have_their_money(engine: Engine) -> None:
    sales = engine.from_arrow(pa.Table.from_pylist(SALES, SALES_SCHEMA))
    table = balance(sales, View(VIEW.as_of, "USD", [SHOP, STORES], "USD"), engine)

    # 10 + 6 + 5 - 4 + 7 + 5 + 8 + 9.
    assert table.to_pylist()[-1] == {"part": "all", "sale_lines": 8, "net_amount": Decimal(46)}


def test_what_was_computed_for_another_day_is_not_repeated(engine: Engine) -> None:
    found = described_by(engine, as_of=date(2024, 1, 9))["anna"]

    said = ("rfm_segment", "recency_score", "value_amount", "churn_rate", "next_best_action", "stake_rank")
    assert [found[name] for name in said] == [None] * len(said)
    assert found["value_reason"] == found["churn_reason"] == "not computed for this day"
    assert not found["is_held_out"]


def test_analyses_left_out_break_no_rule_and_are_told(engine: Engine) -> None:
    """Anna has an order in this currency; bert has none, so nothing is missing of him but his scores."""
    table = pa.Table.from_pylist(list(described_by(engine, as_of=None).values()), CUSTOMER_360_SCHEMA)

    assert set(faulty_customers(table).values()) == {0}
    assert not_of_this_day(table) == {"scores": 2, "values": 1, "churn probabilities": 1}


def test_nothing_is_missing_where_all_was_computed_for_the_day() -> None:
    whole = customer(**ORDERED, next_best_action="none", rfm_segment="Prospects")

    assert set(not_of_this_day(table_of(whole)).values()) == {0}


def customer(**values: Any) -> dict[str, Any]:
    amounts = dict.fromkeys(("sales_amount", "returns_amount", "net_revenue_amount"), Decimal(0))
    counts = {"orders": 0, "sale_lines": 0, "return_lines": 0}
    return {"customer_id": "a", "as_of_date": VIEW.as_of, **amounts, **counts, **NOBODY, **values}


def table_of(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), CUSTOMER_360_SCHEMA)


ORDERED = {"first_order_date": date(2024, 1, 1), "last_order_date": date(2024, 1, 2), "orders": 1}


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        ([customer()], set()),
        ([customer(), customer()], {"one row per customer"}),
        ([customer(sales_amount=Decimal(1))], {"net is sales less returns"}),
        ([customer(**ORDERED, next_best_action="none") | {"last_order_date": date(2025, 1, 1)}], {"dates in order"}),
        ([customer(orders=1, next_best_action="none")], {"orders if and only if a first one"}),
        ([customer(rfm_segment="New")], {"scores if and only if not a prospect"}),
        ([customer(value_reason=None)], {"a value or a reason"}),
        ([customer(churn_rate=0.5)], {"a churn probability or a reason"}),
        ([customer(margin_coverage_rate=1.5)], {"rates between 0 and 1"}),
        ([customer(**ORDERED)], {"an action for everyone who ordered"}),
        ([customer(**ORDERED) | {"value_reason": "not computed for this day"}], set()),
        ([customer(last_order_date=date(2024, 1, 2))], {"dates in order"}),
        ([customer(recency_score=5)], {"scores if and only if not a prospect"}),
        ([customer(rfm_segment=None, recency_score=5)], {"scores if and only if not a prospect"}),
        ([customer(rfm_segment="New", recency_score=1, frequency_score=1, monetary_score=1)], set()),
    ],
)
def test_a_faulty_row_is_found(rows: list[dict[str, Any]], broken: set[str]) -> None:
    assert {name for name, count in faulty_customers(table_of(*rows)).items() if count} == broken


def test_faulty_rows_are_counted_without_a_python_object_for_each() -> None:
    """A row of forty values is more than a kilobyte in Python; Arrow's own memory is not counted here."""
    many = table_of(*[customer()] * 20_000)
    tracemalloc.start()
    found = faulty_customers(many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found["one row per customer"] == 19_999
    assert peak < 1_000_000


def parts(change: Callable[[dict[str, int]], None]) -> pa.Table:
    """Two lines of customers and one of a guest, all of one unit of money, but for a change."""
    counts = {"customers": 2, "guests": 1, "later": 0, "other currencies": 0, "all": 3}
    change(counts)
    rows = [{"part": name, "sale_lines": count, "net_amount": Decimal(count)} for name, count in counts.items()]
    return pa.Table.from_pylist(rows, BALANCE_SCHEMA)


@pytest.mark.parametrize(
    ("change", "apart"),
    [
        ({}, set()),
        ({"customers": 3, "all": 4}, {"lines of customers", "net revenue of customers"}),
        ({"guests": 2}, {"lines of all parts", "net revenue of all parts"}),
    ],
)
def test_sums_that_are_not_those_of_sales_are_found(change: dict[str, int], apart: set[str]) -> None:
    customers = table_of(customer(sale_lines=2, sales_amount=Decimal(2), net_revenue_amount=Decimal(2)))

    assert sums_apart(customers, parts(lambda counts: counts.update(change))).keys() == apart
