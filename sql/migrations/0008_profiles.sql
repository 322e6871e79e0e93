-- What every delivery looked like beside those before it.

CREATE TABLE quality.profiles (
    dataset       text COLLATE "C" NOT NULL,
    delivery_id   text COLLATE "C" NOT NULL,
    landed_at     timestamptz      NOT NULL,
    check_name    text COLLATE "C" NOT NULL,
    column_name   text COLLATE "C" NOT NULL,
    metric        text COLLATE "C" NOT NULL,
    value         double precision NOT NULL,
    expected_low  double precision,
    expected_high double precision,
    is_outside    boolean          NOT NULL,
    is_incident   boolean          NOT NULL,
    accepted_why  text,
    rows          bigint           NOT NULL CHECK (rows >= 0),
    files         bigint           NOT NULL CHECK (files > 0),
    CONSTRAINT profiles_pkey PRIMARY KEY (dataset, delivery_id, column_name, metric),
    CONSTRAINT profiles_band_all_or_none CHECK (num_nulls(expected_low, expected_high) IN (0, 2))
);

CREATE INDEX profiles_trend_idx ON quality.profiles (dataset, column_name, metric, landed_at DESC);

COMMENT ON TABLE quality.profiles IS
    'One row per delivery and figure: what was found, and what was expected from the deliveries before; rows stay';
COMMENT ON COLUMN quality.profiles.dataset IS 'Dataset';
COMMENT ON COLUMN quality.profiles.delivery_id IS 'The files that one run saw as new or changed, as one';
COMMENT ON COLUMN quality.profiles.landed_at IS 'When the platform first read them';
COMMENT ON COLUMN quality.profiles.check_name IS 'Check that the figure belongs to';
COMMENT ON COLUMN quality.profiles.column_name IS 'Column, or event day; empty for the delivery as a whole';
COMMENT ON COLUMN quality.profiles.metric IS
    'rows, files, rows_of_day, missing_share, negative_share, zero_share, distinct_share, new_categories or stability_index';
COMMENT ON COLUMN quality.profiles.value IS 'The figure: a count, a share 0 to 1, or the population stability index';
COMMENT ON COLUMN quality.profiles.expected_low IS 'From where on it is as usual; null while there was too little history';
COMMENT ON COLUMN quality.profiles.expected_high IS 'Up to where it is as usual; null while there was too little history';
COMMENT ON COLUMN quality.profiles.is_outside IS 'Whether it was not as usual';
COMMENT ON COLUMN quality.profiles.is_incident IS
    'Whether later deliveries are not compared with this one: something was not as usual, or the gate was shut';
COMMENT ON COLUMN quality.profiles.accepted_why IS 'Why a person took it for the new normal; null when nobody did';
COMMENT ON COLUMN quality.profiles.rows IS 'Rows of the delivery';
COMMENT ON COLUMN quality.profiles.files IS 'Files of the delivery';
