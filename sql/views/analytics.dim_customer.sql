CREATE VIEW analytics.dim_customer AS
SELECT
    customer_key,
    customer_pseudonym,
    valid_from,
    valid_to,
    is_current,
    segment,
    country,
    region,
    state,
    city,
    first_order_date,
    last_order_date,
    source_systems,
    is_inferred,
    is_special_member
FROM warehouse.dim_customer;

COMMENT ON VIEW analytics.dim_customer IS
    'One row per version of a customer; a new version begins when the segment or country changes';
COMMENT ON COLUMN analytics.dim_customer.customer_key IS
    'Surrogate key of the version, which facts point to; -1 is a guest or an unknown customer';
COMMENT ON COLUMN analytics.dim_customer.customer_pseudonym IS
    'The customer: the same in all versions and marts, and says nothing about who it is';
COMMENT ON COLUMN analytics.dim_customer.valid_from IS
    'Instant the version began, UTC; the first one of every customer began in 1900';
COMMENT ON COLUMN analytics.dim_customer.valid_to IS
    'Instant the next version began, UTC; the current one lasts to 9999-12-31';
COMMENT ON COLUMN analytics.dim_customer.is_current IS 'Whether it is the version of now';
COMMENT ON COLUMN analytics.dim_customer.segment IS 'Segment by the source while the version was valid';
COMMENT ON COLUMN analytics.dim_customer.country IS 'Country while the version was valid';
COMMENT ON COLUMN analytics.dim_customer.region IS 'Sales region of the newest sale that names one';
COMMENT ON COLUMN analytics.dim_customer.state IS 'State or province of the newest sale that names one';
COMMENT ON COLUMN analytics.dim_customer.city IS 'City of the newest sale that names one';
COMMENT ON COLUMN analytics.dim_customer.first_order_date IS 'Day of the first order, UTC';
COMMENT ON COLUMN analytics.dim_customer.last_order_date IS 'Day of the latest order, UTC';
COMMENT ON COLUMN analytics.dim_customer.source_systems IS
    'Datasets the customer occurs in, sorted, separated by commas';
COMMENT ON COLUMN analytics.dim_customer.is_inferred IS 'Whether nothing but the id is known';
COMMENT ON COLUMN analytics.dim_customer.is_special_member IS
    'Whether the row stands for a missing customer (negative key)';
