CREATE VIEW analytics.dim_location AS
SELECT
    location_key,
    location_id,
    country,
    region,
    state,
    city,
    is_special_member
FROM warehouse.dim_location;

COMMENT ON VIEW analytics.dim_location IS 'One row per place that sales went to';
COMMENT ON COLUMN analytics.dim_location.location_key IS 'Surrogate key; -1 is no or an unknown place';
COMMENT ON COLUMN analytics.dim_location.location_id IS 'Country, region, state and city as one text';
COMMENT ON COLUMN analytics.dim_location.country IS 'Country';
COMMENT ON COLUMN analytics.dim_location.region IS 'Sales region';
COMMENT ON COLUMN analytics.dim_location.state IS 'State or province';
COMMENT ON COLUMN analytics.dim_location.city IS 'City';
COMMENT ON COLUMN analytics.dim_location.is_special_member IS
    'Whether the row stands for a missing place (negative key)';
