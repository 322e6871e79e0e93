import pytest
from psycopg2 import errors, extensions

from platform_assets.definitions import defs
from platform_assets.warehouse.loading.catalog import table_columns
from platform_assets.warehouse.loading.transaction import table_identifier
from platform_assets.warehouse.star.read import row_counts
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


PLACED = (
    "SELECT attname, attnotnull AND NOT (attidentity <> '' OR attgenerated <> '' OR atthasdef),"
    " attidentity <> '' OR attgenerated <> '' OR atthasdef"
    " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
)
"""Of every column of a table whether a row has to bring a value, and whether it may do without any."""


def loaded_tables() -> dict[str, dict[str, str]]:
    """Of every table that an asset loads, the columns it sends and their Arrow types."""
    metadata = [spec.metadata for spec in defs().resolve_all_asset_specs() if "table" in spec.metadata]
    return {
        one["table"]: {column.name: column.type for column in one["dagster/column_schema"].columns} for one in metadata
    }


def test_every_table_has_the_columns_its_asset_sends_in_their_types_and_lacks_no_value(
    connection: extensions.connection,
) -> None:
    tables = loaded_tables()
    assert {"warehouse.fct_sales", "warehouse.dim_date", "analytics.rfm_scores", "quality.row_ledger"} <= tables.keys()
    for table, sent in tables.items():
        with connection.cursor() as cursor:
            columns = table_columns(cursor, table_identifier(table))
        held = {name: str(column.arrow_type).replace("[us, tz=UTC]", "[us]") for name, column in columns.items()}
        assert {name: held.get(name) for name in sent} == sent, table
        required = {name for name, is_required, _ in query(connection, PLACED, [table]) if is_required}
        never_filled = {name for name, _, is_filled in query(connection, PLACED, [table]) if not is_filled}
        assert (required - sent.keys(), never_filled - sent.keys()) == (set(), set()), table


@pytest.mark.parametrize(("kinds", "precisions"), [("('r', 'p')", {18}), ("('v', 'm')", {18, 38})])
def test_money_is_numeric_with_four_places_and_sums_have_room(
    connection: extensions.connection, kinds: str, precisions: set[int]
) -> None:
    types = query(
        connection,
        f"""
        SELECT DISTINCT format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname IN {OURS} AND c.relkind IN {kinds} AND NOT a.attisdropped
            AND (a.attname LIKE '%amount' OR a.attname LIKE 'amount%')
        """,
    )
    assert {name for (name,) in types} == {f"numeric({precision},4)" for precision in precisions}


@pytest.mark.parametrize("dimension", ["customer", "product", "channel", "location", "date"])
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


@pytest.mark.parametrize("dimension", ["customer", "product", "channel", "location", "date"])
def test_every_dimension_has_one_special_member(connection: extensions.connection, dimension: str) -> None:
    members = query(connection, f"SELECT {dimension}_key, is_special_member FROM warehouse.dim_{dimension}")
    assert members == [(-1, True)]


def test_only_the_special_members_are_there_at_first(connection: extensions.connection) -> None:
    counts = row_counts(connection)
    assert {name: rows for name, rows in counts.items() if rows} == {
        "warehouse.dim_channel": 1,
        "warehouse.dim_customer": 1,
        "warehouse.dim_date": 1,
        "warehouse.dim_location": 1,
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
