-- Dimensions. Surrogate keys are given once per natural key and never change; -1 stands for "unknown".
-- Natural keys compare byte by byte (COLLATE "C"): the same everywhere, and fast.

CREATE TABLE warehouse.dim_customer (
    customer_key      bigint GENERATED ALWAYS AS IDENTITY,
    customer_id       text COLLATE "C" NOT NULL,
    customer_name     text,
    segment           text,
    country           text,
    region            text,
    state             text,
    city              text,
    first_order_date  date,
    last_order_date   date,
    source_systems    text,
    is_special_member boolean GENERATED ALWAYS AS (customer_key < 0) STORED,
    CONSTRAINT dim_customer_pkey PRIMARY KEY (customer_key),
    CONSTRAINT dim_customer_customer_id_key UNIQUE (customer_id)
);

INSERT INTO warehouse.dim_customer (customer_key, customer_id, customer_name) OVERRIDING SYSTEM VALUE
VALUES (-1, 'unknown', 'Guest or unknown');

COMMENT ON TABLE warehouse.dim_customer IS 'One row per customer of any dataset';
COMMENT ON COLUMN warehouse.dim_customer.customer_key IS 'Surrogate key, stable per customer_id; -1 is a guest or an unknown customer';
COMMENT ON COLUMN warehouse.dim_customer.customer_id IS 'Natural key: the id the source systems use';
COMMENT ON COLUMN warehouse.dim_customer.customer_name IS 'Name, null where no source knows it';
COMMENT ON COLUMN warehouse.dim_customer.segment IS 'Segment by the source, for example Consumer or Corporate';
COMMENT ON COLUMN warehouse.dim_customer.country IS 'Country';
COMMENT ON COLUMN warehouse.dim_customer.region IS 'Sales region';
COMMENT ON COLUMN warehouse.dim_customer.state IS 'State or province';
COMMENT ON COLUMN warehouse.dim_customer.city IS 'City';
COMMENT ON COLUMN warehouse.dim_customer.first_order_date IS 'Day of the first order, UTC';
COMMENT ON COLUMN warehouse.dim_customer.last_order_date IS 'Day of the latest order, UTC';
COMMENT ON COLUMN warehouse.dim_customer.source_systems IS 'Datasets the customer occurs in, sorted, separated by commas';
COMMENT ON COLUMN warehouse.dim_customer.is_special_member IS 'Whether the row stands for a missing customer (negative key)';

CREATE TABLE warehouse.dim_product (
    product_key       bigint GENERATED ALWAYS AS IDENTITY,
    product_id        text COLLATE "C" NOT NULL,
    product_name      text,
    category          text,
    sub_category      text,
    brand             text,
    price_amount      numeric(18, 4),
    list_price_amount numeric(18, 4),
    cost_amount       numeric(18, 4),
    price_tier        text,
    volume_cm3        double precision,
    is_in_catalog     boolean NOT NULL DEFAULT false,
    is_special_member boolean GENERATED ALWAYS AS (product_key < 0) STORED,
    CONSTRAINT dim_product_pkey PRIMARY KEY (product_key),
    CONSTRAINT dim_product_product_id_key UNIQUE (product_id)
);

INSERT INTO warehouse.dim_product (product_key, product_id, product_name) OVERRIDING SYSTEM VALUE
VALUES (-1, 'unknown', 'No or unknown product');

COMMENT ON TABLE warehouse.dim_product IS 'One row per product of the catalogue or of any sale';
COMMENT ON COLUMN warehouse.dim_product.product_key IS 'Surrogate key, stable per product_id; -1 is no or an unknown product';
COMMENT ON COLUMN warehouse.dim_product.product_id IS 'Natural key: the id the source systems use, in upper case';
COMMENT ON COLUMN warehouse.dim_product.product_name IS 'Name, the catalogue''s before that of the sales';
COMMENT ON COLUMN warehouse.dim_product.category IS 'Category';
COMMENT ON COLUMN warehouse.dim_product.sub_category IS 'Category below category';
COMMENT ON COLUMN warehouse.dim_product.brand IS 'Brand';
COMMENT ON COLUMN warehouse.dim_product.price_amount IS 'Price by the catalogue';
COMMENT ON COLUMN warehouse.dim_product.list_price_amount IS 'List price by the catalogue, before any reduction';
COMMENT ON COLUMN warehouse.dim_product.cost_amount IS 'Cost by the catalogue';
COMMENT ON COLUMN warehouse.dim_product.price_tier IS 'budget, standard, premium or luxury, by quartiles of the catalogue''s prices';
COMMENT ON COLUMN warehouse.dim_product.volume_cm3 IS 'Length x width x height, cubic centimetres';
COMMENT ON COLUMN warehouse.dim_product.is_in_catalog IS 'Whether the catalogue knows the product';
COMMENT ON COLUMN warehouse.dim_product.is_special_member IS 'Whether the row stands for a missing product (negative key)';

CREATE TABLE warehouse.dim_channel (
    channel_key       bigint GENERATED ALWAYS AS IDENTITY,
    channel           text COLLATE "C" NOT NULL,
    is_special_member boolean GENERATED ALWAYS AS (channel_key < 0) STORED,
    CONSTRAINT dim_channel_pkey PRIMARY KEY (channel_key),
    CONSTRAINT dim_channel_channel_key UNIQUE (channel)
);

INSERT INTO warehouse.dim_channel (channel_key, channel) OVERRIDING SYSTEM VALUE VALUES (-1, 'unknown');

COMMENT ON TABLE warehouse.dim_channel IS 'One row per sales channel';
COMMENT ON COLUMN warehouse.dim_channel.channel_key IS 'Surrogate key, stable per channel; -1 is an unknown channel';
COMMENT ON COLUMN warehouse.dim_channel.channel IS 'Natural key: Online, Store, Mobile, Call Center, Catalog ...';
COMMENT ON COLUMN warehouse.dim_channel.is_special_member IS 'Whether the row stands for a missing channel (negative key)';

CREATE TABLE warehouse.dim_date (
    date_key           integer  NOT NULL,
    date               date,
    year               smallint,
    quarter            smallint,
    month              smallint,
    month_name         text,
    day                smallint,
    day_of_year        smallint,
    iso_year           smallint,
    iso_week           smallint,
    weekday            smallint,
    weekday_name       text,
    is_weekend         boolean,
    month_start_date   date,
    quarter_start_date date,
    is_special_member  boolean GENERATED ALWAYS AS (date_key < 0) STORED,
    CONSTRAINT dim_date_pkey PRIMARY KEY (date_key),
    CONSTRAINT dim_date_date_key UNIQUE (date)
);

INSERT INTO warehouse.dim_date (date_key) VALUES (-1);

COMMENT ON TABLE warehouse.dim_date IS 'One row per calendar day of the span of the data';
COMMENT ON COLUMN warehouse.dim_date.date_key IS 'The day as the number yyyymmdd; -1 is an unknown day';
COMMENT ON COLUMN warehouse.dim_date.date IS 'The day, null for the unknown one';
COMMENT ON COLUMN warehouse.dim_date.year IS 'Calendar year';
COMMENT ON COLUMN warehouse.dim_date.quarter IS 'Quarter of the year, 1 to 4';
COMMENT ON COLUMN warehouse.dim_date.month IS 'Month of the year, 1 to 12';
COMMENT ON COLUMN warehouse.dim_date.month_name IS 'English name of the month';
COMMENT ON COLUMN warehouse.dim_date.day IS 'Day of the month, 1 to 31';
COMMENT ON COLUMN warehouse.dim_date.day_of_year IS 'Day of the year, 1 to 366';
COMMENT ON COLUMN warehouse.dim_date.iso_year IS 'Year the ISO 8601 week belongs to';
COMMENT ON COLUMN warehouse.dim_date.iso_week IS 'ISO 8601 week, 1 to 53';
COMMENT ON COLUMN warehouse.dim_date.weekday IS 'Day of the week, 1 is Monday, 7 is Sunday';
COMMENT ON COLUMN warehouse.dim_date.weekday_name IS 'English name of the day of the week';
COMMENT ON COLUMN warehouse.dim_date.is_weekend IS 'Whether it is a Saturday or a Sunday';
COMMENT ON COLUMN warehouse.dim_date.month_start_date IS 'First day of its month';
COMMENT ON COLUMN warehouse.dim_date.quarter_start_date IS 'First day of its quarter';
COMMENT ON COLUMN warehouse.dim_date.is_special_member IS 'Whether the row stands for a missing day (negative key)';

-- Names of months and days come from arrays: to_char would follow the locale of the session.
CREATE FUNCTION warehouse.fill_dates(first_date date, last_date date) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog
AS $$
    WITH days AS (
        SELECT (first_date + offset_days) AS day
        FROM generate_series(0, last_date - first_date) AS offset_days
    ), inserted AS (
        INSERT INTO warehouse.dim_date (
            date_key, date, year, quarter, month, month_name, day, day_of_year, iso_year, iso_week,
            weekday, weekday_name, is_weekend, month_start_date, quarter_start_date
        )
        SELECT
            extract(year FROM day) * 10000 + extract(month FROM day) * 100 + extract(day FROM day),
            day,
            extract(year FROM day),
            extract(quarter FROM day),
            extract(month FROM day),
            (ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
                   'October', 'November', 'December'])[extract(month FROM day)::int],
            extract(day FROM day),
            extract(doy FROM day),
            extract(isoyear FROM day),
            extract(week FROM day),
            extract(isodow FROM day),
            (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday',
                   'Sunday'])[extract(isodow FROM day)::int],
            extract(isodow FROM day) >= 6,
            date_trunc('month', day::timestamp)::date,
            date_trunc('quarter', day::timestamp)::date
        FROM days
        WHERE NOT EXISTS (SELECT FROM warehouse.dim_date AS known WHERE known.date = days.day)
        ORDER BY day
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT count(*) FROM inserted
$$;

COMMENT ON FUNCTION warehouse.fill_dates(date, date) IS
    'Adds the days from first_date to last_date, both included, that dim_date lacks; returns how many';
