-- The fact table: one row per loaded sale line, identified by where it came from.
-- Columns of fixed width stand first: rows are smaller and quicker to read that way.

CREATE TABLE warehouse.fct_sales (
    customer_key      bigint         NOT NULL,
    product_key       bigint         NOT NULL,
    channel_key       bigint         NOT NULL,
    source_row        bigint         NOT NULL,
    sold_at           timestamptz    NOT NULL,
    date_key          integer        NOT NULL,
    is_return         boolean        NOT NULL,
    source_system     text COLLATE "C" NOT NULL,
    source_file       text COLLATE "C" NOT NULL,
    net_amount        numeric(18, 4) NOT NULL,
    quantity          bigint,
    order_id          text COLLATE "C",
    unit_price_amount numeric(18, 4),
    gross_amount      numeric(18, 4),
    discount_amount   numeric(18, 4),
    profit_amount     numeric(18, 4),
    country           text,
    CONSTRAINT fct_sales_pkey PRIMARY KEY (source_system, source_file, source_row),
    CONSTRAINT fct_sales_date_fkey FOREIGN KEY (date_key) REFERENCES warehouse.dim_date (date_key),
    CONSTRAINT fct_sales_customer_fkey FOREIGN KEY (customer_key) REFERENCES warehouse.dim_customer (customer_key),
    CONSTRAINT fct_sales_product_fkey FOREIGN KEY (product_key) REFERENCES warehouse.dim_product (product_key),
    CONSTRAINT fct_sales_channel_fkey FOREIGN KEY (channel_key) REFERENCES warehouse.dim_channel (channel_key)
);

-- A customer's or product's history, and the check that a deleted member has no sales left.
CREATE INDEX fct_sales_customer_key_idx ON warehouse.fct_sales (customer_key);
CREATE INDEX fct_sales_product_key_idx ON warehouse.fct_sales (product_key);
-- Spans of time: files arrive in the order of time, so an index of a few pages is enough.
CREATE INDEX fct_sales_sold_at_idx ON warehouse.fct_sales USING brin (sold_at);
CREATE INDEX fct_sales_date_key_idx ON warehouse.fct_sales USING brin (date_key);

COMMENT ON TABLE warehouse.fct_sales IS 'One row per sale line of any dataset; returns are lines of their own';
COMMENT ON COLUMN warehouse.fct_sales.customer_key IS 'Customer; -1 for guests';
COMMENT ON COLUMN warehouse.fct_sales.product_key IS 'Product; -1 where the line names none';
COMMENT ON COLUMN warehouse.fct_sales.channel_key IS 'Sales channel';
COMMENT ON COLUMN warehouse.fct_sales.source_row IS 'Line of the raw file; the header of a text file is line 1';
COMMENT ON COLUMN warehouse.fct_sales.sold_at IS 'Instant of the sale, UTC; midnight where the source has days only';
COMMENT ON COLUMN warehouse.fct_sales.date_key IS 'Day of the sale, UTC, as yyyymmdd';
COMMENT ON COLUMN warehouse.fct_sales.is_return IS 'Whether goods came back; quantity and amounts are negative then';
COMMENT ON COLUMN warehouse.fct_sales.source_system IS 'Dataset the line came from';
COMMENT ON COLUMN warehouse.fct_sales.source_file IS 'Raw file the line came from, relative to the folder of its dataset';
COMMENT ON COLUMN warehouse.fct_sales.net_amount IS 'What the line brought in, after discounts; negative for returns';
COMMENT ON COLUMN warehouse.fct_sales.quantity IS 'Pieces; negative for returns; null where the source does not say';
COMMENT ON COLUMN warehouse.fct_sales.order_id IS 'Order or invoice the line belongs to; null where the source has none';
COMMENT ON COLUMN warehouse.fct_sales.unit_price_amount IS 'Price of one piece; null where the source does not say';
COMMENT ON COLUMN warehouse.fct_sales.gross_amount IS 'Amount before discounts; null where unknown';
COMMENT ON COLUMN warehouse.fct_sales.discount_amount IS 'Amount of the discounts; null where unknown';
COMMENT ON COLUMN warehouse.fct_sales.profit_amount IS 'Profit; null where unknown';
COMMENT ON COLUMN warehouse.fct_sales.country IS 'Country of the sale; null where unknown';
