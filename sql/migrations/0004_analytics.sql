-- RFM: recency, frequency, monetary value.

CREATE TABLE analytics.rfm_scores (
    customer_key    bigint         NOT NULL,
    customer_id     text COLLATE "C" NOT NULL,
    as_of_date      date           NOT NULL,
    last_order_date date           NOT NULL,
    days_since_last integer        NOT NULL,
    frequency       bigint         NOT NULL,
    monetary_amount numeric(18, 4) NOT NULL,
    recency_score   smallint       NOT NULL CHECK (recency_score BETWEEN 1 AND 5),
    frequency_score smallint       NOT NULL CHECK (frequency_score BETWEEN 1 AND 5),
    monetary_score  smallint       NOT NULL CHECK (monetary_score BETWEEN 1 AND 5),
    rfm_cell        text           NOT NULL,
    segment         text           NOT NULL,
    CONSTRAINT rfm_scores_pkey PRIMARY KEY (customer_id),
    CONSTRAINT rfm_scores_customer_key_key UNIQUE (customer_key),
    CONSTRAINT rfm_scores_customer_fkey FOREIGN KEY (customer_key) REFERENCES warehouse.dim_customer (customer_key)
);

COMMENT ON TABLE analytics.rfm_scores IS 'Recency, frequency and monetary value of each customer, scored 1 to 5 (5 is best)';
COMMENT ON COLUMN analytics.rfm_scores.customer_key IS 'Surrogate key of the customer';
COMMENT ON COLUMN analytics.rfm_scores.customer_id IS 'Natural key of the customer';
COMMENT ON COLUMN analytics.rfm_scores.as_of_date IS 'Day the scores are computed for';
COMMENT ON COLUMN analytics.rfm_scores.last_order_date IS 'Day of the latest order up to as_of_date';
COMMENT ON COLUMN analytics.rfm_scores.days_since_last IS 'Days from last_order_date to as_of_date';
COMMENT ON COLUMN analytics.rfm_scores.frequency IS 'Orders in the window, the first included';
COMMENT ON COLUMN analytics.rfm_scores.monetary_amount IS 'Net revenue in the window';
COMMENT ON COLUMN analytics.rfm_scores.recency_score IS '5 for the most recent fifth';
COMMENT ON COLUMN analytics.rfm_scores.frequency_score IS '5 for the most frequent fifth';
COMMENT ON COLUMN analytics.rfm_scores.monetary_score IS '5 for the fifth that spends most';
COMMENT ON COLUMN analytics.rfm_scores.rfm_cell IS 'The three scores as text, for example 543';
COMMENT ON COLUMN analytics.rfm_scores.segment IS 'Name of the segment the cell belongs to';

CREATE TABLE analytics.rfm_segments (
    segment             text COLLATE "C" NOT NULL,
    customers           bigint         NOT NULL,
    customer_share      double precision,
    revenue_amount      numeric(18, 4) NOT NULL,
    revenue_share       double precision,
    avg_days_since_last double precision,
    avg_frequency       double precision,
    avg_monetary_amount numeric(18, 4),
    CONSTRAINT rfm_segments_pkey PRIMARY KEY (segment)
);

COMMENT ON TABLE analytics.rfm_segments IS 'The customer segments, summed up';
COMMENT ON COLUMN analytics.rfm_segments.segment IS 'Name of the segment';
COMMENT ON COLUMN analytics.rfm_segments.customers IS 'Customers in it';
COMMENT ON COLUMN analytics.rfm_segments.customer_share IS 'Share of all scored customers, 0 to 1';
COMMENT ON COLUMN analytics.rfm_segments.revenue_amount IS 'Their net revenue in the window';
COMMENT ON COLUMN analytics.rfm_segments.revenue_share IS 'Share of the net revenue of all scored customers';
COMMENT ON COLUMN analytics.rfm_segments.avg_days_since_last IS 'Mean days since the latest order';
COMMENT ON COLUMN analytics.rfm_segments.avg_frequency IS 'Mean number of orders';
COMMENT ON COLUMN analytics.rfm_segments.avg_monetary_amount IS 'Mean net revenue per customer';
