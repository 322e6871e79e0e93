CREATE VIEW analytics.dim_channel AS
SELECT
    channel_key,
    channel,
    is_special_member
FROM warehouse.dim_channel;

COMMENT ON VIEW analytics.dim_channel IS 'One row per sales channel';
COMMENT ON COLUMN analytics.dim_channel.channel_key IS 'Surrogate key; -1 is an unknown channel';
COMMENT ON COLUMN analytics.dim_channel.channel IS 'Online, Store, Mobile, Call Center, Catalog ...';
COMMENT ON COLUMN analytics.dim_channel.is_special_member IS
    'Whether the row stands for a missing channel (negative key)';
