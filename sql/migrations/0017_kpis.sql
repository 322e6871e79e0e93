-- Key figures: what they mean, what they are, and who comes back.

CREATE TABLE analytics.kpis (
    kpi          text COLLATE "C" NOT NULL,
    title        text NOT NULL,
    definition   text NOT NULL,
    formula      text,
    unit         text NOT NULL,
    direction    text NOT NULL,
    additivity   text NOT NULL,
    low          double precision,
    high         double precision,
    is_available boolean NOT NULL,
    reason       text,
    statement    text,
    CONSTRAINT kpis_pkey PRIMARY KEY (kpi),
    CONSTRAINT kpis_direction_known CHECK (direction IN ('up', 'down', 'none')),
    CONSTRAINT kpis_additivity_known CHECK (additivity IN ('additive', 'distinct', 'ratio', 'none')),
    CONSTRAINT kpis_formula_or_reason CHECK (is_available = (formula IS NOT NULL) AND is_available = (reason IS NULL))
);

COMMENT ON TABLE analytics.kpis IS 'One row per key figure: what it means, or why it cannot be had';
COMMENT ON COLUMN analytics.kpis.kpi IS 'Name of the figure, as kpi_values has it';
COMMENT ON COLUMN analytics.kpis.title IS 'How people call it';
COMMENT ON COLUMN analytics.kpis.definition IS 'What it means and leaves out';
COMMENT ON COLUMN analytics.kpis.formula IS 'What it is made of; null where the data cannot give it';
COMMENT ON COLUMN analytics.kpis.unit IS 'Unit of its values; amounts are in the currency of the row';
COMMENT ON COLUMN analytics.kpis.direction IS 'Where better is: up, down or none';
COMMENT ON COLUMN analytics.kpis.additivity IS
    'Whether parts add up: additive, distinct (things that overlap are counted), ratio, or none';
COMMENT ON COLUMN analytics.kpis.low IS 'No value is lower; null for no bound';
COMMENT ON COLUMN analytics.kpis.high IS 'No value is higher; null for no bound';
COMMENT ON COLUMN analytics.kpis.is_available IS 'Whether the data can give it';
COMMENT ON COLUMN analytics.kpis.reason IS 'Why the data cannot give it';
COMMENT ON COLUMN analytics.kpis.statement IS 'SQL that gives its values by month, on raw files over all; its parameter is as_of';

CREATE TABLE analytics.kpi_values (
    kpi               text COLLATE "C" NOT NULL,
    grain             text COLLATE "C" NOT NULL,
    period_start_date date NOT NULL,
    is_complete       boolean NOT NULL,
    dimension         text COLLATE "C" NOT NULL,
    member            text COLLATE "C" NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    value             double precision,
    numerator         numeric(38, 4),
    denominator       numeric(38, 4),
    reason            text,
    CONSTRAINT kpi_values_pkey PRIMARY KEY (kpi, grain, period_start_date, dimension, member, currency),
    CONSTRAINT kpi_values_grain_known CHECK (grain IN ('day', 'week', 'month', 'quarter', 'all')),
    CONSTRAINT kpi_values_dimension_known CHECK (dimension IN ('total', 'channel', 'category', 'country', 'dataset')),
    CONSTRAINT kpi_values_value_or_reason CHECK ((value IS NULL) = (reason IS NOT NULL))
);

COMMENT ON TABLE analytics.kpi_values IS 'One row per key figure, period, member of a dimension and currency';
COMMENT ON COLUMN analytics.kpi_values.kpi IS 'Name of the figure, see kpis';
COMMENT ON COLUMN analytics.kpi_values.grain IS
    'Length of the period: day, week (from Monday), month, quarter, or all (the whole history)';
COMMENT ON COLUMN analytics.kpi_values.period_start_date IS
    'First day of the period; of the whole history, the day of the first sale';
COMMENT ON COLUMN analytics.kpi_values.is_complete IS
    'Whether the period was over at the end of the day the figures are for; of the day before, where files hold a part of it';
COMMENT ON COLUMN analytics.kpi_values.dimension IS
    'What it is cut by: total, channel, category (at the sale), country (that the sale went to) or, on raw files, dataset';
COMMENT ON COLUMN analytics.kpi_values.member IS 'Which of them: all for the total, unknown where the line names none';
COMMENT ON COLUMN analytics.kpi_values.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added; none where there is no value';
COMMENT ON COLUMN analytics.kpi_values.value IS 'The figure; null where it cannot be said';
COMMENT ON COLUMN analytics.kpi_values.numerator IS 'Exact value of a sum, or of the part above the line';
COMMENT ON COLUMN analytics.kpi_values.denominator IS 'Part below the line; null for sums';
COMMENT ON COLUMN analytics.kpi_values.reason IS 'Why there is no value';

CREATE TABLE analytics.retention_cohorts (
    cohort_month_date date NOT NULL,
    month_number      integer NOT NULL,
    cohort_customers  bigint NOT NULL,
    customers         bigint,
    retention_rate    double precision,
    reason            text,
    CONSTRAINT retention_cohorts_pkey PRIMARY KEY (cohort_month_date, month_number),
    CONSTRAINT retention_cohorts_rate_in_range CHECK (retention_rate BETWEEN 0 AND 1),
    CONSTRAINT retention_cohorts_customers_possible CHECK (customers BETWEEN 0 AND cohort_customers),
    CONSTRAINT retention_cohorts_rate_or_reason CHECK ((retention_rate IS NULL) = (reason IS NOT NULL))
);

COMMENT ON TABLE analytics.retention_cohorts IS 'One row per month of first orders and month since';
COMMENT ON COLUMN analytics.retention_cohorts.cohort_month_date IS 'First day of the month of the first order';
COMMENT ON COLUMN analytics.retention_cohorts.month_number IS 'Months since; 0 is that month';
COMMENT ON COLUMN analytics.retention_cohorts.cohort_customers IS 'Customers whose first order was in that month';
COMMENT ON COLUMN analytics.retention_cohorts.customers IS
    'How many of them ordered in the month; null where it is not over';
COMMENT ON COLUMN analytics.retention_cohorts.retention_rate IS 'Their share';
COMMENT ON COLUMN analytics.retention_cohorts.reason IS 'Why it is not known yet';

CREATE TABLE analytics.second_order (
    days              integer NOT NULL,
    at_risk           bigint NOT NULL,
    second_orders     bigint NOT NULL,
    second_order_rate double precision NOT NULL,
    low_rate          double precision NOT NULL,
    high_rate         double precision NOT NULL,
    CONSTRAINT second_order_pkey PRIMARY KEY (days),
    CONSTRAINT second_order_rates_in_range CHECK (
        second_order_rate BETWEEN 0 AND 1 AND low_rate BETWEEN 0 AND 1 AND high_rate BETWEEN 0 AND 1),
    CONSTRAINT second_order_events_possible CHECK (second_orders <= at_risk)
);

COMMENT ON TABLE analytics.second_order IS 'One row per number of days after which somebody ordered again';
COMMENT ON COLUMN analytics.second_order.days IS 'Days since the first order';
COMMENT ON COLUMN analytics.second_order.at_risk IS
    'Customers who had not ordered again before and were watched so long';
COMMENT ON COLUMN analytics.second_order.second_orders IS 'How many of them ordered again on that day';
COMMENT ON COLUMN analytics.second_order.second_order_rate IS 'Share that has ordered again by then (Kaplan and Meier)';
COMMENT ON COLUMN analytics.second_order.low_rate IS 'Lower end of its 95 % interval';
COMMENT ON COLUMN analytics.second_order.high_rate IS 'Upper end of its 95 % interval';

CREATE TABLE analytics.repeat_rates (
    window_days integer NOT NULL,
    customers   bigint NOT NULL,
    repeaters   bigint NOT NULL,
    repeat_rate double precision,
    low_rate    double precision,
    high_rate   double precision,
    reason      text,
    CONSTRAINT repeat_rates_pkey PRIMARY KEY (window_days),
    CONSTRAINT repeat_rates_rates_in_range CHECK (
        repeat_rate BETWEEN 0 AND 1 AND low_rate BETWEEN 0 AND 1 AND high_rate BETWEEN 0 AND 1),
    CONSTRAINT repeat_rates_repeaters_possible CHECK (repeaters BETWEEN 0 AND customers),
    CONSTRAINT repeat_rates_rate_or_reason CHECK ((repeat_rate IS NULL) = (reason IS NOT NULL))
);

COMMENT ON TABLE analytics.repeat_rates IS 'One row per window: how many customers ordered again within it';
COMMENT ON COLUMN analytics.repeat_rates.window_days IS 'Length of the window from the first order';
COMMENT ON COLUMN analytics.repeat_rates.customers IS 'Customers whose first order is at least so old';
COMMENT ON COLUMN analytics.repeat_rates.repeaters IS 'How many of them ordered again within the window';
COMMENT ON COLUMN analytics.repeat_rates.repeat_rate IS 'Their share';
COMMENT ON COLUMN analytics.repeat_rates.low_rate IS 'Lower end of its 95 % interval (Wilson)';
COMMENT ON COLUMN analytics.repeat_rates.high_rate IS 'Upper end of its 95 % interval';
COMMENT ON COLUMN analytics.repeat_rates.reason IS 'Why there is no rate';
