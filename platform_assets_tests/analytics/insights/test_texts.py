from datetime import date

import duckdb
import pytest

from platform_assets.analytics.anomalies.measures import SeriesKey
from platform_assets.analytics.insights.record import Candidate
from platform_assets.analytics.insights.texts import reproducing_sql
from platform_assets.analytics.largest import OTHERS


@pytest.mark.parametrize(("segment", "value"), [("tea", 1), (OTHERS, 2 + 4)])
def test_the_sql_of_all_other_segments_sums_what_sales_changes_does_not_name(segment: str, value: int) -> None:
    # DuckDB speaks enough of PostgreSQL for this.
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA analytics")
    connection.execute(
        """CREATE TABLE analytics.sales_then_and_now AS
        SELECT 'shop' AS source_system, DATE '2024-01-01' AS date, * FROM (VALUES
            ('tea', 1), ('toys', 2), ('books', 4), ('Web', 8), (NULL, 16)
        ) AS lines (category_at_sale, net_sales_amount)"""
    )
    connection.execute(
        f"""CREATE TABLE analytics.sales_changes AS SELECT * FROM (VALUES
            ('shop', 'category', 'tea'), ('shop', 'category', 'Web'), ('shop', 'category', '{OTHERS}'),
            ('shop', 'channel', 'toys'), ('branch', 'category', 'books')
        ) AS named (source_system, dimension, segment)"""
    )

    (found,) = connection.execute(reproducing_sql(candidate(SeriesKey("shop", "category", segment)))).fetchone() or ()

    assert found == value


def candidate(key: SeriesKey) -> Candidate:
    return Candidate(
        type="drop",
        key=key,
        measure="net_amount",
        first=date(2024, 1, 1),
        last=date(2024, 1, 7),
        value=1,
        expected=2,
        money=-1,
        low=-2,
        high=0,
        p=0.001,
        orders=20,
        null_size=100,
    )
