-- Customers: what changed since the run before, what they will bring, who may leave, what to do, and all of it in one row.

-- Known customers who never ordered are prospects: they have no date, no scores and no cell. The next run loads them.
ALTER TABLE analytics.rfm_scores
    ALTER COLUMN last_order_date DROP NOT NULL,
    ALTER COLUMN days_since_last DROP NOT NULL,
    ALTER COLUMN recency_score DROP NOT NULL,
    ALTER COLUMN frequency_score DROP NOT NULL,
    ALTER COLUMN monetary_score DROP NOT NULL,
    ALTER COLUMN rfm_cell DROP NOT NULL,
    ADD CONSTRAINT rfm_scores_all_or_none CHECK (
        num_nulls(last_order_date, days_since_last, recency_score, frequency_score, monetary_score, rfm_cell)
            = CASE WHEN segment = 'Prospects' THEN 6 ELSE 0 END
    );

COMMENT ON TABLE analytics.rfm_scores IS
    'Recency, frequency and monetary value of each customer in the main currency, scored 1 to 5 (5 is best)';
COMMENT ON COLUMN analytics.rfm_scores.last_order_date IS 'Day of the latest order up to as_of_date; null for prospects';
COMMENT ON COLUMN analytics.rfm_scores.rfm_cell IS 'The three scores as text, for example 543; null for prospects';
COMMENT ON COLUMN analytics.rfm_scores.segment IS 'Name of the segment the cell belongs to, or Prospects, who never ordered in that currency';
COMMENT ON COLUMN analytics.rfm_segments.customer_share IS
    'Share of all customers who ordered, 0 to 1; null for prospects, who have not';

CREATE TABLE analytics.rfm_migration (
    before_date   date,
    after_date    date NOT NULL,
    from_segment  text COLLATE "C" NOT NULL,
    to_segment    text COLLATE "C" NOT NULL,
    move          text NOT NULL,
    customers     bigint NOT NULL,
    from_rate     double precision NOT NULL,
    before_amount numeric(18, 4) NOT NULL,
    after_amount  numeric(18, 4) NOT NULL,
    CONSTRAINT rfm_migration_pkey PRIMARY KEY (from_segment, to_segment),
    CHECK (from_rate BETWEEN 0 AND 1),
    CHECK (customers > 0)
);

COMMENT ON TABLE analytics.rfm_migration IS
    'One row per pair of segments that customers were in at the run before and are in now';
COMMENT ON COLUMN analytics.rfm_migration.before_date IS
    'Day the run before was computed for; null where there was none';
COMMENT ON COLUMN analytics.rfm_migration.after_date IS 'Day the latest run was computed for';
COMMENT ON COLUMN analytics.rfm_migration.from_segment IS
    'Segment at the run before; (not known) for customers it did not know';
COMMENT ON COLUMN analytics.rfm_migration.to_segment IS 'Segment now; (not known) for customers who are gone';
COMMENT ON COLUMN analytics.rfm_migration.move IS 'same, up (to a better segment), down, new or gone';
COMMENT ON COLUMN analytics.rfm_migration.customers IS 'How many';
COMMENT ON COLUMN analytics.rfm_migration.from_rate IS 'Share of those who were in from_segment, 0 to 1';
COMMENT ON COLUMN analytics.rfm_migration.before_amount IS 'Their net revenue in the window of the run before';
COMMENT ON COLUMN analytics.rfm_migration.after_amount IS 'Their net revenue in the window of now';

CREATE TABLE analytics.rfm_stability (
    before_date        date,
    after_date         date NOT NULL,
    measure            text COLLATE "C" NOT NULL,
    customers_before   bigint NOT NULL,
    customers_after    bigint NOT NULL,
    stability_index    double precision,
    expected_by_chance double precision,
    p_value            double precision,
    verdict            text NOT NULL,
    reason             text,
    CONSTRAINT rfm_stability_pkey PRIMARY KEY (measure),
    CHECK (p_value BETWEEN 0 AND 1)
);

COMMENT ON TABLE analytics.rfm_stability IS
    'Whether the shares of the segments and of each score moved since the run before, both scored by its edges';
COMMENT ON COLUMN analytics.rfm_stability.before_date IS
    'Day the run before was computed for; null where there was none';
COMMENT ON COLUMN analytics.rfm_stability.after_date IS 'Day the latest run was computed for';
COMMENT ON COLUMN analytics.rfm_stability.measure IS 'segment, or which score';
COMMENT ON COLUMN analytics.rfm_stability.customers_before IS 'Scored customers at the run before';
COMMENT ON COLUMN analytics.rfm_stability.customers_after IS 'Scored customers now';
COMMENT ON COLUMN analytics.rfm_stability.stability_index IS
    'Population stability index: sum of (q - p) ln(q / p) over shares before (p) and now (q)';
COMMENT ON COLUMN analytics.rfm_stability.expected_by_chance IS 'Its mean between two random samples of one base';
COMMENT ON COLUMN analytics.rfm_stability.p_value IS 'How often such samples differ as much';
COMMENT ON COLUMN analytics.rfm_stability.verdict IS
    'stable, shifted (index from 0.1), changed (from 0.25), not comparable or unknown';
COMMENT ON COLUMN analytics.rfm_stability.reason IS 'Why, where the index alone does not say';

CREATE TABLE analytics.lifetime_values (
    customer_pseudonym    text COLLATE "C" NOT NULL,
    as_of_date            date NOT NULL,
    horizon_days          integer NOT NULL,
    model                 text,
    fitted_group          text NOT NULL,
    alive_rate            double precision,
    active_rate           double precision,
    expected_orders       double precision,
    discounted_orders     double precision,
    expected_spend_amount numeric(18, 4),
    has_own_spend         boolean NOT NULL,
    value_basis           text,
    value_amount          numeric(18, 4),
    value_low_amount      numeric(18, 4),
    value_high_amount     numeric(18, 4),
    outcome_low_amount    numeric(18, 4),
    outcome_high_amount   numeric(18, 4),
    reason                text,
    CONSTRAINT lifetime_values_pkey PRIMARY KEY (customer_pseudonym),
    CHECK (alive_rate BETWEEN 0 AND 1),
    CHECK (active_rate BETWEEN 0 AND 1),
    CHECK (value_low_amount <= value_amount),
    CHECK (value_amount <= value_high_amount),
    CHECK (outcome_low_amount <= outcome_high_amount),
    CHECK ((value_amount IS NULL) = (reason IS NOT NULL))
);

COMMENT ON TABLE analytics.lifetime_values IS
    'What each customer is expected to bring within the horizon';
COMMENT ON COLUMN analytics.lifetime_values.customer_pseudonym IS
    'Keyed hash of the customer''s id, the same as in dim_customer';
COMMENT ON COLUMN analytics.lifetime_values.as_of_date IS 'Day it is computed for; later sales do not count';
COMMENT ON COLUMN analytics.lifetime_values.horizon_days IS 'Days ahead';
COMMENT ON COLUMN analytics.lifetime_values.model IS 'Transaction model that orders are expected by';
COMMENT ON COLUMN analytics.lifetime_values.fitted_group IS 'Customers it is fitted to: a cohort, a channel, or all';
COMMENT ON COLUMN analytics.lifetime_values.alive_rate IS
    'Probability that the customer may still come back, 0 to 1; no churn score';
COMMENT ON COLUMN analytics.lifetime_values.active_rate IS
    'Probability of at least one order within the horizon, 0 to 1';
COMMENT ON COLUMN analytics.lifetime_values.expected_orders IS 'Orders within the horizon';
COMMENT ON COLUMN analytics.lifetime_values.discounted_orders IS 'The same, each counted at its present value';
COMMENT ON COLUMN analytics.lifetime_values.expected_spend_amount IS 'Money per order that is not free';
COMMENT ON COLUMN analytics.lifetime_values.has_own_spend IS 'Whether repeat orders of their own were known for it';
COMMENT ON COLUMN analytics.lifetime_values.value_basis IS
    'margin where the profit of four fifths of the sales is known, estimated margin elsewhere; or revenue for everyone';
COMMENT ON COLUMN analytics.lifetime_values.value_amount IS
    'Discounted margin or revenue expected, less the free orders and the returns that are usual';
COMMENT ON COLUMN analytics.lifetime_values.value_low_amount IS
    'Lower end of the interval of that expectation; null where it is not finite';
COMMENT ON COLUMN analytics.lifetime_values.value_high_amount IS
    'Upper end of the interval of that expectation; null where it is not finite';
COMMENT ON COLUMN analytics.lifetime_values.outcome_low_amount IS
    'Lower end of the interval of what this customer will bring, chance included';
COMMENT ON COLUMN analytics.lifetime_values.outcome_high_amount IS
    'Upper end of the interval of what this customer will bring, chance included';
COMMENT ON COLUMN analytics.lifetime_values.reason IS 'Why there is no value; null where there is one';

CREATE TABLE analytics.lifetime_totals (
    value_basis       text COLLATE "C" NOT NULL,
    customers         bigint NOT NULL,
    value_amount      numeric(18, 4) NOT NULL,
    value_low_amount  numeric(18, 4),
    value_high_amount numeric(18, 4),
    CONSTRAINT lifetime_totals_pkey PRIMARY KEY (value_basis),
    CHECK (value_low_amount <= value_amount),
    CHECK (value_amount <= value_high_amount)
);

COMMENT ON TABLE analytics.lifetime_totals IS
    'What all customers together are expected to bring within the horizon';
COMMENT ON COLUMN analytics.lifetime_totals.value_basis IS 'margin and estimated margin, which can be added up, or revenue';
COMMENT ON COLUMN analytics.lifetime_totals.customers IS 'Customers with a value of that kind';
COMMENT ON COLUMN analytics.lifetime_totals.value_amount IS 'Sum of their values';
COMMENT ON COLUMN analytics.lifetime_totals.value_low_amount IS
    'Lower end of its interval, null where it is not finite; whether the model is right it does not know';
COMMENT ON COLUMN analytics.lifetime_totals.value_high_amount IS 'Upper end of its interval; null where it is not finite';

CREATE TABLE analytics.lifetime_models (
    model                   text COLLATE "C" NOT NULL,
    split_date              date NOT NULL,
    holdout_days            integer NOT NULL,
    customers               bigint NOT NULL,
    log_likelihood          double precision NOT NULL,
    is_converged            boolean NOT NULL,
    holdout_log_likelihood  double precision NOT NULL,
    deviance                double precision NOT NULL,
    behind_best             double precision NOT NULL,
    behind_best_error       double precision NOT NULL,
    orders                  bigint NOT NULL,
    expected_orders         double precision NOT NULL,
    bias_rate               double precision,
    correlation             double precision,
    mean_absolute_error     double precision NOT NULL,
    root_mean_squared_error double precision NOT NULL,
    tracking_error_rate     double precision,
    is_chosen               boolean NOT NULL,
    regularity              double precision,
    regularity_low          double precision,
    regularity_high         double precision,
    regularity_customers    bigint NOT NULL,
    CONSTRAINT lifetime_models_pkey PRIMARY KEY (model),
    CHECK (regularity_low <= regularity AND regularity <= regularity_high)
);

COMMENT ON TABLE analytics.lifetime_models IS
    'How well each transaction model foresaw the last days of the history';
COMMENT ON COLUMN analytics.lifetime_models.model IS 'Transaction model';
COMMENT ON COLUMN analytics.lifetime_models.split_date IS 'Last day it knew';
COMMENT ON COLUMN analytics.lifetime_models.holdout_days IS 'Days after it that it is judged on';
COMMENT ON COLUMN analytics.lifetime_models.customers IS 'Customers known on that day';
COMMENT ON COLUMN analytics.lifetime_models.log_likelihood IS 'Of the orders up to that day';
COMMENT ON COLUMN analytics.lifetime_models.is_converged IS 'Whether its parameters were found';
COMMENT ON COLUMN analytics.lifetime_models.holdout_log_likelihood IS
    'Log density of the orders after that day, given those before';
COMMENT ON COLUMN analytics.lifetime_models.deviance IS
    'Poisson deviance of the orders expected of each customer; the least is best';
COMMENT ON COLUMN analytics.lifetime_models.behind_best IS 'How much more than that of the best';
COMMENT ON COLUMN analytics.lifetime_models.behind_best_error IS 'Standard error of that';
COMMENT ON COLUMN analytics.lifetime_models.orders IS 'Orders after the split';
COMMENT ON COLUMN analytics.lifetime_models.expected_orders IS 'Orders that were expected after it';
COMMENT ON COLUMN analytics.lifetime_models.bias_rate IS 'Expected over actual orders, minus 1';
COMMENT ON COLUMN analytics.lifetime_models.correlation IS
    'Of expected and actual orders per customer; null where all did the same';
COMMENT ON COLUMN analytics.lifetime_models.mean_absolute_error IS 'Orders per customer';
COMMENT ON COLUMN analytics.lifetime_models.root_mean_squared_error IS 'Orders per customer';
COMMENT ON COLUMN analytics.lifetime_models.tracking_error_rate IS
    'Mean relative error of cumulative repeat orders, week by week; null where a week had none';
COMMENT ON COLUMN analytics.lifetime_models.is_chosen IS 'Whether it is in use';
COMMENT ON COLUMN analytics.lifetime_models.regularity IS
    'Wheat and Morrison''s k of the times between orders: 1 for random times, which the models suppose';
COMMENT ON COLUMN analytics.lifetime_models.regularity_low IS 'Lower end of its 95 % interval';
COMMENT ON COLUMN analytics.lifetime_models.regularity_high IS 'Upper end of its 95 % interval';
COMMENT ON COLUMN analytics.lifetime_models.regularity_customers IS 'Customers with two such times';

CREATE TABLE analytics.lifetime_groups (
    grouping           text COLLATE "C" NOT NULL,
    fitted_group       text COLLATE "C" NOT NULL,
    model              text NOT NULL,
    customers          bigint NOT NULL,
    parameter          text COLLATE "C" NOT NULL,
    value              double precision NOT NULL,
    standard_error     double precision,
    log_likelihood     double precision NOT NULL,
    is_converged       boolean NOT NULL,
    is_used            boolean NOT NULL,
    likelihood_ratio   double precision,
    degrees_of_freedom bigint,
    p_value            double precision,
    correlation        double precision,
    CONSTRAINT lifetime_groups_pkey PRIMARY KEY (grouping, fitted_group, parameter),
    CHECK (p_value BETWEEN 0 AND 1),
    CHECK (correlation BETWEEN -1 AND 1)
);

COMMENT ON TABLE analytics.lifetime_groups IS
    'Parameters of the models in use: of transactions, times in weeks, and of spend';
COMMENT ON COLUMN analytics.lifetime_groups.grouping IS
    'cohort (year of the first order) or channel (of the first order); spend for the model of money per order';
COMMENT ON COLUMN analytics.lifetime_groups.fitted_group IS 'Which one, or all';
COMMENT ON COLUMN analytics.lifetime_groups.model IS 'Transaction model, or gamma_gamma';
COMMENT ON COLUMN analytics.lifetime_groups.customers IS 'Customers it is fitted to';
COMMENT ON COLUMN analytics.lifetime_groups.parameter IS 'Which parameter';
COMMENT ON COLUMN analytics.lifetime_groups.value IS 'Its estimate';
COMMENT ON COLUMN analytics.lifetime_groups.standard_error IS 'Standard error of the estimate';
COMMENT ON COLUMN analytics.lifetime_groups.log_likelihood IS 'Of the fit';
COMMENT ON COLUMN analytics.lifetime_groups.is_converged IS 'Whether the parameters were found';
COMMENT ON COLUMN analytics.lifetime_groups.is_used IS 'Whether customers are scored with it';
COMMENT ON COLUMN analytics.lifetime_groups.likelihood_ratio IS
    'What fits apart gain over one, twice the log-likelihood; null where fewer than two groups are large enough';
COMMENT ON COLUMN analytics.lifetime_groups.degrees_of_freedom IS 'Parameters that fits apart have more';
COMMENT ON COLUMN analytics.lifetime_groups.p_value IS 'Of that gain when groups are the same';
COMMENT ON COLUMN analytics.lifetime_groups.correlation IS
    'Of a customer''s repeat orders and mean spend, which the spend model supposes to be none; null for transactions';

CREATE TABLE analytics.churn_rates (
    customer_pseudonym text COLLATE "C" NOT NULL,
    as_of_date         date NOT NULL,
    horizon_days       integer NOT NULL,
    days_since_last    integer NOT NULL,
    score              text,
    churn_rate         double precision,
    reason             text,
    CONSTRAINT churn_rates_pkey PRIMARY KEY (customer_pseudonym),
    CHECK (churn_rate > 0 AND churn_rate < 1),
    CHECK ((churn_rate IS NULL) = (reason IS NOT NULL))
);

COMMENT ON TABLE analytics.churn_rates IS
    'How likely each customer is not to buy within the horizon';
COMMENT ON COLUMN analytics.churn_rates.customer_pseudonym IS
    'Keyed hash of the customer''s id, the same as in dim_customer';
COMMENT ON COLUMN analytics.churn_rates.as_of_date IS 'Day it is computed for; later sales do not count';
COMMENT ON COLUMN analytics.churn_rates.horizon_days IS 'Days ahead';
COMMENT ON COLUMN analytics.churn_rates.days_since_last IS 'Days from the last order to as_of_date';
COMMENT ON COLUMN analytics.churn_rates.score IS 'What it comes from: active (transaction model), logistic or recency';
COMMENT ON COLUMN analytics.churn_rates.churn_rate IS 'Probability of no order within the horizon, 0 to 1, calibrated';
COMMENT ON COLUMN analytics.churn_rates.reason IS 'Why there is none; null where there is one';

CREATE TABLE analytics.churn_evaluation (
    score                   text COLLATE "C" NOT NULL,
    model                   text NOT NULL,
    choice_date             date,
    split_date              date NOT NULL,
    horizon_days            integer NOT NULL,
    customers               bigint NOT NULL,
    churned                 bigint NOT NULL,
    churn_rate              double precision NOT NULL,
    expected_churn_rate     double precision NOT NULL,
    area_under_curve        double precision NOT NULL,
    area_above_recency      double precision NOT NULL,
    area_above_recency_low  double precision NOT NULL,
    area_above_recency_high double precision NOT NULL,
    brier_score             double precision NOT NULL,
    brier_of_base_rate      double precision NOT NULL,
    is_admitted             boolean NOT NULL,
    is_used                 boolean NOT NULL,
    CONSTRAINT churn_evaluation_pkey PRIMARY KEY (score),
    CHECK (churn_rate BETWEEN 0 AND 1 AND expected_churn_rate BETWEEN 0 AND 1),
    CHECK (area_under_curve BETWEEN 0 AND 1),
    CHECK (area_above_recency_low <= area_above_recency AND area_above_recency <= area_above_recency_high),
    CHECK (choice_date < split_date),
    CHECK (churned BETWEEN 0 AND customers)
);

COMMENT ON TABLE analytics.churn_evaluation IS
    'How good the churn probabilities of one horizon ago were; of the days they are judged on nothing was used';
COMMENT ON COLUMN analytics.churn_evaluation.score IS 'What they come from';
COMMENT ON COLUMN analytics.churn_evaluation.model IS 'Transaction model of active and alive';
COMMENT ON COLUMN analytics.churn_evaluation.choice_date IS
    'Model and score in use were chosen by the horizon after it; null where the history is too short to choose';
COMMENT ON COLUMN analytics.churn_evaluation.split_date IS 'Day they were given on';
COMMENT ON COLUMN analytics.churn_evaluation.horizon_days IS 'Days after it that they are judged on';
COMMENT ON COLUMN analytics.churn_evaluation.customers IS 'Customers known on that day';
COMMENT ON COLUMN analytics.churn_evaluation.churned IS 'Of them without an order within the horizon';
COMMENT ON COLUMN analytics.churn_evaluation.churn_rate IS 'Share of those, 0 to 1';
COMMENT ON COLUMN analytics.churn_evaluation.expected_churn_rate IS 'Mean of the probabilities, 0 to 1';
COMMENT ON COLUMN analytics.churn_evaluation.area_under_curve IS
    'Chance that of one who left and one who did not, the former had the higher probability';
COMMENT ON COLUMN analytics.churn_evaluation.area_above_recency IS
    'That less the same of the days since the last order; 0 for the recency rule';
COMMENT ON COLUMN analytics.churn_evaluation.area_above_recency_low IS 'Lower end of its 95 % interval';
COMMENT ON COLUMN analytics.churn_evaluation.area_above_recency_high IS 'Upper end of its 95 % interval';
COMMENT ON COLUMN analytics.churn_evaluation.brier_score IS 'Mean squared error of the probabilities';
COMMENT ON COLUMN analytics.churn_evaluation.brier_of_base_rate IS 'The same of saying the true share of everyone';
COMMENT ON COLUMN analytics.churn_evaluation.is_admitted IS 'Whether it may be used at all';
COMMENT ON COLUMN analytics.churn_evaluation.is_used IS 'Whether customers are scored with it';

CREATE TABLE analytics.churn_calibration (
    score               text COLLATE "C" NOT NULL,
    bin                 smallint NOT NULL,
    customers           bigint NOT NULL,
    expected_churn_rate double precision NOT NULL,
    churn_rate          double precision NOT NULL,
    churn_low_rate      double precision NOT NULL,
    churn_high_rate     double precision NOT NULL,
    CONSTRAINT churn_calibration_pkey PRIMARY KEY (score, bin),
    CHECK (churn_rate BETWEEN 0 AND 1 AND expected_churn_rate BETWEEN 0 AND 1),
    CHECK (churn_low_rate <= churn_high_rate)
);

COMMENT ON TABLE analytics.churn_calibration IS
    'Customers of one horizon ago in ten bins by churn probability, with what came';
COMMENT ON COLUMN analytics.churn_calibration.score IS 'What probabilities come from';
COMMENT ON COLUMN analytics.churn_calibration.bin IS 'Number of the bin, the least likely to leave first';
COMMENT ON COLUMN analytics.churn_calibration.customers IS 'Customers in it';
COMMENT ON COLUMN analytics.churn_calibration.expected_churn_rate IS 'Mean of the probabilities, 0 to 1';
COMMENT ON COLUMN analytics.churn_calibration.churn_rate IS 'Share without an order within the horizon, 0 to 1';
COMMENT ON COLUMN analytics.churn_calibration.churn_low_rate IS 'Lower end of its 95 % interval';
COMMENT ON COLUMN analytics.churn_calibration.churn_high_rate IS 'Upper end of its 95 % interval';

CREATE TABLE analytics.retention_actions (
    customer_pseudonym    text COLLATE "C" NOT NULL,
    as_of_date            date NOT NULL,
    horizon_days          integer NOT NULL,
    churn_rate            double precision,
    value_amount          numeric(18, 4),
    value_basis           text,
    value_at_stake_amount numeric(18, 4),
    stake_rank            bigint,
    action                text NOT NULL,
    action_title          text NOT NULL,
    action_channel        text NOT NULL,
    action_reason         text NOT NULL,
    is_held_out           boolean NOT NULL,
    reason                text,
    CONSTRAINT retention_actions_pkey PRIMARY KEY (customer_pseudonym),
    CHECK (churn_rate BETWEEN 0 AND 1),
    CHECK ((value_at_stake_amount IS NULL) = (stake_rank IS NULL))
);

COMMENT ON TABLE analytics.retention_actions IS
    'What is at stake with each customer within the churn horizon, and what to do about it';
COMMENT ON COLUMN analytics.retention_actions.customer_pseudonym IS
    'Keyed hash of the customer''s id, the same as in dim_customer';
COMMENT ON COLUMN analytics.retention_actions.as_of_date IS 'Day it is computed for; later sales do not count';
COMMENT ON COLUMN analytics.retention_actions.horizon_days IS 'Days ahead';
COMMENT ON COLUMN analytics.retention_actions.churn_rate IS 'Probability of no order within the horizon, 0 to 1';
COMMENT ON COLUMN analytics.retention_actions.value_amount IS 'Expected value within the horizon';
COMMENT ON COLUMN analytics.retention_actions.value_basis IS 'margin, estimated margin or revenue';
COMMENT ON COLUMN analytics.retention_actions.value_at_stake_amount IS
    'churn_rate times value_amount; no promise of what an action wins';
COMMENT ON COLUMN analytics.retention_actions.stake_rank IS '1 for the most at stake; null with the stake';
COMMENT ON COLUMN analytics.retention_actions.action IS 'Of the rule table';
COMMENT ON COLUMN analytics.retention_actions.action_title IS 'What is done';
COMMENT ON COLUMN analytics.retention_actions.action_channel IS 'How the customer is reached';
COMMENT ON COLUMN analytics.retention_actions.action_reason IS 'Why';
COMMENT ON COLUMN analytics.retention_actions.is_held_out IS
    'No action is taken, whatever the rule says, so that its effect can be measured';
COMMENT ON COLUMN analytics.retention_actions.reason IS 'Why nothing is known to be at stake; null where it is';

CREATE TABLE analytics.retention_measurement (
    action                text COLLATE "C" NOT NULL,
    customers             bigint NOT NULL,
    held_out              bigint NOT NULL,
    value_at_stake_amount numeric(18, 4),
    expected_active_rate  double precision,
    wanted_lift_rate      double precision,
    customers_needed      bigint,
    is_measurable         boolean NOT NULL,
    detectable_lift_rate  double precision,
    measure               text NOT NULL,
    CONSTRAINT retention_measurement_pkey PRIMARY KEY (action),
    CHECK (held_out BETWEEN 0 AND customers),
    CHECK (expected_active_rate BETWEEN 0 AND 1)
);

COMMENT ON TABLE analytics.retention_measurement IS
    'Whether the effect of each action can be seen with the customers there are';
COMMENT ON COLUMN analytics.retention_measurement.action IS 'Of the rule table';
COMMENT ON COLUMN analytics.retention_measurement.customers IS 'Customers with it, those held out among them';
COMMENT ON COLUMN analytics.retention_measurement.held_out IS 'Of them held out';
COMMENT ON COLUMN analytics.retention_measurement.value_at_stake_amount IS 'Sum over them; null where nothing is known';
COMMENT ON COLUMN analytics.retention_measurement.expected_active_rate IS
    'Mean probability of an order within the horizon when nothing is done, 0 to 1';
COMMENT ON COLUMN analytics.retention_measurement.wanted_lift_rate IS 'Rise of it that should not be missed';
COMMENT ON COLUMN analytics.retention_measurement.customers_needed IS
    'To see it with a power of 80 % at a level of 5 %';
COMMENT ON COLUMN analytics.retention_measurement.is_measurable IS 'Whether there are so many';
COMMENT ON COLUMN analytics.retention_measurement.detectable_lift_rate IS 'Rise that those there are can show';
COMMENT ON COLUMN analytics.retention_measurement.measure IS
    'What shows the effect; the share with an order first, for which the numbers of this row are';

CREATE TABLE analytics.customer_360 (
    customer_pseudonym         text COLLATE "C" NOT NULL,
    as_of_date                 date NOT NULL,
    source_systems             text,
    customer_segment           text,
    country                    text,
    currency                   text NOT NULL,
    first_order_date           date,
    last_order_date            date,
    orders                     bigint NOT NULL,
    sale_lines                 bigint NOT NULL,
    return_lines               bigint NOT NULL,
    sales_amount               numeric(18, 4) NOT NULL,
    returns_amount             numeric(18, 4) NOT NULL,
    net_revenue_amount         numeric(18, 4) NOT NULL,
    margin_amount              numeric(18, 4),
    margin_known_amount        numeric(18, 4),
    margin_coverage_rate       double precision,
    favourite_category         text,
    favourite_channel          text,
    recency_score              smallint,
    frequency_score            smallint,
    monetary_score             smallint,
    rfm_segment                text,
    value_amount               numeric(18, 4),
    value_low_amount           numeric(18, 4),
    value_high_amount          numeric(18, 4),
    value_basis                text,
    value_horizon_days         integer,
    value_reason               text,
    churn_rate                 double precision,
    churn_horizon_days         integer,
    churn_reason               text,
    value_at_stake_amount      numeric(18, 4),
    stake_rank                 bigint,
    next_best_action           text,
    next_best_action_title     text,
    is_held_out                boolean NOT NULL,
    is_inferred                boolean NOT NULL,
    has_several_names          boolean NOT NULL,
    has_several_segments       boolean NOT NULL,
    has_several_countries      boolean NOT NULL,
    lines_without_product_rate double precision,
    lines_in_other_currencies  bigint NOT NULL,
    CONSTRAINT customer_360_pkey PRIMARY KEY (customer_pseudonym),
    CHECK (sales_amount - returns_amount = net_revenue_amount),
    CHECK (first_order_date <= last_order_date AND last_order_date <= as_of_date),
    CHECK ((orders > 0) = (first_order_date IS NOT NULL)),
    CHECK (margin_coverage_rate BETWEEN 0 AND 1),
    CHECK (lines_without_product_rate BETWEEN 0 AND 1),
    CHECK (churn_rate BETWEEN 0 AND 1)
);

COMMENT ON TABLE analytics.customer_360 IS
    'One row per known customer with all that is known, of the whole history up to as_of_date';
COMMENT ON COLUMN analytics.customer_360.customer_pseudonym IS
    'Keyed hash of the customer''s id, the same as in dim_customer';
COMMENT ON COLUMN analytics.customer_360.as_of_date IS 'Day it is computed for; later sales do not count';
COMMENT ON COLUMN analytics.customer_360.source_systems IS 'Datasets that know the customer';
COMMENT ON COLUMN analytics.customer_360.customer_segment IS 'Segment on that day by the sources; null where unknown';
COMMENT ON COLUMN analytics.customer_360.country IS 'Country on that day; null where unknown';
COMMENT ON COLUMN analytics.customer_360.currency IS 'Of all amounts, ISO 4217; lines in others are only counted';
COMMENT ON COLUMN analytics.customer_360.first_order_date IS 'Day of the first order; null where there is none';
COMMENT ON COLUMN analytics.customer_360.last_order_date IS 'Day of the latest order; null where there is none';
COMMENT ON COLUMN analytics.customer_360.orders IS
    'Orders placed; a line without a number is one by itself; returns are none';
COMMENT ON COLUMN analytics.customer_360.sale_lines IS 'Lines of sales';
COMMENT ON COLUMN analytics.customer_360.return_lines IS 'Lines of returns';
COMMENT ON COLUMN analytics.customer_360.sales_amount IS 'Sales before returns';
COMMENT ON COLUMN analytics.customer_360.returns_amount IS 'Returns, as a positive number';
COMMENT ON COLUMN analytics.customer_360.net_revenue_amount IS 'Sales less returns';
COMMENT ON COLUMN analytics.customer_360.margin_amount IS 'Profit of the lines where it is known; null where of none';
COMMENT ON COLUMN analytics.customer_360.margin_known_amount IS 'Net revenue of those lines';
COMMENT ON COLUMN analytics.customer_360.margin_coverage_rate IS 'Share of lines that they are, 0 to 1';
COMMENT ON COLUMN analytics.customer_360.favourite_category IS 'Category with the most sales in money';
COMMENT ON COLUMN analytics.customer_360.favourite_channel IS 'Channel with the most sales in money';
COMMENT ON COLUMN analytics.customer_360.recency_score IS '5 for the most recent fifth; null for prospects';
COMMENT ON COLUMN analytics.customer_360.frequency_score IS '5 for the most frequent; null for prospects';
COMMENT ON COLUMN analytics.customer_360.monetary_score IS '5 for the fifth that spends most; null for prospects';
COMMENT ON COLUMN analytics.customer_360.rfm_segment IS 'Segment of the scores, or Prospects';
COMMENT ON COLUMN analytics.customer_360.value_amount IS 'Expected within value_horizon_days, discounted';
COMMENT ON COLUMN analytics.customer_360.value_low_amount IS 'Lower end of its interval';
COMMENT ON COLUMN analytics.customer_360.value_high_amount IS 'Upper end of its interval';
COMMENT ON COLUMN analytics.customer_360.value_basis IS 'margin, estimated margin or revenue';
COMMENT ON COLUMN analytics.customer_360.value_horizon_days IS 'Days ahead';
COMMENT ON COLUMN analytics.customer_360.value_reason IS 'Why there is no value; null where there is one';
COMMENT ON COLUMN analytics.customer_360.churn_rate IS 'Probability of no order within churn_horizon_days, 0 to 1';
COMMENT ON COLUMN analytics.customer_360.churn_horizon_days IS 'Days ahead';
COMMENT ON COLUMN analytics.customer_360.churn_reason IS 'Why there is none; null where there is one';
COMMENT ON COLUMN analytics.customer_360.value_at_stake_amount IS
    'Churn probability times the value within that horizon';
COMMENT ON COLUMN analytics.customer_360.stake_rank IS '1 for the most at stake';
COMMENT ON COLUMN analytics.customer_360.next_best_action IS 'Of the rule table; not to be taken where is_held_out';
COMMENT ON COLUMN analytics.customer_360.next_best_action_title IS 'What is done';
COMMENT ON COLUMN analytics.customer_360.is_held_out IS 'Left alone so that effects of actions can be measured';
COMMENT ON COLUMN analytics.customer_360.is_inferred IS 'Nothing is known but an id in sale lines';
COMMENT ON COLUMN analytics.customer_360.has_several_names IS 'Sources give the id more than one name';
COMMENT ON COLUMN analytics.customer_360.has_several_segments IS
    'Sources have had the customer in more than one segment';
COMMENT ON COLUMN analytics.customer_360.has_several_countries IS 'Sales went to more than one country';
COMMENT ON COLUMN analytics.customer_360.lines_without_product_rate IS 'Share of lines that name no product, 0 to 1';
COMMENT ON COLUMN analytics.customer_360.lines_in_other_currencies IS
    'Lines that are in no amount here, because their currency is another';

CREATE TABLE analytics.customer_360_balance (
    part       text COLLATE "C" NOT NULL,
    sale_lines bigint NOT NULL,
    net_amount numeric(18, 4),
    CONSTRAINT customer_360_balance_pkey PRIMARY KEY (part),
    CHECK (sale_lines >= 0)
);

COMMENT ON TABLE analytics.customer_360_balance IS
    'Where the lines of core/sales are; every line is in one part';
COMMENT ON COLUMN analytics.customer_360_balance.part IS
    'customers, guests (no customer named), other currencies, later (than the day) or all';
COMMENT ON COLUMN analytics.customer_360_balance.sale_lines IS 'Lines, returns included';
COMMENT ON COLUMN analytics.customer_360_balance.net_amount IS 'Their net revenue; null for several currencies';
