-- The fiscal year and the holidays, marts in which nobody is named, and the measures of commerce in one place.

-- The days are made in Python, which knows the holidays; the next run completes those that are here.
DROP FUNCTION warehouse.fill_dates(date, date);

ALTER TABLE warehouse.dim_date
    ADD COLUMN fiscal_year smallint,
    ADD COLUMN fiscal_quarter smallint,
    ADD COLUMN fiscal_month smallint,
    ADD COLUMN is_holiday boolean,
    ADD COLUMN holiday_name text,
    ADD COLUMN is_orphaned boolean NOT NULL DEFAULT false;
ALTER TABLE warehouse.dim_date ALTER COLUMN is_orphaned DROP DEFAULT;

COMMENT ON TABLE warehouse.dim_date IS 'One row per day of the calendar and fiscal years that the facts speak of';
COMMENT ON COLUMN warehouse.dim_date.fiscal_year IS
    'Fiscal year, named after the calendar year it ends in; where it begins is a setting of the deployment';
COMMENT ON COLUMN warehouse.dim_date.fiscal_quarter IS 'Quarter of the fiscal year, 1 to 4';
COMMENT ON COLUMN warehouse.dim_date.fiscal_month IS 'Month of the fiscal year, 1 to 12';
COMMENT ON COLUMN warehouse.dim_date.is_holiday IS
    'Whether it is a public holiday of the configured country; null where none is configured';
COMMENT ON COLUMN warehouse.dim_date.holiday_name IS 'English name of the holiday; several are separated by semicolons';
COMMENT ON COLUMN warehouse.dim_date.is_orphaned IS 'Whether nothing is known to have happened in its year any more; goes with its last fact';

-- A customer is a pseudonym in what analysts read. The scores are computed from the lake: the next run loads them
-- again.
TRUNCATE analytics.rfm_scores;
ALTER TABLE analytics.rfm_scores
    DROP COLUMN customer_key,
    DROP COLUMN customer_id,
    ADD COLUMN customer_pseudonym text COLLATE "C" NOT NULL,
    ADD CONSTRAINT rfm_scores_pkey PRIMARY KEY (customer_pseudonym);

COMMENT ON COLUMN analytics.rfm_scores.customer_pseudonym IS
    'Keyed hash of the customer''s id, the same as in dim_customer: tells customers apart without saying who they are';

-- What Shopify calls gross sales, discounts, returns and net sales, said once for all the views that sum them up. No
-- view groups by a primary key alone and shows more (PostgreSQL allows that): it would depend on the constraint, which
-- large loads put aside.
CREATE VIEW warehouse.sales_measures AS
SELECT
    source_system,
    source_file,
    source_row,
    customer_key,
    product_key,
    channel_key,
    location_key,
    date_key,
    sold_at,
    order_id,
    currency,
    is_return,
    CASE
        WHEN is_return THEN NULL
        WHEN order_id IS NULL THEN source_system || '/' || source_file || '#' || source_row
        ELSE source_system || ':' || order_id
    END AS order_ref,
    CASE WHEN NOT is_return THEN quantity END AS units_sold,
    CASE WHEN is_return THEN -quantity END AS units_returned,
    (CASE WHEN is_return THEN 0 ELSE gross END)::numeric(38, 4) AS gross_sales_amount,
    (CASE WHEN is_return THEN 0 ELSE gross - net_amount END)::numeric(38, 4) AS discounts_amount,
    (CASE WHEN is_return THEN -net_amount ELSE 0 END)::numeric(38, 4) AS returns_amount,
    net_amount AS net_sales_amount,
    cost_amount,
    profit_amount,
    (CASE WHEN profit_amount IS NOT NULL THEN net_amount END)::numeric(38, 4) AS net_sales_with_profit_amount
FROM warehouse.fct_sales
CROSS JOIN LATERAL (SELECT coalesce(gross_amount, net_amount + coalesce(discount_amount, 0)) AS gross) AS known;

COMMENT ON VIEW warehouse.sales_measures IS 'The measures of every sale line, by the definitions of Shopify';
COMMENT ON COLUMN warehouse.sales_measures.source_system IS 'Dataset the line came from';
COMMENT ON COLUMN warehouse.sales_measures.source_file IS
    'Raw file the line came from, relative to the folder of its dataset';
COMMENT ON COLUMN warehouse.sales_measures.source_row IS 'Line of the raw file';
COMMENT ON COLUMN warehouse.sales_measures.customer_key IS
    'Version of the customer that was valid at the sale; -1 for guests';
COMMENT ON COLUMN warehouse.sales_measures.product_key IS
    'Version of the product that was valid at the sale; -1 where the line names none';
COMMENT ON COLUMN warehouse.sales_measures.channel_key IS 'Sales channel';
COMMENT ON COLUMN warehouse.sales_measures.location_key IS 'Place the sale went to; -1 where the line names none';
COMMENT ON COLUMN warehouse.sales_measures.date_key IS 'Day of the sale, UTC, as yyyymmdd';
COMMENT ON COLUMN warehouse.sales_measures.sold_at IS 'Instant of the sale, UTC';
COMMENT ON COLUMN warehouse.sales_measures.order_id IS
    'Order or invoice the line belongs to; null where the source has none';
COMMENT ON COLUMN warehouse.sales_measures.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN warehouse.sales_measures.is_return IS 'Whether goods came back';
COMMENT ON COLUMN warehouse.sales_measures.order_ref IS
    'What to count the distinct values of to count orders: a line without an order is one by itself, a return is none';
COMMENT ON COLUMN warehouse.sales_measures.units_sold IS
    'Pieces sold; null for returns and where the source does not say';
COMMENT ON COLUMN warehouse.sales_measures.units_returned IS
    'Pieces that came back, as a positive number; null for sales and where the source does not say';
COMMENT ON COLUMN warehouse.sales_measures.gross_sales_amount IS
    'Value of what was sold, before discounts; where the source does not say, net plus discount; 0 for returns';
COMMENT ON COLUMN warehouse.sales_measures.discounts_amount IS
    'Gross sales less what the sale brought in; 0 for returns, and where the source knows of none';
COMMENT ON COLUMN warehouse.sales_measures.returns_amount IS
    'Value of what came back, as a positive number; 0 for sales';
COMMENT ON COLUMN warehouse.sales_measures.net_sales_amount IS 'Gross sales less discounts less returns';
COMMENT ON COLUMN warehouse.sales_measures.cost_amount IS
    'Cost at the sale of what was sold; negative for returns; null where unknown';
COMMENT ON COLUMN warehouse.sales_measures.profit_amount IS
    'Profit by the source, else net sales less cost; null where unknown';
COMMENT ON COLUMN warehouse.sales_measures.net_sales_with_profit_amount IS
    'Net sales of lines whose profit is known: what profit is a share of';
