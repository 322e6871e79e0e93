CREATE VIEW analytics.dim_product AS
SELECT
    product_key,
    product_id,
    valid_from,
    valid_to,
    is_current,
    product_name,
    category,
    sub_category,
    brand,
    price_amount,
    list_price_amount,
    cost_amount,
    price_currency,
    price_tier,
    volume_cm3,
    is_in_catalog,
    is_inferred,
    is_special_member
FROM warehouse.dim_product;

COMMENT ON VIEW analytics.dim_product IS
    'One row per version of a product; a new version begins when the catalogue changes prices, cost, categories '
    'or brand';
COMMENT ON COLUMN analytics.dim_product.product_key IS
    'Surrogate key of the version, which facts point to; -1 is no or an unknown product';
COMMENT ON COLUMN analytics.dim_product.product_id IS 'The product: the id the source systems use, in upper case';
COMMENT ON COLUMN analytics.dim_product.valid_from IS
    'Instant the version began, UTC; the first one of every product began in 1900';
COMMENT ON COLUMN analytics.dim_product.valid_to IS
    'Instant the next version began, UTC; the current one lasts to 9999-12-31';
COMMENT ON COLUMN analytics.dim_product.is_current IS 'Whether it is the version of now';
COMMENT ON COLUMN analytics.dim_product.product_name IS 'Newest known name';
COMMENT ON COLUMN analytics.dim_product.category IS 'Category while the version was valid';
COMMENT ON COLUMN analytics.dim_product.sub_category IS 'Category below category while the version was valid';
COMMENT ON COLUMN analytics.dim_product.brand IS 'Brand while the version was valid';
COMMENT ON COLUMN analytics.dim_product.price_amount IS 'Price by the catalogue while the version was valid';
COMMENT ON COLUMN analytics.dim_product.list_price_amount IS
    'List price by the catalogue, before any reduction, while the version was valid';
COMMENT ON COLUMN analytics.dim_product.cost_amount IS 'Cost of one piece by the catalogue while the version was valid';
COMMENT ON COLUMN analytics.dim_product.price_currency IS
    'Currency of price, list price and cost, ISO 4217, as configured for the catalogue; null where it is in none';
COMMENT ON COLUMN analytics.dim_product.price_tier IS
    'budget, standard, premium or luxury, by quartiles of the catalogue''s prices';
COMMENT ON COLUMN analytics.dim_product.volume_cm3 IS 'Length x width x height, cubic centimetres';
COMMENT ON COLUMN analytics.dim_product.is_in_catalog IS 'Whether the catalogue knows the product';
COMMENT ON COLUMN analytics.dim_product.is_inferred IS 'Whether it is known from sales alone: no catalogue lists it';
COMMENT ON COLUMN analytics.dim_product.is_special_member IS
    'Whether the row stands for a missing product (negative key)';
