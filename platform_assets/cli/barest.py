"""The barest script one could write for this data, to measure the platform against: the benchmark's yardstick.

DuckDB reads the files, joins and sums, and COPYs the result into the same PostgreSQL tables. It checks nothing: lines
it cannot read are lost without a word, repeated lines count twice, customers and products have no past, nothing is
incremental. ``python -m platform_assets.cli.barest RAW DSN``.
"""

import sys
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg2

_READ = """
CREATE TEMP TABLE ecommerce AS
SELECT coalesce(transaction_id, "InvoiceNo") AS order_id, coalesce(customer_id, "CustomerID") AS customer_id,
    upper(coalesce(product_id, "StockCode")) AS product_id, coalesce(product_name, "Description") AS product_name,
    try_cast(coalesce(transaction_date, "InvoiceDate") AS timestamp) AS sold_at,
    try_cast(coalesce(quantity, "Quantity") AS bigint) AS quantity,
    try_cast(coalesce(unit_price, "UnitPrice") AS decimal(18, 4)) AS unit_price_amount,
    try_cast(coalesce(total_amount, "Amount") AS decimal(18, 4)) AS net_amount,
    coalesce(country, "Country") AS country, coalesce(channel, 'Online') AS channel,
    parse_filename(filename) AS source_file, row_number() OVER () AS source_row
FROM read_csv('{raw}/ecommerce_transactions/*.csv', union_by_name = true, all_varchar = true, filename = true,
    ignore_errors = true, delim = ',', header = true);
CREATE TEMP TABLE superstore AS
SELECT "Order ID" AS order_id, "Customer ID" AS customer_id, upper("Product ID") AS product_id,
    "Product Name" AS product_name, "Category" AS category, "Sub-Category" AS sub_category,
    "Customer Name" AS customer_name, "Segment" AS segment, "Country/Region" AS country, "Region" AS region,
    "State/Province" AS state, "City" AS city, try_strptime("Order Date", '%m/%d/%Y') AS sold_at,
    try_cast("Quantity" AS bigint) AS quantity, try_cast("Sales" AS decimal(18, 4)) AS net_amount,
    try_cast("Profit" AS decimal(18, 4)) AS source_profit_amount,
    parse_filename(filename) AS source_file, row_number() OVER () AS source_row
FROM read_csv('{raw}/superstore_sales/*.csv', union_by_name = true, all_varchar = true, filename = true,
    ignore_errors = true, header = true);
CREATE TEMP TABLE retail AS
SELECT customer_id, try_cast(purchase_date AS timestamp) AS sold_at, channel,
    try_cast(amount_spent AS decimal(18, 4)) AS net_amount, try_cast(items_purchased AS bigint) AS quantity,
    try_cast(avg_item_price AS decimal(18, 4)) AS unit_price_amount,
    parse_filename(filename) AS source_file, row_number() OVER () AS source_row
FROM read_csv('{raw}/retail_analytics/*.csv', union_by_name = true, all_varchar = true, filename = true,
    ignore_errors = true, header = true);
CREATE TEMP TABLE catalog AS
SELECT upper(product_id) AS product_id, first(product_name) AS product_name, first(category) AS category,
    first(sub_category) AS sub_category, first(brand) AS brand,
    first(try_cast(price AS decimal(18, 4))) AS price_amount,
    first(try_cast(list_price AS decimal(18, 4))) AS list_price_amount,
    first(try_cast(cost AS decimal(18, 4))) AS cost_amount
FROM read_csv('{raw}/product_catalog/*.csv', all_varchar = true, ignore_errors = true) GROUP BY 1;
"""

_MODEL = """
CREATE TEMP TABLE sales AS
SELECT 'ecommerce_transactions' AS source_system, *, coalesce(quantity < 0, false) AS is_return FROM ecommerce
UNION ALL BY NAME SELECT 'superstore_sales' AS source_system, *, false AS is_return FROM superstore
UNION ALL BY NAME SELECT 'retail_analytics' AS source_system, *, false AS is_return FROM retail;
DELETE FROM sales WHERE sold_at IS NULL OR net_amount IS NULL;
CREATE TEMP TABLE customers AS
SELECT row_number() OVER () AS customer_key, customer_id, md5(customer_id) AS customer_pseudonym,
    '1900-01-01Z' AS valid_from, '9999-12-31Z' AS valid_to, arg_max(customer_name, sold_at) AS customer_name,
    arg_max(segment, sold_at) AS segment, arg_max(country, sold_at) AS country, arg_max(region, sold_at) AS region,
    arg_max(state, sold_at) AS state, arg_max(city, sold_at) AS city,
    min(sold_at)::date AS first_order_date, max(sold_at)::date AS last_order_date,
    string_agg(DISTINCT source_system, ', ') AS source_systems
FROM sales WHERE customer_id IS NOT NULL GROUP BY customer_id;
CREATE TEMP TABLE products AS
SELECT row_number() OVER () AS product_key, product_id, '1900-01-01Z' AS valid_from, '9999-12-31Z' AS valid_to,
    coalesce(c.product_name, s.product_name) AS product_name,
    coalesce(c.category, s.category) AS category, coalesce(c.sub_category, s.sub_category) AS sub_category, brand,
    price_amount, list_price_amount, cost_amount, CASE WHEN c.product_id IS NOT NULL THEN 'USD' END AS price_currency,
    c.product_id IS NOT NULL AS is_in_catalog
FROM (SELECT product_id, arg_max(product_name, sold_at) AS product_name, arg_max(category, sold_at) AS category,
        arg_max(sub_category, sold_at) AS sub_category FROM sales WHERE product_id IS NOT NULL GROUP BY 1) AS s
FULL JOIN catalog AS c USING (product_id);
CREATE TEMP TABLE channels AS
SELECT row_number() OVER () AS channel_key, channel FROM (SELECT DISTINCT channel FROM sales WHERE channel IS NOT NULL);
ALTER TABLE sales ADD COLUMN location_id text;
UPDATE sales SET location_id = nullif(concat(country, '|', region, '|', state, '|', city), '|||');
CREATE TEMP TABLE locations AS
SELECT row_number() OVER () AS location_key, *
FROM (SELECT DISTINCT location_id, country, region, state, city FROM sales WHERE location_id IS NOT NULL);
CREATE TEMP TABLE rfm AS
WITH measured AS (
    SELECT customer_pseudonym, max(sold_at)::date AS last_order_date, count(DISTINCT sold_at::date) AS frequency,
        sum(net_amount) AS monetary_amount
    FROM sales JOIN customers USING (customer_id) WHERE NOT is_return GROUP BY ALL
), scored AS (
    SELECT *, (SELECT max(sold_at)::date FROM sales) AS as_of_date, ntile(5) OVER (ORDER BY last_order_date) AS r,
        ntile(5) OVER (ORDER BY frequency) AS f, ntile(5) OVER (ORDER BY monetary_amount) AS m
    FROM measured
)
SELECT customer_pseudonym, as_of_date, last_order_date, as_of_date - last_order_date AS days_since_last,
    frequency, monetary_amount, r AS recency_score, f AS frequency_score, m AS monetary_score,
    concat(r, f, m) AS rfm_cell, CASE WHEN r >= 4 THEN 'active' ELSE 'lapsed' END AS segment
FROM scored;
"""

_SALES = """
SELECT coalesce(customer_key, -1) AS customer_key, coalesce(product_key, -1) AS product_key,
    coalesce(channel_key, -1) AS channel_key, coalesce(location_key, -1) AS location_key, source_row, sold_at,
    strftime(sold_at, '%Y%m%d') AS date_key, is_return, source_system, source_file, net_amount, quantity, order_id,
    unit_price_amount, source_profit_amount, quantity * cost_amount AS cost_amount, 'USD' AS currency, s.country
FROM sales AS s LEFT JOIN customers USING (customer_id) LEFT JOIN products USING (product_id)
LEFT JOIN channels USING (channel) LEFT JOIN locations USING (location_id)
"""

_INTERACTIONS = """
SELECT customer_key, coalesce(channel_key, -1) AS channel_key, source_row, sold_at AS interacted_at,
    strftime(sold_at, '%Y%m%d') AS date_key, source_system, source_file, net_amount AS amount, quantity AS items,
    unit_price_amount AS avg_item_price_amount, 'USD' AS currency
FROM sales JOIN customers USING (customer_id) LEFT JOIN channels USING (channel)
WHERE source_system = 'retail_analytics'
"""

_DAYS = """
INSERT INTO warehouse.dim_date (date_key, date, year, quarter, month, month_name, day, day_of_year, iso_year, iso_week,
    weekday, weekday_name, is_weekend, month_start_date, quarter_start_date, fiscal_year, fiscal_quarter, fiscal_month,
    is_orphaned)
SELECT to_char(day, 'YYYYMMDD')::integer, day, extract(year FROM day), extract(quarter FROM day),
    extract(month FROM day), to_char(day, 'FMMonth'), extract(day FROM day), extract(doy FROM day),
    extract(isoyear FROM day), extract(week FROM day), extract(isodow FROM day), to_char(day, 'FMDay'),
    extract(isodow FROM day) > 5, date_trunc('month', day), date_trunc('quarter', day), extract(year FROM day),
    extract(quarter FROM day), extract(month FROM day), false
FROM generate_series(%s::timestamp, %s, '1 day') AS day
"""

_LOADS = {
    "warehouse.dim_customer": "SELECT * FROM customers",
    "warehouse.dim_product": "SELECT * FROM products",
    "warehouse.dim_channel": "SELECT * FROM channels",
    "warehouse.dim_location": "SELECT * FROM locations",
    "warehouse.fct_sales": _SALES,
    "warehouse.fct_customer_interactions": _INTERACTIONS,
    "analytics.rfm_scores": "SELECT * FROM rfm",
}


def main(raw: Path, dsn: str) -> None:
    """Load everything below ``raw`` into an empty, migrated warehouse."""
    connection = duckdb.connect()
    connection.execute(_READ.format(raw=raw))
    connection.execute(_MODEL)
    days = connection.execute("SELECT min(sold_at)::date, max(sold_at)::date FROM sales").fetchall()[0]
    with closing(psycopg2.connect(dsn)) as warehouse, warehouse.cursor() as cursor:
        cursor.execute(_DAYS, days)
        for table, query in _LOADS.items():
            _copy(connection, cursor, table, query)
        warehouse.commit()


def _copy(connection: duckdb.DuckDBPyConnection, cursor: psycopg2.extensions.cursor, table: str, query: str) -> None:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        relation = connection.sql(query)
        relation.write_csv(file.name, header=False)
        with Path(file.name).open(encoding="utf-8") as lines:
            columns = ", ".join(relation.columns)
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)", lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
