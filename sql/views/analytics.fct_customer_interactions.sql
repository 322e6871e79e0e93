CREATE VIEW analytics.fct_customer_interactions AS
SELECT
    customer_key,
    channel_key,
    date_key,
    interacted_at,
    amount,
    items,
    avg_item_price_amount,
    currency,
    source_system,
    source_file,
    source_row
FROM warehouse.fct_customer_interactions;

COMMENT ON VIEW analytics.fct_customer_interactions IS
    'One row per purchase of a customer in a channel; the same money as in fct_sales, so do not add the two up';
COMMENT ON COLUMN analytics.fct_customer_interactions.customer_key IS 'Version of the customer that was valid then';
COMMENT ON COLUMN analytics.fct_customer_interactions.channel_key IS 'Channel';
COMMENT ON COLUMN analytics.fct_customer_interactions.date_key IS 'Day of the purchase, UTC, as yyyymmdd';
COMMENT ON COLUMN analytics.fct_customer_interactions.interacted_at IS
    'Instant of the purchase, UTC; midnight where the source has days only';
COMMENT ON COLUMN analytics.fct_customer_interactions.amount IS 'Money of the purchase';
COMMENT ON COLUMN analytics.fct_customer_interactions.items IS 'Pieces; null where the source does not say';
COMMENT ON COLUMN analytics.fct_customer_interactions.avg_item_price_amount IS
    'Money per piece as the source has it, rounded to cents; null where it does not say';
COMMENT ON COLUMN analytics.fct_customer_interactions.currency IS
    'Currency of all amounts of the row, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.fct_customer_interactions.source_system IS 'Dataset the row came from';
COMMENT ON COLUMN analytics.fct_customer_interactions.source_file IS
    'Raw file the row came from, relative to the folder of its dataset';
COMMENT ON COLUMN analytics.fct_customer_interactions.source_row IS
    'Line of the raw file; the header of a text file is line 1';
