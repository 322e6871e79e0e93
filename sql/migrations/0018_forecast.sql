-- Forecasts of revenue: the series, what is to come, what would have been forecast, and how far to trust it.

CREATE TABLE analytics.revenue_series (
    grain             text COLLATE "C" NOT NULL CHECK (grain IN ('day', 'week')),
    currency          text COLLATE "C" NOT NULL,
    scope             text COLLATE "C" NOT NULL CHECK (scope IN ('total', 'category', 'channel')),
    member            text COLLATE "C" NOT NULL,
    period_start_date date             NOT NULL,
    revenue_amount    numeric(18, 4)   NOT NULL,
    CONSTRAINT revenue_series_pkey PRIMARY KEY (grain, currency, scope, member, period_start_date)
);

COMMENT ON TABLE analytics.revenue_series IS
    'Net revenue per day and week that is over: in total, by category and by channel';
COMMENT ON COLUMN analytics.revenue_series.grain IS 'Steps of the series: day or week';
COMMENT ON COLUMN analytics.revenue_series.currency IS 'Currency of the amounts, ISO 4217; XXX where none is known';
COMMENT ON COLUMN analytics.revenue_series.scope IS 'What it is a series of: total, category or channel';
COMMENT ON COLUMN analytics.revenue_series.member IS
    'Which category or channel; unknown for sales without one, (others) for all but the 100 largest together, '
    'total for the total';
COMMENT ON COLUMN analytics.revenue_series.period_start_date IS 'First day of the step; Monday for weeks';
COMMENT ON COLUMN analytics.revenue_series.revenue_amount IS 'Net revenue of the step; 0 without sales';

CREATE TABLE analytics.revenue_forecasts (
    grain             text COLLATE "C" NOT NULL CHECK (grain IN ('day', 'week')),
    currency          text COLLATE "C" NOT NULL,
    scope             text COLLATE "C" NOT NULL CHECK (scope IN ('total', 'category', 'channel')),
    member            text COLLATE "C" NOT NULL,
    as_of_date        date             NOT NULL,
    period_start_date date             NOT NULL,
    step              smallint         NOT NULL CHECK (step > 0),
    status            text             NOT NULL CHECK (status IN ('forecastable', 'level_only', 'not_forecastable')),
    model             text,
    forecast_amount   numeric(18, 4),
    lower_80_amount   numeric(18, 4),
    upper_80_amount   numeric(18, 4),
    lower_95_amount   numeric(18, 4),
    upper_95_amount   numeric(18, 4),
    baseline_amount   numeric(18, 4),
    reason            text             NOT NULL,
    CONSTRAINT revenue_forecasts_pkey PRIMARY KEY (grain, currency, scope, member, period_start_date)
);

COMMENT ON TABLE analytics.revenue_forecasts IS 'Net revenue of the days and weeks ahead, with intervals';
COMMENT ON COLUMN analytics.revenue_forecasts.grain IS 'Steps of the series: day or week';
COMMENT ON COLUMN analytics.revenue_forecasts.currency IS 'Currency of the amounts, ISO 4217; XXX where none is known';
COMMENT ON COLUMN analytics.revenue_forecasts.scope IS 'What it is a series of: total, category or channel';
COMMENT ON COLUMN analytics.revenue_forecasts.member IS
    'Which category or channel; unknown for sales without one, (others) for all but the 100 largest together, '
    'total for the total';
COMMENT ON COLUMN analytics.revenue_forecasts.as_of_date IS 'Last day that is known';
COMMENT ON COLUMN analytics.revenue_forecasts.period_start_date IS 'First day of the step; Monday for weeks';
COMMENT ON COLUMN analytics.revenue_forecasts.step IS 'Steps ahead: 1 for the next one';
COMMENT ON COLUMN analytics.revenue_forecasts.status IS
    'forecastable, level_only (a mean level: short, intermittent, or the recent mean does as well), or not_forecastable';
COMMENT ON COLUMN analytics.revenue_forecasts.model IS 'What made the forecast; null where there is none';
COMMENT ON COLUMN analytics.revenue_forecasts.forecast_amount IS
    'Expected net revenue; null where the series is not forecastable';
COMMENT ON COLUMN analytics.revenue_forecasts.lower_80_amount IS
    'Lower end of the 80 % interval; null where too few errors are known to say one';
COMMENT ON COLUMN analytics.revenue_forecasts.upper_80_amount IS 'Upper end of the 80 % interval';
COMMENT ON COLUMN analytics.revenue_forecasts.lower_95_amount IS 'Lower end of the 95 % interval';
COMMENT ON COLUMN analytics.revenue_forecasts.upper_95_amount IS 'Upper end of the 95 % interval';
COMMENT ON COLUMN analytics.revenue_forecasts.baseline_amount IS 'The seasonal naive forecast, for comparison';
COMMENT ON COLUMN analytics.revenue_forecasts.reason IS 'Why the status is what it is';

CREATE TABLE analytics.forecast_backtest (
    grain             text COLLATE "C" NOT NULL CHECK (grain IN ('day', 'week')),
    currency          text COLLATE "C" NOT NULL,
    scope             text COLLATE "C" NOT NULL CHECK (scope IN ('total', 'category', 'channel')),
    member            text COLLATE "C" NOT NULL,
    origin_date       date             NOT NULL,
    period_start_date date             NOT NULL,
    step              smallint         NOT NULL CHECK (step > 0),
    model             text COLLATE "C" NOT NULL,
    actual_amount     numeric(18, 4)   NOT NULL,
    forecast_amount   numeric(18, 4),
    lower_80_amount   numeric(18, 4),
    upper_80_amount   numeric(18, 4),
    CONSTRAINT forecast_backtest_pkey PRIMARY KEY (grain, currency, scope, member, origin_date, step, model)
);

COMMENT ON TABLE analytics.forecast_backtest IS 'What would have been forecast from earlier days on, and what came';
COMMENT ON COLUMN analytics.forecast_backtest.grain IS 'Steps of the series: day or week';
COMMENT ON COLUMN analytics.forecast_backtest.currency IS 'Currency of the amounts, ISO 4217; XXX where none is known';
COMMENT ON COLUMN analytics.forecast_backtest.scope IS 'What it is a series of: total, category or channel';
COMMENT ON COLUMN analytics.forecast_backtest.member IS
    'Which category or channel; unknown for sales without one, (others) for all but the 100 largest together, '
    'total for the total';
COMMENT ON COLUMN analytics.forecast_backtest.origin_date IS 'First day that the model did not know';
COMMENT ON COLUMN analytics.forecast_backtest.period_start_date IS 'First day of the step; Monday for weeks';
COMMENT ON COLUMN analytics.forecast_backtest.step IS 'Steps ahead of what was known: 1 for the next one';
COMMENT ON COLUMN analytics.forecast_backtest.model IS 'What made the forecast';
COMMENT ON COLUMN analytics.forecast_backtest.actual_amount IS 'Net revenue that came';
COMMENT ON COLUMN analytics.forecast_backtest.forecast_amount IS
    'Net revenue that was forecast; null where it is too large to be an amount';
COMMENT ON COLUMN analytics.forecast_backtest.lower_80_amount IS
    'Lower end of the 80 % interval by errors of earlier origins; null where they are too few';
COMMENT ON COLUMN analytics.forecast_backtest.upper_80_amount IS 'Upper end of that interval';

CREATE TABLE analytics.forecast_skill (
    grain           text COLLATE "C" NOT NULL CHECK (grain IN ('day', 'week')),
    currency        text COLLATE "C" NOT NULL,
    scope           text COLLATE "C" NOT NULL CHECK (scope IN ('total', 'category', 'channel')),
    member          text COLLATE "C" NOT NULL,
    model           text COLLATE "C" NOT NULL,
    is_used         boolean          NOT NULL,
    weight_rate     double precision CHECK (weight_rate BETWEEN 0 AND 1),
    origins         smallint         NOT NULL,
    points          integer          NOT NULL,
    wape_rate       double precision,
    bias_rate       double precision,
    mase            double precision,
    skill_rate      double precision,
    mean_skill_rate double precision,
    status          text             NOT NULL CHECK (status IN ('forecastable', 'level_only', 'not_forecastable')),
    reason          text             NOT NULL,
    CONSTRAINT forecast_skill_pkey PRIMARY KEY (grain, currency, scope, member, model)
);

COMMENT ON TABLE analytics.forecast_skill IS 'How far off each model was in the backtest';
COMMENT ON COLUMN analytics.forecast_skill.grain IS 'Steps of the series: day or week';
COMMENT ON COLUMN analytics.forecast_skill.currency IS 'Currency of the amounts, ISO 4217; XXX where none is known';
COMMENT ON COLUMN analytics.forecast_skill.scope IS 'What it is a series of: total, category or channel';
COMMENT ON COLUMN analytics.forecast_skill.member IS
    'Which category or channel; unknown for sales without one, (others) for all but the 100 largest together, '
    'total for the total';
COMMENT ON COLUMN analytics.forecast_skill.model IS 'Name of the model';
COMMENT ON COLUMN analytics.forecast_skill.is_used IS 'Whether it makes the published forecast';
COMMENT ON COLUMN analytics.forecast_skill.weight_rate IS
    'Its share of the combination, 0 to 1; null where it has none';
COMMENT ON COLUMN analytics.forecast_skill.origins IS 'From how many origins it was tried';
COMMENT ON COLUMN analytics.forecast_skill.points IS 'How many steps it forecast from there';
COMMENT ON COLUMN analytics.forecast_skill.wape_rate IS
    'Sum of absolute errors by sum of absolute revenue; may be above 1';
COMMENT ON COLUMN analytics.forecast_skill.bias_rate IS 'Sum of forecast minus actual by sum of absolute revenue';
COMMENT ON COLUMN analytics.forecast_skill.mase IS
    'Mean absolute error by that of the seasonal naive forecast within the known part';
COMMENT ON COLUMN analytics.forecast_skill.skill_rate IS
    'Share of the seasonal naive forecast''s error that is avoided; negative where it is worse';
COMMENT ON COLUMN analytics.forecast_skill.mean_skill_rate IS
    'Share of the recent mean''s error that is avoided: says more where much of a total is new since the season before';
COMMENT ON COLUMN analytics.forecast_skill.status IS
    'forecastable, level_only (a mean level: short, intermittent, or the recent mean does as well), or not_forecastable';
COMMENT ON COLUMN analytics.forecast_skill.reason IS 'Why the status of the series is what it is';

CREATE TABLE analytics.forecast_coverage (
    grain          text COLLATE "C" NOT NULL CHECK (grain IN ('day', 'week')),
    nominal_rate   double precision NOT NULL CHECK (nominal_rate BETWEEN 0 AND 1),
    points         integer          NOT NULL,
    covered_points integer          NOT NULL,
    realised_rate  double precision CHECK (realised_rate BETWEEN 0 AND 1),
    width_rate     double precision,
    is_enough      boolean          NOT NULL,
    reason         text,
    CONSTRAINT forecast_coverage_points_check CHECK (covered_points BETWEEN 0 AND points),
    CONSTRAINT forecast_coverage_pkey PRIMARY KEY (grain, nominal_rate)
);

COMMENT ON TABLE analytics.forecast_coverage IS 'Whether intervals held what came in the backtest';
COMMENT ON COLUMN analytics.forecast_coverage.grain IS 'Steps of the series: day or week';
COMMENT ON COLUMN analytics.forecast_coverage.nominal_rate IS 'Share of steps that the interval is to hold';
COMMENT ON COLUMN analytics.forecast_coverage.points IS 'Steps of the backtest that have an interval';
COMMENT ON COLUMN analytics.forecast_coverage.covered_points IS 'Those of them that were within it';
COMMENT ON COLUMN analytics.forecast_coverage.realised_rate IS 'Share of them that were within it; null without any';
COMMENT ON COLUMN analytics.forecast_coverage.width_rate IS
    'Sum of the widths of the intervals by sum of absolute revenue';
COMMENT ON COLUMN analytics.forecast_coverage.is_enough IS 'Whether there are enough steps for a judgement';
COMMENT ON COLUMN analytics.forecast_coverage.reason IS 'Why there is no rate; null where there is one';
