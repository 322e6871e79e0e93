CREATE VIEW analytics.sales_by_product AS
SELECT
    now.product_id,
    now.product_name,
    now.category,
    now.sub_category,
    now.brand,
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
JOIN warehouse.dim_product AS sold USING (product_key)
JOIN warehouse.dim_product AS now ON now.product_id = sold.product_id AND now.is_current
GROUP BY now.product_id, now.product_name, now.category, now.sub_category, now.brand, sale.currency;

COMMENT ON VIEW analytics.sales_by_product IS 'Sales of each product over all time, described as it is now';
COMMENT ON COLUMN analytics.sales_by_product.product_id IS 'Product; unknown where the line names none';
COMMENT ON COLUMN analytics.sales_by_product.product_name IS 'Newest known name';
COMMENT ON COLUMN analytics.sales_by_product.category IS 'Category of now';
COMMENT ON COLUMN analytics.sales_by_product.sub_category IS 'Category below category, of now';
COMMENT ON COLUMN analytics.sales_by_product.brand IS 'Brand of now';
COMMENT ON COLUMN analytics.sales_by_product.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.sales_by_product.orders IS
    'Orders that have the product; an order may count in several rows; returns are none';
COMMENT ON COLUMN analytics.sales_by_product.units_sold IS 'Pieces sold; null where no source says';
COMMENT ON COLUMN analytics.sales_by_product.units_returned IS 'Pieces that came back; null where no source says';
COMMENT ON COLUMN analytics.sales_by_product.gross_sales_amount IS
    'Value of what was sold, before discounts and returns; where the source does not say, net plus discount';
COMMENT ON COLUMN analytics.sales_by_product.discounts_amount IS
    'Discounts, as a positive number; 0 where the source knows of none';
COMMENT ON COLUMN analytics.sales_by_product.returns_amount IS
    'Value of what came back, as a positive number, in the period it came back in';
COMMENT ON COLUMN analytics.sales_by_product.net_sales_amount IS 'Gross sales less discounts less returns';
COMMENT ON COLUMN analytics.sales_by_product.cost_amount IS
    'Cost at the sale of what was sold, less that of what came back, where known';
COMMENT ON COLUMN analytics.sales_by_product.profit_amount IS
    'Profit by the source, else net sales less cost, where known';
COMMENT ON COLUMN analytics.sales_by_product.net_sales_with_profit_amount IS
    'Net sales of the lines whose profit is known: what profit is a share of';
