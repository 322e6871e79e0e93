CREATE VIEW analytics.customer_summary AS
SELECT
    now.customer_pseudonym,
    sale.currency,
    now.segment,
    now.country,
    min(day.date) FILTER (WHERE NOT sale.is_return) AS first_order_date,
    max(day.date) FILTER (WHERE NOT sale.is_return) AS last_order_date,
    count(DISTINCT sale.order_ref) AS orders,
    sum(sale.units_sold)::bigint AS units_sold,
    sum(sale.units_returned)::bigint AS units_returned,
    sum(sale.gross_sales_amount)::numeric(38, 4) AS gross_sales_amount,
    sum(sale.discounts_amount)::numeric(38, 4) AS discounts_amount,
    sum(sale.returns_amount)::numeric(38, 4) AS returns_amount,
    sum(sale.net_sales_amount)::numeric(38, 4) AS net_sales_amount,
    sum(sale.cost_amount)::numeric(38, 4) AS cost_amount,
    sum(sale.profit_amount)::numeric(38, 4) AS profit_amount,
    sum(sale.net_sales_with_profit_amount)::numeric(38, 4) AS net_sales_with_profit_amount
FROM warehouse.sales_measures AS sale
JOIN warehouse.dim_date AS day USING (date_key)
JOIN warehouse.dim_customer AS buyer USING (customer_key)
JOIN warehouse.dim_customer AS now ON now.customer_id = buyer.customer_id AND now.is_current
WHERE NOT now.is_special_member
GROUP BY now.customer_pseudonym, sale.currency, now.segment, now.country;

COMMENT ON VIEW analytics.customer_summary IS
    'One row per customer and currency: what they bought over all time; guests are not among them';
COMMENT ON COLUMN analytics.customer_summary.customer_pseudonym IS 'The customer, as in dim_customer and rfm_scores';
COMMENT ON COLUMN analytics.customer_summary.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.customer_summary.segment IS 'Segment of now; null where unknown';
COMMENT ON COLUMN analytics.customer_summary.country IS 'Country of now; null where unknown';
COMMENT ON COLUMN analytics.customer_summary.first_order_date IS
    'Day of the first order, UTC; null where there are returns only';
COMMENT ON COLUMN analytics.customer_summary.last_order_date IS
    'Day of the latest order, UTC; null where there are returns only';
COMMENT ON COLUMN analytics.customer_summary.orders IS
    'Orders placed; an order without a number is one line; returns are none';
COMMENT ON COLUMN analytics.customer_summary.units_sold IS 'Pieces sold; null where no source says';
COMMENT ON COLUMN analytics.customer_summary.units_returned IS 'Pieces that came back; null where no source says';
COMMENT ON COLUMN analytics.customer_summary.gross_sales_amount IS
    'Value of what was sold, before discounts and returns; where the source does not say, net plus discount';
COMMENT ON COLUMN analytics.customer_summary.discounts_amount IS
    'Discounts, as a positive number; 0 where the source knows of none';
COMMENT ON COLUMN analytics.customer_summary.returns_amount IS
    'Value of what came back, as a positive number, in the period it came back in';
COMMENT ON COLUMN analytics.customer_summary.net_sales_amount IS 'Gross sales less discounts less returns';
COMMENT ON COLUMN analytics.customer_summary.cost_amount IS
    'Cost at the sale of what was sold, less that of what came back, where known';
COMMENT ON COLUMN analytics.customer_summary.profit_amount IS
    'Profit by the source, else net sales less cost, where known';
COMMENT ON COLUMN analytics.customer_summary.net_sales_with_profit_amount IS
    'Net sales of the lines whose profit is known: what profit is a share of';
