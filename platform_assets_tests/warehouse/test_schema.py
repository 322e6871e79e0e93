from datetime import date

import pytest
from psycopg2 import errors, extensions

from platform_assets.warehouse.merge import fill_dates
from platform_assets.warehouse.read import row_counts
from platform_assets_tests.warehouse.rows import query

OURS = "('warehouse', 'analytics', 'quality', 'ops')"


def test_every_table_and_view_and_column_has_a_comment(connection: extensions.connection) -> None:
    uncommented = query(
        connection,
        f"""
        SELECT c.oid::regclass::text, coalesce(a.attname, '(itself)')
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (
            SELECT 0::smallint AS attnum, NULL::name AS attname
            UNION ALL SELECT attnum, attname FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        ) AS a
        WHERE n.nspname IN {OURS} AND c.relkind IN ('r', 'v', 'p', 'm')
            AND NOT EXISTS (SELECT FROM pg_description WHERE objoid = c.oid AND objsubid = a.attnum)
        """,
    )
    assert uncommented == []


def test_money_is_numeric_with_four_places(connection: extensions.connection) -> None:
    types = query(
        connection,
        f"SELECT DISTINCT data_type, numeric_precision, numeric_scale FROM information_schema.columns"
        f" WHERE table_schema IN {OURS} AND (column_name LIKE '%%amount' OR column_name LIKE 'amount%%')",
    )
    assert types == [("numeric", 18, 4)]


@pytest.mark.parametrize("dimension", ["customer", "product", "channel", "date"])
def test_every_dimension_key_of_a_sale_is_a_validated_foreign_key(
    connection: extensions.connection, dimension: str
) -> None:
    keys = query(
        connection,
        "SELECT confrelid::regclass::text, convalidated FROM pg_constraint WHERE contype = 'f'"
        " AND conrelid = 'warehouse.fct_sales'::regclass AND conname = %s",
        [f"fct_sales_{dimension}_fkey"],
    )
    assert keys == [(f"warehouse.dim_{dimension}", True)]


@pytest.mark.parametrize("dimension", ["customer", "product", "channel", "date"])
def test_every_dimension_has_one_special_member(connection: extensions.connection, dimension: str) -> None:
    members = query(connection, f"SELECT {dimension}_key, is_special_member FROM warehouse.dim_{dimension}")
    assert members == [(-1, True)]


def test_only_the_special_members_are_there_at_first(connection: extensions.connection) -> None:
    counts = row_counts(connection)
    assert {name: rows for name, rows in counts.items() if rows} == {
        "warehouse.dim_channel": 1,
        "warehouse.dim_customer": 1,
        "warehouse.dim_date": 1,
        "warehouse.dim_product": 1,
    }
    assert {"warehouse.fct_sales", "analytics.rfm_scores", "quality.quarantine"} <= counts.keys()


LEDGER = "INSERT INTO quality.row_ledger VALUES ('d', 'f', {rows}, {amounts}, 'loaded', NULL)"


@pytest.mark.parametrize(
    ("rows", "amounts"),
    [("10, 1, 2, 3, 4", "10.0, 1.0, 2.0, 3.0, 4.0"), ("0, 0, 0, 0, 0", "NULL, NULL, NULL, NULL, NULL")],
)
def test_a_ledger_line_that_balances_is_taken(connection: extensions.connection, rows: str, amounts: str) -> None:
    query(connection, LEDGER.format(rows=rows, amounts=amounts))
    assert row_counts(connection)["quality.row_ledger"] == 1


@pytest.mark.parametrize(
    ("rows", "amounts"),
    [
        ("11, 1, 2, 3, 4", "10.0, 1.0, 2.0, 3.0, 4.0"),
        ("10, 1, 2, 3, 4", "10.0001, 1.0, 2.0, 3.0, 4.0"),
        ("10, 1, 2, 3, 4", "10.0, 1.0, 2.0, 3.0, NULL"),
        ("0, 1, -1, 0, 0", "0, 0, 0, 0, 0"),
    ],
)
def test_a_ledger_line_that_does_not_balance_is_refused(
    connection: extensions.connection, rows: str, amounts: str
) -> None:
    with pytest.raises(errors.CheckViolation):
        query(connection, LEDGER.format(rows=rows, amounts=amounts))


def test_the_scorecard_shows_the_latest_value_of_each_score(connection: extensions.connection) -> None:
    query(
        connection,
        """
        INSERT INTO quality.check_results
            (run_id, evaluated_at, dataset, rule, dimension, severity, passed, rows_checked, rows_failed, score,
             threshold, kind, verdict, shuts_gate, rows_pending, rows_resolved, note)
        VALUES
            ('run1', '2024-01-01', 'd', 'completeness', 'completeness', 'error', false, 100, 40, 0.6, 0.95, 'score',
             'fail', true, 0, 0, ''),
            ('run2', '2024-01-02', 'd', 'completeness', 'completeness', 'error', true, 100, 3, 0.97, 0.95, 'score',
             'pass', true, 0, 0, ''),
            ('run2', '2024-01-02', 'd', 'validity', 'validity', 'error', true, 50, 1, 0.98, 0.9, 'score',
             'pass', true, 0, 0, ''),
            ('run2', '2024-01-02', 'd', 'price_not_negative', 'validity', 'error', false, 50, 1, 0.98, NULL, 'rule',
             'warn', false, 0, 0, '')
        """,
    )
    scores = query(connection, "SELECT dataset, dimension, score, passed, run_id FROM quality.scorecard ORDER BY 2")
    assert scores == [("d", "completeness", 0.97, True, "run2"), ("d", "validity", 0.98, True, "run2")]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # ISO weeks by the calendar: 1 January 2021 is a Friday of week 53 of 2020; 2024 is a leap year.
        (date(2021, 1, 1), (20210101, 2021, 1, 1, "January", 1, 1, 2020, 53, 5, "Friday", False)),
        (date(2024, 12, 30), (20241230, 2024, 4, 12, "December", 30, 365, 2025, 1, 1, "Monday", False)),
        (date(2024, 2, 29), (20240229, 2024, 1, 2, "February", 29, 60, 2024, 9, 4, "Thursday", False)),
        (date(2023, 7, 2), (20230702, 2023, 3, 7, "July", 2, 183, 2023, 26, 7, "Sunday", True)),
    ],
)
def test_a_day_of_the_calendar_knows_its_parts(
    connection: extensions.connection, day: date, expected: tuple[object, ...]
) -> None:
    assert fill_dates(connection, day, day) == 1
    parts = query(
        connection,
        "SELECT date_key, year, quarter, month, month_name, day, day_of_year, iso_year, iso_week, weekday,"
        " weekday_name, is_weekend FROM warehouse.dim_date WHERE date = %s",
        [day],
    )
    assert parts == [expected]


def test_the_calendar_is_extended_at_both_ends_and_has_no_gaps(connection: extensions.connection) -> None:
    assert fill_dates(connection, date(2024, 2, 1), date(2024, 2, 29)) == 29
    assert fill_dates(connection, date(2024, 1, 1), date(2024, 3, 31)) == 31 + 31
    assert fill_dates(connection, date(2024, 1, 1), date(2024, 3, 31)) == 0
    assert row_counts(connection)["warehouse.dim_date"] == 91 + 1


def test_a_span_without_days_is_refused(connection: extensions.connection) -> None:
    with pytest.raises(ValueError, match="has no days"):
        fill_dates(connection, date(2024, 1, 2), date(2024, 1, 1))
