CREATE VIEW analytics.sales_by_country_month AS
SELECT
    day.month_start_date,
    place.country,
    sale.currency,
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
JOIN warehouse.dim_location AS place USING (location_key)
GROUP BY day.month_start_date, place.country, sale.currency;

COMMENT ON VIEW analytics.sales_by_country_month IS 'Sales of each month by the country they went to';
COMMENT ON COLUMN analytics.sales_by_country_month.month_start_date IS 'First day of the month, UTC';
COMMENT ON COLUMN analytics.sales_by_country_month.country IS 'Country the sale went to; null where unknown';
COMMENT ON COLUMN analytics.sales_by_country_month.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.sales_by_country_month.orders IS
    'Orders placed; an order without a number is one line; returns are none; an order may count in several rows';
COMMENT ON COLUMN analytics.sales_by_country_month.units_sold IS 'Pieces sold; null where no source says';
COMMENT ON COLUMN analytics.sales_by_country_month.units_returned IS 'Pieces that came back; null where no source says';
COMMENT ON COLUMN analytics.sales_by_country_month.gross_sales_amount IS
    'Value of what was sold, before discounts and returns; where the source does not say, net plus discount';
COMMENT ON COLUMN analytics.sales_by_country_month.discounts_amount IS
    'Discounts, as a positive number; 0 where the source knows of none';
COMMENT ON COLUMN analytics.sales_by_country_month.returns_amount IS
    'Value of what came back, as a positive number, in the period it came back in';
COMMENT ON COLUMN analytics.sales_by_country_month.net_sales_amount IS 'Gross sales less discounts less returns';
COMMENT ON COLUMN analytics.sales_by_country_month.cost_amount IS
    'Cost at the sale of what was sold, less that of what came back, where known';
COMMENT ON COLUMN analytics.sales_by_country_month.profit_amount IS
    'Profit by the source, else net sales less cost, where known';
COMMENT ON COLUMN analytics.sales_by_country_month.net_sales_with_profit_amount IS
    'Net sales of the lines whose profit is known: what profit is a share of';
