CREATE VIEW analytics.fct_sales AS
SELECT
    customer_key,
    product_key,
    channel_key,
    location_key,
    date_key,
    sold_at,
    order_id,
    is_return,
    quantity,
    unit_price_amount,
    gross_amount,
    discount_amount,
    net_amount,
    cost_amount,
    source_profit_amount,
    profit_amount,
    currency,
    country,
    source_system,
    source_file,
    source_row
FROM warehouse.fct_sales;

COMMENT ON VIEW analytics.fct_sales IS 'One row per sale line of any dataset; returns are lines of their own';
COMMENT ON COLUMN analytics.fct_sales.customer_key IS
    'Version of the customer that was valid at the sale; -1 for guests';
COMMENT ON COLUMN analytics.fct_sales.product_key IS
    'Version of the product that was valid at the sale; -1 where the line names none';
COMMENT ON COLUMN analytics.fct_sales.channel_key IS 'Sales channel';
COMMENT ON COLUMN analytics.fct_sales.location_key IS 'Place the sale went to; -1 where the line names none';
COMMENT ON COLUMN analytics.fct_sales.date_key IS 'Day of the sale, UTC, as yyyymmdd';
COMMENT ON COLUMN analytics.fct_sales.sold_at IS 'Instant of the sale, UTC; midnight where the source has days only';
COMMENT ON COLUMN analytics.fct_sales.order_id IS
    'Order or invoice the line belongs to; null where the source has none';
COMMENT ON COLUMN analytics.fct_sales.is_return IS 'Whether goods came back; quantity and amounts are negative then';
COMMENT ON COLUMN analytics.fct_sales.quantity IS 'Pieces; negative for returns; null where the source does not say';
COMMENT ON COLUMN analytics.fct_sales.unit_price_amount IS 'Price of one piece; null where the source does not say';
COMMENT ON COLUMN analytics.fct_sales.gross_amount IS 'Amount before discounts; null where unknown';
COMMENT ON COLUMN analytics.fct_sales.discount_amount IS 'Amount of the discounts; null where unknown';
COMMENT ON COLUMN analytics.fct_sales.net_amount IS 'What the line brought in, after discounts; negative for returns';
COMMENT ON COLUMN analytics.fct_sales.cost_amount IS
    'Quantity times the cost of the product at the sale; negative for returns; null where either is unknown, or the '
    'cost is in another currency';
COMMENT ON COLUMN analytics.fct_sales.source_profit_amount IS 'Profit by the source; null where it does not say';
COMMENT ON COLUMN analytics.fct_sales.profit_amount IS
    'Profit by the source, else net_amount less cost_amount; null where both are unknown';
COMMENT ON COLUMN analytics.fct_sales.currency IS
    'Currency of all amounts of the row, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.fct_sales.country IS 'Country of the sale; null where unknown';
COMMENT ON COLUMN analytics.fct_sales.source_system IS 'Dataset the line came from';
COMMENT ON COLUMN analytics.fct_sales.source_file IS
    'Raw file the line came from, relative to the folder of its dataset';
COMMENT ON COLUMN analytics.fct_sales.source_row IS 'Line of the raw file; the header of a text file is line 1';
