import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from psycopg2 import extensions, sql

from platform_assets.analytics.rfm.scores import SCORES_SCHEMA
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.pandas import PandasEngine
from platform_assets.settings import CHECKOUT
from platform_assets.warehouse.loads import CalendarLoad, MergeLoad
from platform_assets.warehouse.star.calendar_settings import CalendarSettings
from platform_assets.warehouse.star.pseudonyms import Pseudonyms
from platform_assets.warehouse.star.rows import pseudonymous, pseudonymous_schema
from platform_assets_tests.warehouse.rows import query

VIEWS = CHECKOUT / "sql" / "views"
BEGINNING, END = "1900-01-01", "9999-12-31"
PERSONAL = {column.name for contract in CONTRACTS.values() for column in contract.columns if column.personal}
MEASURES = (
    "orders, units_sold, units_returned, gross_sales_amount, discounts_amount, returns_amount, net_sales_amount,"
    " cost_amount, profit_amount, net_sales_with_profit_amount"
)
JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
DATASETS = {"shop": "EUR", "market": "USD"}

Connection = extensions.connection


def insert(connection: Connection, table: str, *rows: dict[str, Any]) -> None:
    """Insert rows, with the surrogate keys that they name."""
    for row in rows:
        statement = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        )
        query(connection, statement, list(row.values()))  # type: ignore[arg-type]


def customer(key: int, name: str, valid: tuple[str, str], segment: str, country: str) -> dict[str, Any]:
    """A version of a customer; who it is stands in no column but the two that are personal."""
    return {
        "customer_key": key,
        "customer_id": f"id-{name}",
        "customer_name": f"{name} Whoever",
        "customer_pseudonym": {"Anna": "c1", "Bert": "c2"}[name],
        "valid_from": f"{valid[0]} 00:00+00",
        "valid_to": f"{valid[1]} 00:00+00",
        "segment": segment,
        "country": country,
    }


def product(
    key: int, name: str, valid: tuple[str, str], category: str | None = None, cost: int | None = None
) -> dict[str, Any]:
    """A version of a product."""
    return {
        "product_key": key,
        "product_id": name,
        "product_name": f"The {name}",
        "valid_from": f"{valid[0]} 00:00+00",
        "valid_to": f"{valid[1]} 00:00+00",
        "category": category,
        "cost_amount": cost,
        "is_in_catalog": cost is not None,
    }


def line(row: int, day: date, dataset: str, net: int, **more: Any) -> dict[str, Any]:
    """A sale line of a guest, who bought no named product anywhere."""
    keys = dict.fromkeys(("customer_key", "product_key", "channel_key", "location_key"), -1)
    return {
        **keys,
        "source_row": row,
        "source_system": dataset,
        "source_file": "a.csv",
        "sold_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "date_key": int(f"{day:%Y%m%d}"),
        "is_return": net < 0,
        "net_amount": net,
        "currency": DATASETS[dataset],
        **more,
    }


@pytest.fixture
def star(connection: Connection) -> Connection:
    """Six sale lines, small enough to add up by hand.

    Anna was a consumer until 15 February. P1 was a toy that cost 4 until 1 February, and is a game that costs 5;
    nothing is known of P2. The other dataset has an order with a number that occurs in the first one, too.
    """
    CalendarLoad(CalendarSettings(), (JANUARY, FEBRUARY)).apply(connection)
    insert(
        connection,
        "warehouse.dim_customer",
        customer(1, "Anna", (BEGINNING, "2024-02-15"), "Consumer", "Germany"),
        customer(2, "Anna", ("2024-02-15", END), "Corporate", "Austria"),
        customer(3, "Bert", (BEGINNING, END), "Consumer", "France"),
    )
    insert(
        connection,
        "warehouse.dim_product",
        product(1, "P1", (BEGINNING, "2024-02-01"), "Toys", 4),
        product(2, "P1", ("2024-02-01", END), "Games", 5),
        product(3, "P2", (BEGINNING, END)),
    )
    insert(
        connection,
        "warehouse.dim_channel",
        *({"channel_key": i, "channel": n} for i, n in [(1, "Online"), (2, "Store")]),
    )
    places = [(1, "Germany"), (2, "France")]
    insert(
        connection, "warehouse.dim_location", *({"location_key": i, "location_id": n, "country": n} for i, n in places)
    )
    anna, anna_later, bert = {"customer_key": 1}, {"customer_key": 2}, {"customer_key": 3}
    toy, game, other = {"product_key": 1}, {"product_key": 2}, {"product_key": 3}
    german, french = {"location_key": 1}, {"location_key": 2}
    online, store = {"channel_key": 1}, {"channel_key": 2}
    known = {"gross_amount": 20, "discount_amount": 2, "quantity": 2, "cost_amount": 8}
    first, last = date(2024, 1, 10), date(2024, 2, 20)
    back = {"quantity": -1, "cost_amount": -5, "order_id": "R1"}
    market = {"order_id": "O1", "quantity": 3, "discount_amount": 3, "cost_amount": 15}
    insert(
        connection,
        "warehouse.fct_sales",
        line(1, first, "shop", 18, order_id="O1", **known, **anna, **toy, **online, **german),
        line(2, first, "shop", 7, order_id="O1", quantity=1, **anna, **other, **online, **german),
        line(3, date(2024, 2, 10), "shop", -9, **back, **anna, **game, **online, **german),
        line(4, last, "shop", 10, order_id="O2", quantity=1, cost_amount=5, **anna_later, **game, **store, **german),
        line(5, last, "market", 50, source_profit_amount=12),
        line(6, last, "market", 27, **market, **bert, **game, **online, **french),
    )
    return connection


FIRST_ORDER = (1, 3, None, 27, 2, 0, 25, 8, 10, 18)
RETURN = (0, None, 1, 0, 0, 9, -9, -5, -4, -9)
SECOND_ORDER = (1, 1, None, 10, 0, 0, 10, 5, 5, 10)
GUEST = (1, None, None, 50, 0, 0, 50, None, 12, 50)
BERT = (1, 3, None, 30, 3, 0, 27, 15, 12, 27)
ANNA = (2, 4, 1, 37, 2, 9, 26, 8, 11, 19)
FEBRUARY_EUR = (1, 1, 1, 10, 0, 9, 1, 0, 1, 1)
FEBRUARY_USD = (2, 3, None, 80, 3, 0, 77, 15, 24, 77)


@pytest.mark.parametrize(
    ("view", "by", "expected"),
    [
        (
            "sales_by_day",
            "date, currency",
            [
                (date(2024, 1, 10), "EUR", *FIRST_ORDER),
                (date(2024, 2, 10), "EUR", *RETURN),
                (date(2024, 2, 20), "EUR", *SECOND_ORDER),
                (date(2024, 2, 20), "USD", *FEBRUARY_USD),
            ],
        ),
        (
            "sales_by_month",
            "month_start_date, currency",
            [(JANUARY, "EUR", *FIRST_ORDER), (FEBRUARY, "EUR", *FEBRUARY_EUR), (FEBRUARY, "USD", *FEBRUARY_USD)],
        ),
        (
            "sales_by_product",
            "product_id, product_name, category, currency",
            [
                ("P1", "The P1", "Games", "EUR", 2, 3, 1, 30, 2, 9, 19, 8, 11, 19),
                ("P1", "The P1", "Games", "USD", *BERT),
                ("P2", "The P2", None, "EUR", 1, 1, None, 7, 0, 0, 7, None, None, None),
                ("unknown", "No or unknown product", None, "USD", *GUEST),
            ],
        ),
        (
            "sales_by_category_month",
            "month_start_date, category, currency",
            [
                (JANUARY, "Toys", "EUR", 1, 2, None, 20, 2, 0, 18, 8, 10, 18),
                (JANUARY, None, "EUR", 1, 1, None, 7, 0, 0, 7, None, None, None),
                (FEBRUARY, "Games", "EUR", *FEBRUARY_EUR),
                (FEBRUARY, "Games", "USD", *BERT),
                (FEBRUARY, None, "USD", *GUEST),
            ],
        ),
        (
            "sales_by_segment_month",
            "month_start_date, segment, currency",
            [
                (JANUARY, "Consumer", "EUR", *FIRST_ORDER),
                (FEBRUARY, "Consumer", "EUR", *RETURN),
                (FEBRUARY, "Consumer", "USD", *BERT),
                (FEBRUARY, "Corporate", "EUR", *SECOND_ORDER),
                (FEBRUARY, None, "USD", *GUEST),
            ],
        ),
        (
            "sales_by_channel_month",
            "month_start_date, channel, currency",
            [
                (JANUARY, "Online", "EUR", *FIRST_ORDER),
                (FEBRUARY, "Online", "EUR", *RETURN),
                (FEBRUARY, "Online", "USD", *BERT),
                (FEBRUARY, "Store", "EUR", *SECOND_ORDER),
                (FEBRUARY, "unknown", "USD", *GUEST),
            ],
        ),
        (
            "sales_by_country_month",
            "month_start_date, country, currency",
            [
                (JANUARY, "Germany", "EUR", *FIRST_ORDER),
                (FEBRUARY, "France", "USD", *BERT),
                (FEBRUARY, "Germany", "EUR", *FEBRUARY_EUR),
                (FEBRUARY, None, "USD", *GUEST),
            ],
        ),
        (
            "customer_summary",
            "customer_pseudonym, currency, segment, country, first_order_date, last_order_date",
            [
                ("c1", "EUR", "Corporate", "Austria", date(2024, 1, 10), date(2024, 2, 20), *ANNA),
                ("c2", "USD", "Consumer", "France", date(2024, 2, 20), date(2024, 2, 20), *BERT),
            ],
        ),
    ],
)
def test_sales_add_up_by_the_definitions_of_commerce(
    star: Connection, view: str, by: str, expected: list[tuple[object, ...]]
) -> None:
    order = ", ".join(str(place + 1) for place in range(by.count(",") + 1))
    assert query(star, f"SELECT {by}, {MEASURES} FROM analytics.{view} ORDER BY {order}") == expected


VIEWS_OF_SALES = ["day", "month", "product", "category_month", "segment_month", "channel_month", "country_month"]


@pytest.mark.parametrize("name", VIEWS_OF_SALES)
def test_every_view_of_sales_has_all_the_money_once_and_net_is_gross_less_discounts_less_returns(
    star: Connection, name: str
) -> None:
    totals = query(star, "SELECT currency, sum(net_amount) FROM warehouse.fct_sales GROUP BY 1 ORDER BY 1")
    view = f"analytics.sales_by_{name}"
    assert query(star, f"SELECT currency, sum(net_sales_amount) FROM {view} GROUP BY 1 ORDER BY 1") == totals
    amounts = "gross_sales_amount - discounts_amount - returns_amount"
    assert query(star, f"SELECT * FROM {view} WHERE net_sales_amount <> {amounts}") == []


def test_a_sale_knows_what_was_true_then_and_what_is_true_now(star: Connection) -> None:
    rows = query(
        star,
        "SELECT source_system, source_row, date, customer_pseudonym, product_id, segment_at_sale, segment_now,"
        " country_at_sale, country_now, category_at_sale, category_now, unit_cost_at_sale_amount, unit_cost_now_amount,"
        " ship_country, net_sales_amount FROM analytics.sales_then_and_now ORDER BY 2",
    )
    first, last = date(2024, 1, 10), date(2024, 2, 20)
    moved = ("Consumer", "Corporate", "Germany", "Austria")
    now = ("Corporate", "Corporate", "Austria", "Austria")
    bert = ("Consumer", "Consumer", "France", "France")
    nothing = (None,) * 4
    assert rows == [
        ("shop", 1, first, "c1", "P1", *moved, "Toys", "Games", 4, 5, "Germany", 18),
        ("shop", 2, first, "c1", "P2", *moved, *nothing, "Germany", 7),
        ("shop", 3, date(2024, 2, 10), "c1", "P1", *moved, "Games", "Games", 5, 5, "Germany", -9),
        ("shop", 4, last, "c1", "P1", *now, "Games", "Games", 5, 5, "Germany", 10),
        ("market", 5, last, "unknown", "unknown", *nothing, *nothing, None, 50),
        ("market", 6, last, "c2", "P1", *bert, "Games", "Games", 5, 5, "France", 27),
    ]


OF_THE_LOADS = {"is_orphaned"}
"""What one load tells the next in the dimensions."""
MIRRORED = ["dim_channel", "dim_customer", "dim_date", "dim_location", "dim_product", "fct_customer_interactions"]


@pytest.mark.parametrize("name", [*MIRRORED, "fct_sales"])
def test_the_star_of_analysts_has_the_rows_and_all_columns_of_the_warehouse_but_the_personal_ones(
    star: Connection, name: str
) -> None:
    insert(
        star,
        "warehouse.fct_customer_interactions",
        {"customer_key": 3, "channel_key": 1, "source_row": 1, "source_system": "shop", "source_file": "a.csv"}
        | {"interacted_at": "2024-01-10 12:00+00", "date_key": 20240110, "amount": 7, "currency": "EUR"},
    )
    columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    shown, held = ({name for (name,) in query(star, columns, [f"{s}.{name}"])} for s in ("analytics", "warehouse"))
    assert shown == held - PERSONAL - OF_THE_LOADS
    rows = f"SELECT {', '.join(sorted(shown))} FROM {{}}.{name}"
    assert query(star, f"({rows.format('analytics')}) EXCEPT ALL ({rows.format('warehouse')})") == []
    assert query(star, f"SELECT count(*) FROM analytics.{name}") == query(
        star, f"SELECT count(*) FROM warehouse.{name}"
    )


def test_loads_say_which_file_a_table_holds(star: Connection) -> None:
    query(star, "INSERT INTO ops.loaded_slices VALUES ('warehouse.fct_sales', 'shop', 'a.csv', 's', 4, '2024-03-01')")
    loads = query(star, "SELECT table_name, dataset, source_file, loaded_rows, loaded_at::date FROM analytics.loads")
    assert loads == [("warehouse.fct_sales", "shop", "a.csv", 4, date(2024, 3, 1))]


def test_freshness_has_every_dataset_whether_loaded_or_only_judged(star: Connection) -> None:
    loaded = "('warehouse.fct_sales', 'shop', '{}', 's', {}, '2024-03-0{} 00:00+00')"
    files = ", ".join([loaded.format("a.csv", 3, 1), loaded.format("b.csv", 1, 2)])
    query(star, f"INSERT INTO ops.loaded_slices VALUES {files}")
    gate = "('{}', '{}', '2024-03-0{} 00:00+00', true, {}, '', {})"
    judged = [gate.format("r1", "shop", 1, "true", "NULL"), gate.format("r2", "shop", 2, "false", 5)]
    judged.append(gate.format("r2", "catalogue", 2, "true", "NULL"))
    query(
        star,
        "INSERT INTO quality.gate_history (run_id, dataset, evaluated_at, has_rows, is_open, reasons,"
        f" files_held_back) VALUES {', '.join(judged)}",
    )
    rows = query(star, "SELECT * FROM analytics.data_freshness ORDER BY dataset")
    second = datetime(2024, 3, 2, tzinfo=UTC)
    assert rows == [
        ("catalogue", None, None, 0, 0, second, True, None),
        ("shop", datetime(2024, 2, 20, 12, tzinfo=UTC), second, 2, 4, second, False, 5),
    ]


def test_every_view_has_a_file_and_every_file_is_a_view_of_its_name(connection: Connection) -> None:
    views = query(connection, "SELECT schemaname || '.' || viewname FROM pg_views WHERE schemaname = 'analytics'")
    assert sorted(view for (view,) in views) == sorted(path.stem for path in VIEWS.glob("analytics.*.sql"))


@pytest.mark.parametrize("path", sorted(VIEWS.glob("*.sql")), ids=lambda path: path.stem)
def test_no_view_refers_to_another_one_that_is_made_again(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [other.stem for other in VIEWS.glob("*.sql") if other != path and f"{other.stem} " in text] == []


def test_nothing_open_to_analysts_has_a_personal_column(connection: Connection) -> None:
    named = query(
        connection,
        "SELECT c.relname, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'analytics'::regnamespace AND NOT a.attisdropped AND a.attname = ANY(%s)",
        [sorted(PERSONAL)],
    )
    assert {"customer_id", "customer_name"} <= PERSONAL
    assert named == []


def scores(*names: str) -> pa.Table:
    """Scores of customers, by their ids."""
    day, numbers = date(2024, 3, 1), {"days_since_last": 1, "frequency": 1, "monetary_amount": Decimal("7.0000")}
    steps = dict.fromkeys(("recency_score", "frequency_score", "monetary_score"), 5)
    one = {"as_of_date": day, "last_order_date": day, **numbers, **steps, "rfm_cell": "555", "segment": "Champions"}
    return pa.Table.from_pylist([{"customer_id": name, **one} for name in names], SCORES_SCHEMA)


def test_no_text_open_to_analysts_says_who_a_customer_is(star: Connection) -> None:
    engine = PandasEngine()
    batches = pseudonymous(engine.from_arrow(scores("id-Anna", "id-Bert")), SCORES_SCHEMA, Pseudonyms(b"key"), engine)
    MergeLoad("analytics.rfm_scores", ["customer_pseudonym"], pseudonymous_schema(SCORES_SCHEMA), batches).apply(star)
    texts = query(
        star,
        "SELECT c.oid::regclass::text, quote_ident(a.attname) FROM pg_attribute AS a JOIN pg_class AS c"
        " ON c.oid = a.attrelid WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind IN ('r', 'v')"
        " AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'text'::regtype",
    )
    every = " UNION ALL ".join(f"SELECT {column} AS value FROM {relation}" for relation, column in texts)
    values = {value for (value,) in query(star, f"SELECT DISTINCT value FROM ({every}) AS texts")}
    assert {"Champions", "c1", "c2"} <= values
    assert [value for value in values if value and ("Anna" in value or "Bert" in value)] == []


def test_scores_are_under_the_pseudonyms_of_the_customers_and_a_replay_writes_nothing(connection: Connection) -> None:
    engine, pseudonyms = PandasEngine(), Pseudonyms(b"key")

    def load(*names: str) -> dict[str, int]:
        batches = pseudonymous(engine.from_arrow(scores(*names)), SCORES_SCHEMA, pseudonyms, engine)
        return MergeLoad(
            "analytics.rfm_scores", ["customer_pseudonym"], pseudonymous_schema(SCORES_SCHEMA), batches
        ).apply(connection)

    assert load("1", "2")["inserted"] == 2
    assert load("1", "2")["unchanged"] == 2
    assert load("2", "3")["deleted"] == 1
    held = query(connection, "SELECT customer_pseudonym, rfm_cell, monetary_amount FROM analytics.rfm_scores")
    assert sorted(held) == sorted((pseudonyms.of(name), "555", 7) for name in ("2", "3"))


def documented_queries() -> list[str]:
    """The SQL of the analysts' document."""
    text = (CHECKOUT / "docs" / "warehouse.md").read_text(encoding="utf-8")
    return re.findall(r"```sql\n(.*?)```", text, re.DOTALL)


def test_the_queries_of_the_document_tell_then_from_now(star: Connection) -> None:
    then, now, on_a_day = ([tuple(row) for row in query(star, text)] for text in documented_queries())

    # P1, bought by Anna: 18 as a toy, 10 - 9 as a game. All of it, 19, as the game that it is now.
    assert {row for row in then if row[0] and row[1] == "EUR"} == {("Toys", "EUR", 18), ("Games", "EUR", 1)}
    assert {row for row in now if row[0] and row[1] == "EUR"} == {("Games", "EUR", 19)}
    assert set(on_a_day) == {("P1", "Toys", 4), ("P2", None, None), ("unknown", None, None)}


def test_the_documents_name_every_table_and_view_for_analysts(connection: Connection) -> None:
    text = "".join((CHECKOUT / "docs" / name).read_text(encoding="utf-8") for name in ("warehouse.md", "analytics.md"))
    names = query(
        connection,
        "SELECT relname FROM pg_class WHERE relnamespace = 'analytics'::regnamespace AND relkind IN ('r', 'v')",
    )
    assert [name for (name,) in names if f"`{name}`" not in text] == []
