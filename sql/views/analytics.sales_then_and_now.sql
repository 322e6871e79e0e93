CREATE VIEW analytics.sales_then_and_now AS
SELECT
    day.date,
    sale.sold_at,
    sale.order_id,
    buyer.customer_pseudonym,
    sold.product_id,
    product_now.product_name,
    channel.channel,
    place.country AS ship_country,
    sale.is_return,
    buyer.segment AS segment_at_sale,
    buyer_now.segment AS segment_now,
    buyer.country AS country_at_sale,
    buyer_now.country AS country_now,
    sold.category AS category_at_sale,
    product_now.category AS category_now,
    sold.cost_amount AS unit_cost_at_sale_amount,
    product_now.cost_amount AS unit_cost_now_amount,
    sold.price_currency AS unit_cost_currency,
    sale.currency,
    sale.units_sold,
    sale.units_returned,
    sale.gross_sales_amount,
    sale.discounts_amount,
    sale.returns_amount,
    sale.net_sales_amount,
    sale.cost_amount,
    sale.profit_amount,
    sale.source_system,
    sale.source_file,
    sale.source_row
FROM warehouse.sales_measures AS sale
JOIN warehouse.dim_date AS day USING (date_key)
JOIN warehouse.dim_channel AS channel USING (channel_key)
JOIN warehouse.dim_location AS place USING (location_key)
JOIN warehouse.dim_customer AS buyer USING (customer_key)
JOIN warehouse.dim_customer AS buyer_now ON buyer_now.customer_id = buyer.customer_id AND buyer_now.is_current
JOIN warehouse.dim_product AS sold USING (product_key)
JOIN warehouse.dim_product AS product_now ON product_now.product_id = sold.product_id AND product_now.is_current;

COMMENT ON VIEW analytics.sales_then_and_now IS
    'One row per sale line: what was true of its customer and product at the sale, and what is true now';
COMMENT ON COLUMN analytics.sales_then_and_now.date IS 'Day of the sale, UTC';
COMMENT ON COLUMN analytics.sales_then_and_now.sold_at IS
    'Instant of the sale, UTC; midnight where the source has days only';
COMMENT ON COLUMN analytics.sales_then_and_now.order_id IS
    'Order or invoice the line belongs to; null where the source has none';
COMMENT ON COLUMN analytics.sales_then_and_now.customer_pseudonym IS
    'The customer, as in dim_customer; unknown for guests';
COMMENT ON COLUMN analytics.sales_then_and_now.product_id IS 'Product; unknown where the line names none';
COMMENT ON COLUMN analytics.sales_then_and_now.product_name IS 'Newest known name of the product';
COMMENT ON COLUMN analytics.sales_then_and_now.channel IS 'Sales channel';
COMMENT ON COLUMN analytics.sales_then_and_now.ship_country IS 'Country the sale went to; null where unknown';
COMMENT ON COLUMN analytics.sales_then_and_now.is_return IS 'Whether goods came back';
COMMENT ON COLUMN analytics.sales_then_and_now.segment_at_sale IS 'Segment of the customer at the sale';
COMMENT ON COLUMN analytics.sales_then_and_now.segment_now IS 'Segment of the customer now';
COMMENT ON COLUMN analytics.sales_then_and_now.country_at_sale IS 'Country of the customer at the sale';
COMMENT ON COLUMN analytics.sales_then_and_now.country_now IS 'Country of the customer now';
COMMENT ON COLUMN analytics.sales_then_and_now.category_at_sale IS 'Category of the product at the sale';
COMMENT ON COLUMN analytics.sales_then_and_now.category_now IS 'Category of the product now';
COMMENT ON COLUMN analytics.sales_then_and_now.unit_cost_at_sale_amount IS
    'Cost of one piece by the catalogue at the sale';
COMMENT ON COLUMN analytics.sales_then_and_now.unit_cost_now_amount IS 'Cost of one piece by the catalogue now';
COMMENT ON COLUMN analytics.sales_then_and_now.unit_cost_currency IS
    'Currency of these two, ISO 4217; null where the catalogue does not know the product';
COMMENT ON COLUMN analytics.sales_then_and_now.currency IS
    'Currency of all other amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.sales_then_and_now.units_sold IS
    'Pieces sold; null for returns and where the source does not say';
COMMENT ON COLUMN analytics.sales_then_and_now.units_returned IS
    'Pieces that came back, as a positive number; null for sales and where the source does not say';
COMMENT ON COLUMN analytics.sales_then_and_now.gross_sales_amount IS
    'Value of what was sold, before discounts; where the source does not say, net plus discount';
COMMENT ON COLUMN analytics.sales_then_and_now.discounts_amount IS
    'Discounts, as a positive number; 0 where the source knows of none';
COMMENT ON COLUMN analytics.sales_then_and_now.returns_amount IS 'Value of what came back, as a positive number';
COMMENT ON COLUMN analytics.sales_then_and_now.net_sales_amount IS 'Gross sales less discounts less returns';
COMMENT ON COLUMN analytics.sales_then_and_now.cost_amount IS
    'Pieces times their cost at the sale; negative for returns; null where unknown or in another currency';
COMMENT ON COLUMN analytics.sales_then_and_now.profit_amount IS
    'Profit by the source, else net sales less cost; null where both are unknown';
COMMENT ON COLUMN analytics.sales_then_and_now.source_system IS 'Dataset the line came from';
COMMENT ON COLUMN analytics.sales_then_and_now.source_file IS
    'Raw file the line came from, relative to the folder of its dataset';
COMMENT ON COLUMN analytics.sales_then_and_now.source_row IS
    'Line of the raw file; the header of a text file is line 1';
