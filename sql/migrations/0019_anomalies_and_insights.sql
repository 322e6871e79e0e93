-- What is unlike the past (days, incidents, lines), and the weekly reports on what changed.

CREATE TABLE analytics.daily_measures (
    source_system  text COLLATE "C" NOT NULL,
    dimension      text COLLATE "C" NOT NULL,
    segment        text COLLATE "C" NOT NULL,
    measure        text COLLATE "C" NOT NULL,
    sale_date      date             NOT NULL,
    value          double precision,
    expected_value double precision,
    lower_value    double precision,
    upper_value    double precision,
    z              double precision,
    verdict        text             NOT NULL,
    is_unusual     boolean          NOT NULL,
    CONSTRAINT daily_measures_pkey PRIMARY KEY (source_system, dimension, segment, measure, sale_date)
);

COMMENT ON TABLE analytics.daily_measures IS 'Every day of every series against what the days before it let expect';
COMMENT ON COLUMN analytics.daily_measures.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.daily_measures.dimension IS 'total, or the property that segments differ in';
COMMENT ON COLUMN analytics.daily_measures.segment IS
    'The part of the dataset; all for the total, (others) for all but the 100 largest together';
COMMENT ON COLUMN analytics.daily_measures.measure IS
    'net_amount, orders, units, or price_level: what was paid by what the same pieces usually cost, over all days';
COMMENT ON COLUMN analytics.daily_measures.sale_date IS 'Day';
COMMENT ON COLUMN analytics.daily_measures.value IS 'The measure on that day';
COMMENT ON COLUMN analytics.daily_measures.expected_value IS
    'What the days before let expect; null where they are too few';
COMMENT ON COLUMN analytics.daily_measures.lower_value IS 'Lower end of the band of usual days';
COMMENT ON COLUMN analytics.daily_measures.upper_value IS 'Upper end of the band of usual days';
COMMENT ON COLUMN analytics.daily_measures.z IS
    'Distance from the expectation in robust standard deviations of the logarithm';
COMMENT ON COLUMN analytics.daily_measures.verdict IS 'usual, unusual, holiday, too little history, or too few orders';
COMMENT ON COLUMN analytics.daily_measures.is_unusual IS 'Whether the day is outside of its band';

CREATE TABLE analytics.incidents (
    incident_id      text COLLATE "C" NOT NULL,
    kind             text             NOT NULL,
    source_system    text COLLATE "C" NOT NULL,
    dimension        text COLLATE "C" NOT NULL,
    segment          text COLLATE "C" NOT NULL,
    measure          text             NOT NULL,
    first_date       date             NOT NULL,
    last_date        date             NOT NULL,
    unusual_days     bigint           NOT NULL CHECK (unusual_days > 0),
    net_amount       numeric(18, 4)   NOT NULL,
    expected_amount  numeric(18, 4),
    lower_amount     numeric(18, 4),
    upper_amount     numeric(18, 4),
    impact_amount    numeric(18, 4),
    orders_ratio     double precision,
    price_ratio      double precision,
    z                double precision,
    is_retrospective boolean          NOT NULL,
    CONSTRAINT incidents_days_check CHECK (first_date <= last_date),
    CONSTRAINT incidents_pkey PRIMARY KEY (incident_id)
);

COMMENT ON TABLE analytics.incidents IS 'Unusual days of a dataset that belong together';
COMMENT ON COLUMN analytics.incidents.incident_id IS 'The same for the same dataset, segment, measure and first day';
COMMENT ON COLUMN analytics.incidents.kind IS
    'outage, closure, promotion, markdown, price increase, level shift, surge or drop';
COMMENT ON COLUMN analytics.incidents.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.incidents.dimension IS 'total, or the property that segments differ in';
COMMENT ON COLUMN analytics.incidents.segment IS
    'The part of the dataset; all for the total, (others) for all but the 100 largest together';
COMMENT ON COLUMN analytics.incidents.measure IS 'The measure that stands out most';
COMMENT ON COLUMN analytics.incidents.first_date IS 'First unusual day';
COMMENT ON COLUMN analytics.incidents.last_date IS 'Last unusual day';
COMMENT ON COLUMN analytics.incidents.unusual_days IS 'How many of the days are unusual';
COMMENT ON COLUMN analytics.incidents.net_amount IS 'Net sales of the segment in these days';
COMMENT ON COLUMN analytics.incidents.expected_amount IS 'What was expected; null where net sales could not be judged';
COMMENT ON COLUMN analytics.incidents.lower_amount IS 'Lower ends of the bands of the days, added up';
COMMENT ON COLUMN analytics.incidents.upper_amount IS 'Upper ends of the bands of the days, added up';
COMMENT ON COLUMN analytics.incidents.impact_amount IS 'Net sales less the expectation';
COMMENT ON COLUMN analytics.incidents.orders_ratio IS 'Orders by expected orders';
COMMENT ON COLUMN analytics.incidents.price_ratio IS 'Level of prices by the expected one';
COMMENT ON COLUMN analytics.incidents.z IS
    'Largest distance from the expectation, in robust standard deviations of the logarithm';
COMMENT ON COLUMN analytics.incidents.is_retrospective IS
    'Whether it was judged by the days after it, as those before were too few';

CREATE TABLE analytics.incident_parts (
    incident_id     text COLLATE "C" NOT NULL,
    dimension       text COLLATE "C" NOT NULL,
    segment         text COLLATE "C" NOT NULL,
    net_amount      numeric(18, 4)   NOT NULL,
    expected_amount numeric(18, 4)   NOT NULL,
    impact_amount   numeric(18, 4)   NOT NULL,
    is_unusual      boolean          NOT NULL,
    CONSTRAINT incident_parts_pkey PRIMARY KEY (incident_id, dimension, segment)
);

COMMENT ON TABLE analytics.incident_parts IS 'What segments contributed to incidents';
COMMENT ON COLUMN analytics.incident_parts.incident_id IS 'The incident';
COMMENT ON COLUMN analytics.incident_parts.dimension IS 'total, or the property that segments differ in';
COMMENT ON COLUMN analytics.incident_parts.segment IS
    'The part of the dataset; all for the total, (others) for all but the 100 largest together';
COMMENT ON COLUMN analytics.incident_parts.net_amount IS 'Net sales of the segment in its days';
COMMENT ON COLUMN analytics.incident_parts.expected_amount IS 'What was expected';
COMMENT ON COLUMN analytics.incident_parts.impact_amount IS 'Net sales less the expectation';
COMMENT ON COLUMN analytics.incident_parts.is_unusual IS 'Whether the segment was unusual by itself';

CREATE TABLE analytics.order_outliers (
    source_system      text COLLATE "C" NOT NULL,
    order_id           text,
    product_id         text COLLATE "C" NOT NULL,
    category           text,
    sold_at            timestamptz      NOT NULL,
    quantity           bigint           NOT NULL,
    net_amount         numeric(18, 4)   NOT NULL,
    unit_price_amount  numeric(18, 4)   NOT NULL,
    usual_price_amount numeric(18, 4)   NOT NULL,
    impact_amount      numeric(18, 4)   NOT NULL,
    price_z            double precision NOT NULL,
    quantity_z         double precision NOT NULL,
    net_amount_z       double precision NOT NULL,
    score              double precision NOT NULL,
    reason             text             NOT NULL,
    rank               bigint           NOT NULL,
    source_file        text COLLATE "C" NOT NULL,
    source_row         bigint           NOT NULL,
    CONSTRAINT order_outliers_pkey PRIMARY KEY (source_system, source_file, source_row)
);

COMMENT ON TABLE analytics.order_outliers IS 'Sale lines least like their product''s';
COMMENT ON COLUMN analytics.order_outliers.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.order_outliers.order_id IS 'Order the line belongs to; null where the source has none';
COMMENT ON COLUMN analytics.order_outliers.product_id IS 'Product';
COMMENT ON COLUMN analytics.order_outliers.category IS 'Category of the product at the sale; null where unknown';
COMMENT ON COLUMN analytics.order_outliers.sold_at IS 'Instant of the sale, UTC';
COMMENT ON COLUMN analytics.order_outliers.quantity IS 'Pieces';
COMMENT ON COLUMN analytics.order_outliers.net_amount IS 'Net sales of the line';
COMMENT ON COLUMN analytics.order_outliers.unit_price_amount IS 'What one piece cost';
COMMENT ON COLUMN analytics.order_outliers.usual_price_amount IS 'Median price of the product over all days';
COMMENT ON COLUMN analytics.order_outliers.impact_amount IS 'What the line brought in more than at the usual price';
COMMENT ON COLUMN analytics.order_outliers.price_z IS
    'Distance of the price from the product''s median, in robust standard deviations of the logarithm';
COMMENT ON COLUMN analytics.order_outliers.quantity_z IS 'The same of the quantity';
COMMENT ON COLUMN analytics.order_outliers.net_amount_z IS 'The same of the net amount';
COMMENT ON COLUMN analytics.order_outliers.score IS 'Unlikeness: the distances together';
COMMENT ON COLUMN analytics.order_outliers.reason IS 'What counts most in it: price, quantity or amount';
COMMENT ON COLUMN analytics.order_outliers.rank IS '1 for the line that is least like its product';
COMMENT ON COLUMN analytics.order_outliers.source_file IS
    'Raw file the line came from, relative to the folder of its dataset';
COMMENT ON COLUMN analytics.order_outliers.source_row IS 'Line of the raw file';

CREATE TABLE analytics.insights (
    week_date          date             NOT NULL,
    insight_id         text COLLATE "C" NOT NULL,
    theme_id           text COLLATE "C" NOT NULL,
    rank               bigint           NOT NULL CHECK (rank > 0),
    insight_type       text             NOT NULL,
    source_system      text COLLATE "C" NOT NULL,
    dimension          text COLLATE "C" NOT NULL,
    segment            text COLLATE "C" NOT NULL,
    measure            text             NOT NULL,
    first_date         date             NOT NULL,
    last_date          date             NOT NULL,
    value              double precision,
    expected_value     double precision,
    impact_amount      numeric(18, 4)   NOT NULL,
    impact_low_amount  numeric(18, 4)   NOT NULL,
    impact_high_amount numeric(18, 4)   NOT NULL,
    p                  double precision NOT NULL CHECK (p BETWEEN 0 AND 1),
    p_adjusted         double precision NOT NULL CHECK (p_adjusted BETWEEN 0 AND 1),
    tests              bigint           NOT NULL,
    orders             bigint           NOT NULL,
    null_size          bigint           NOT NULL,
    confidence         text             NOT NULL CHECK (confidence IN ('high', 'medium', 'low')),
    is_new             boolean          NOT NULL,
    score              double precision NOT NULL,
    title              text             NOT NULL,
    text               text             NOT NULL,
    action             text             NOT NULL,
    verify             text             NOT NULL,
    evidence           text             NOT NULL,
    sql                text             NOT NULL,
    CONSTRAINT insights_days_check CHECK (first_date <= last_date),
    CONSTRAINT insights_pkey PRIMARY KEY (week_date, insight_id)
);

COMMENT ON TABLE analytics.insights IS 'What was found in each week';
COMMENT ON COLUMN analytics.insights.week_date IS 'Monday of the week of the report';
COMMENT ON COLUMN analytics.insights.insight_id IS 'Names the finding: the same for the same theme and first day';
COMMENT ON COLUMN analytics.insights.theme_id IS
    'Names what it is about: the same for the same type, segment and measure in any period';
COMMENT ON COLUMN analytics.insights.rank IS '1 for the most important finding of the report';
COMMENT ON COLUMN analytics.insights.insight_type IS 'What it looks like';
COMMENT ON COLUMN analytics.insights.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.insights.dimension IS 'total, or the property that segments differ in';
COMMENT ON COLUMN analytics.insights.segment IS
    'The part of the dataset; all for the total, (others) for all but the 100 largest together';
COMMENT ON COLUMN analytics.insights.measure IS 'net_amount, orders, units, price_level or unit_price';
COMMENT ON COLUMN analytics.insights.first_date IS 'First day it speaks of';
COMMENT ON COLUMN analytics.insights.last_date IS 'Last day it speaks of';
COMMENT ON COLUMN analytics.insights.value IS 'What the measure was in these days';
COMMENT ON COLUMN analytics.insights.expected_value IS 'What it was expected to be';
COMMENT ON COLUMN analytics.insights.impact_amount IS 'Deviation in net sales';
COMMENT ON COLUMN analytics.insights.impact_low_amount IS 'Lower end of its 90 % interval';
COMMENT ON COLUMN analytics.insights.impact_high_amount IS 'Upper end of its 90 % interval';
COMMENT ON COLUMN analytics.insights.p IS 'Share of deviations by chance that are as large';
COMMENT ON COLUMN analytics.insights.p_adjusted IS 'The same after all tests of the report (Benjamini and Hochberg)';
COMMENT ON COLUMN analytics.insights.tests IS 'Tests of the report';
COMMENT ON COLUMN analytics.insights.orders IS 'Orders it rests on';
COMMENT ON COLUMN analytics.insights.null_size IS 'Deviations by chance it was compared with';
COMMENT ON COLUMN analytics.insights.confidence IS 'high up to .01, medium up to .05, else low, by p_adjusted';
COMMENT ON COLUMN analytics.insights.is_new IS 'Whether the report of the week before did not show it';
COMMENT ON COLUMN analytics.insights.score IS 'What it is ranked by';
COMMENT ON COLUMN analytics.insights.title IS 'The finding in a line';
COMMENT ON COLUMN analytics.insights.text IS 'The finding in a sentence or two';
COMMENT ON COLUMN analytics.insights.action IS 'What to do';
COMMENT ON COLUMN analytics.insights.verify IS 'How to see that it helped';
COMMENT ON COLUMN analytics.insights.evidence IS 'What else shows it';
COMMENT ON COLUMN analytics.insights.sql IS 'Statement that reproduces value from the schema analytics';

CREATE TABLE analytics.insight_reports (
    week_date            date             NOT NULL,
    tests                bigint           NOT NULL,
    discovered           bigint           NOT NULL,
    insights             bigint           NOT NULL,
    below_floor          bigint           NOT NULL,
    explained            bigint           NOT NULL,
    beyond_cap           bigint           NOT NULL,
    silent_datasets      bigint           NOT NULL,
    false_discovery_rate double precision NOT NULL CHECK (false_discovery_rate BETWEEN 0 AND 1),
    summary              text             NOT NULL,
    reason               text,
    CONSTRAINT insight_reports_discovered_check CHECK (discovered = insights + below_floor + explained + beyond_cap),
    CONSTRAINT insight_reports_pkey PRIMARY KEY (week_date)
);

COMMENT ON TABLE analytics.insight_reports IS
    'The report of each week in a sentence, and how much was looked at for it';
COMMENT ON COLUMN analytics.insight_reports.week_date IS 'Monday of the week';
COMMENT ON COLUMN analytics.insight_reports.tests IS 'Tests that were made';
COMMENT ON COLUMN analytics.insight_reports.discovered IS 'Those that are more than chance';
COMMENT ON COLUMN analytics.insight_reports.insights IS 'Findings that are shown';
COMMENT ON COLUMN analytics.insight_reports.below_floor IS 'Discoveries about too little money';
COMMENT ON COLUMN analytics.insight_reports.explained IS 'Discoveries that another finding explains';
COMMENT ON COLUMN analytics.insight_reports.beyond_cap IS 'Discoveries beyond the number that a report shows';
COMMENT ON COLUMN analytics.insight_reports.silent_datasets IS
    'Datasets that sold nothing in the whole week, though they had before';
COMMENT ON COLUMN analytics.insight_reports.false_discovery_rate IS 'Share of discoveries that may be false';
COMMENT ON COLUMN analytics.insight_reports.summary IS 'The report in a sentence';
COMMENT ON COLUMN analytics.insight_reports.reason IS 'Why nothing can be said of the week; null where something can';

CREATE TABLE analytics.sales_changes (
    source_system                  text COLLATE "C" NOT NULL,
    dimension                      text COLLATE "C" NOT NULL,
    segment                        text COLLATE "C" NOT NULL,
    week_date                      date             NOT NULL,
    baseline_weeks                 bigint           NOT NULL,
    net_before_amount              numeric(18, 4)   NOT NULL,
    net_after_amount               numeric(18, 4)   NOT NULL,
    buyers_effect_amount           numeric(18, 4)   NOT NULL,
    orders_per_buyer_effect_amount numeric(18, 4)   NOT NULL,
    units_per_order_effect_amount  numeric(18, 4)   NOT NULL,
    price_per_unit_effect_amount   numeric(18, 4)   NOT NULL,
    method                         text             NOT NULL,
    CONSTRAINT sales_changes_pkey PRIMARY KEY (source_system, dimension, segment, week_date)
);

COMMENT ON TABLE analytics.sales_changes IS 'Why net sales of a week differ from the mean of the weeks before it';
COMMENT ON COLUMN analytics.sales_changes.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.sales_changes.dimension IS 'total, or the property that segments differ in';
COMMENT ON COLUMN analytics.sales_changes.segment IS
    'The part of the dataset; all for the total, (others) for all but the 100 largest together';
COMMENT ON COLUMN analytics.sales_changes.week_date IS 'Monday of the week';
COMMENT ON COLUMN analytics.sales_changes.baseline_weeks IS 'How many weeks before it, whose mean it is compared with';
COMMENT ON COLUMN analytics.sales_changes.net_before_amount IS 'Net sales of these weeks, in the mean';
COMMENT ON COLUMN analytics.sales_changes.net_after_amount IS 'Net sales of the week';
COMMENT ON COLUMN analytics.sales_changes.buyers_effect_amount IS 'Change from more or fewer buyers';
COMMENT ON COLUMN analytics.sales_changes.orders_per_buyer_effect_amount IS 'Change from orders per buyer';
COMMENT ON COLUMN analytics.sales_changes.units_per_order_effect_amount IS 'Change from units per order';
COMMENT ON COLUMN analytics.sales_changes.price_per_unit_effect_amount IS 'Change from net sales per unit';
COMMENT ON COLUMN analytics.sales_changes.method IS
    'How the change was decomposed: LMDI, or Shapley where a factor is zero or negative';

CREATE TABLE analytics.sales_contributions (
    source_system        text COLLATE "C" NOT NULL,
    dimension            text COLLATE "C" NOT NULL,
    segment              text COLLATE "C" NOT NULL,
    week_date            date             NOT NULL,
    net_before_amount    numeric(18, 4)   NOT NULL,
    net_after_amount     numeric(18, 4)   NOT NULL,
    change_share         double precision NOT NULL CHECK (change_share BETWEEN 0 AND 1),
    unexpected_amount    numeric(18, 4)   NOT NULL,
    volume_effect_amount numeric(18, 4)   NOT NULL,
    mix_effect_amount    numeric(18, 4)   NOT NULL,
    rate_effect_amount   numeric(18, 4)   NOT NULL,
    CONSTRAINT sales_contributions_pkey PRIMARY KEY (source_system, dimension, segment, week_date)
);

COMMENT ON TABLE analytics.sales_contributions IS 'Which segments the change of net sales of a week came from';
COMMENT ON COLUMN analytics.sales_contributions.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.sales_contributions.dimension IS 'total, or the property that segments differ in';
COMMENT ON COLUMN analytics.sales_contributions.segment IS
    'The part of the dataset; all for the total, (others) for all but the 100 largest together';
COMMENT ON COLUMN analytics.sales_contributions.week_date IS 'Monday of the week';
COMMENT ON COLUMN analytics.sales_contributions.net_before_amount IS 'Net sales of the weeks before it, in the mean';
COMMENT ON COLUMN analytics.sales_contributions.net_after_amount IS 'Net sales of the week';
COMMENT ON COLUMN analytics.sales_contributions.change_share IS 'Share of all segments'' changes, whatever their signs';
COMMENT ON COLUMN analytics.sales_contributions.unexpected_amount IS
    'More or less than if the segment had moved like the whole';
COMMENT ON COLUMN analytics.sales_contributions.volume_effect_amount IS 'Change from units of the whole';
COMMENT ON COLUMN analytics.sales_contributions.mix_effect_amount IS 'Change from the share of the segment in them';
COMMENT ON COLUMN analytics.sales_contributions.rate_effect_amount IS 'Change from net sales per unit';

CREATE TABLE analytics.insight_placebo (
    week_date          date             NOT NULL,
    runs               bigint           NOT NULL,
    runs_with_findings bigint           NOT NULL,
    false_report_rate  double precision CHECK (false_report_rate BETWEEN 0 AND 1),
    findings           bigint           NOT NULL,
    seed               bigint           NOT NULL,
    reason             text,
    CONSTRAINT insight_placebo_runs_check CHECK (runs_with_findings BETWEEN 0 AND runs),
    CONSTRAINT insight_placebo_pkey PRIMARY KEY (week_date)
);

COMMENT ON TABLE analytics.insight_placebo IS
    'How often the weekly tests find something in weeks in a random order; tests of days and prices are not tried';
COMMENT ON COLUMN analytics.insight_placebo.week_date IS 'Monday of the report it belongs to';
COMMENT ON COLUMN analytics.insight_placebo.runs IS 'Reports on weeks in a random order';
COMMENT ON COLUMN analytics.insight_placebo.runs_with_findings IS 'Those of them that found something; weeks in which something happened are among them';
COMMENT ON COLUMN analytics.insight_placebo.false_report_rate IS 'Their share; null where the history is too short';
COMMENT ON COLUMN analytics.insight_placebo.findings IS 'Findings of all of them';
COMMENT ON COLUMN analytics.insight_placebo.seed IS 'Of the random orders';
COMMENT ON COLUMN analytics.insight_placebo.reason IS 'Why no report could be made; null where some were';
