-- What the analytics say about products and categories.

-- Amounts of different currencies are never subtracted: a product tells what its own are in.
ALTER TABLE warehouse.dim_product ADD COLUMN price_currency text COLLATE "C";
COMMENT ON COLUMN warehouse.dim_product.price_currency IS
    'Currency of price, list price and cost, ISO 4217, as configured for the catalogue; null where it is in none';
COMMENT ON COLUMN warehouse.fct_sales.cost_amount IS
    'Quantity times the cost of the product at the sale; negative for returns; null where either is unknown, or the '
    'cost is in another currency';

CREATE TABLE analytics.product_performance (
    product_id                   text COLLATE "C" NOT NULL,
    currency                     text COLLATE "C" NOT NULL,
    as_of_date                   date NOT NULL,
    product_name                 text,
    category                     text COLLATE "C",
    sub_category                 text COLLATE "C",
    brand                        text,
    first_sale_date              date,
    last_sale_date               date,
    orders                       bigint NOT NULL,
    customers                    bigint NOT NULL,
    units_sold                   bigint,
    units_returned               bigint,
    gross_sales_amount           numeric(18, 4) NOT NULL,
    discounts_amount             numeric(18, 4) NOT NULL,
    returns_amount               numeric(18, 4) NOT NULL,
    net_sales_amount             numeric(18, 4) NOT NULL,
    profit_amount                numeric(18, 4),
    net_sales_with_profit_amount numeric(18, 4),
    margin_rate                  double precision,
    margin_coverage_rate         double precision,
    margin_reason                text,
    discount_rate                double precision,
    return_rate                  double precision,
    period_amount                numeric(18, 4) NOT NULL,
    previous_period_amount       numeric(18, 4) NOT NULL,
    growth_rate                  double precision,
    growth_reason                text,
    revenue_rate                 double precision,
    cumulative_rate              double precision,
    abc_class                    text COLLATE "C" NOT NULL,
    CONSTRAINT product_performance_pkey PRIMARY KEY (product_id, currency),
    CONSTRAINT product_performance_sales_add_up CHECK (
        net_sales_amount = gross_sales_amount - discounts_amount - returns_amount),
    CONSTRAINT product_performance_rates_in_range CHECK (
        revenue_rate BETWEEN 0 AND 1 AND cumulative_rate BETWEEN 0 AND 1),
    CONSTRAINT product_performance_class_known CHECK (abc_class IN ('A', 'B', 'C')),
    CONSTRAINT product_performance_margin_or_reason CHECK ((margin_rate IS NULL) = (margin_reason IS NOT NULL)),
    CONSTRAINT product_performance_growth_or_reason CHECK ((growth_rate IS NULL) = (growth_reason IS NOT NULL))
);

COMMENT ON TABLE analytics.product_performance IS
    'One row per product that was sold, and currency it was sold in; described as it is now';
COMMENT ON COLUMN analytics.product_performance.product_id IS 'Product';
COMMENT ON COLUMN analytics.product_performance.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.product_performance.as_of_date IS 'Last day that counts';
COMMENT ON COLUMN analytics.product_performance.product_name IS 'Newest known name';
COMMENT ON COLUMN analytics.product_performance.category IS 'Its category now';
COMMENT ON COLUMN analytics.product_performance.sub_category IS 'Its sub-category now';
COMMENT ON COLUMN analytics.product_performance.brand IS 'Its brand now';
COMMENT ON COLUMN analytics.product_performance.first_sale_date IS 'Day of its first sale';
COMMENT ON COLUMN analytics.product_performance.last_sale_date IS 'Day of its last sale';
COMMENT ON COLUMN analytics.product_performance.orders IS 'Different orders it was in; returns are none';
COMMENT ON COLUMN analytics.product_performance.customers IS 'Different named customers who bought it';
COMMENT ON COLUMN analytics.product_performance.units_sold IS 'Pieces sold; null where no source says';
COMMENT ON COLUMN analytics.product_performance.units_returned IS
    'Pieces that came back, as a positive number; null where no source says';
COMMENT ON COLUMN analytics.product_performance.gross_sales_amount IS 'Value of what was sold, before discounts';
COMMENT ON COLUMN analytics.product_performance.discounts_amount IS 'Discounts, as a positive number';
COMMENT ON COLUMN analytics.product_performance.returns_amount IS 'Value of what came back, as a positive number';
COMMENT ON COLUMN analytics.product_performance.net_sales_amount IS 'Gross sales less discounts less returns';
COMMENT ON COLUMN analytics.product_performance.profit_amount IS
    'Profit by the source, else net sales less cost, of the lines where it is known';
COMMENT ON COLUMN analytics.product_performance.net_sales_with_profit_amount IS
    'Net sales of the lines whose profit is known: what the margin is a share of';
COMMENT ON COLUMN analytics.product_performance.margin_rate IS
    'Profit as a share of the net sales of the lines whose profit is known';
COMMENT ON COLUMN analytics.product_performance.margin_coverage_rate IS 'Share of the net sales whose profit is known';
COMMENT ON COLUMN analytics.product_performance.margin_reason IS 'Why there is no margin';
COMMENT ON COLUMN analytics.product_performance.discount_rate IS 'Discounts as a share of gross sales';
COMMENT ON COLUMN analytics.product_performance.return_rate IS
    'Returns as a share of gross sales; above 1 where more came back than was sold';
COMMENT ON COLUMN analytics.product_performance.period_amount IS 'Net sales of the newest period (91 days)';
COMMENT ON COLUMN analytics.product_performance.previous_period_amount IS 'Net sales of as many days before';
COMMENT ON COLUMN analytics.product_performance.growth_rate IS 'Change between the two periods; 0.1 is a tenth more';
COMMENT ON COLUMN analytics.product_performance.growth_reason IS 'Why there is no growth';
COMMENT ON COLUMN analytics.product_performance.revenue_rate IS
    'Share of the net sales of all products of the currency that sold for more than nothing';
COMMENT ON COLUMN analytics.product_performance.cumulative_rate IS 'Share of it and all that sold for more';
COMMENT ON COLUMN analytics.product_performance.abc_class IS 'A up to 80 % of revenue, B up to 95 %, C the rest';

CREATE TABLE analytics.price_changes (
    product_id            text COLLATE "C" NOT NULL,
    source                text COLLATE "C" NOT NULL,
    currency              text COLLATE "C" NOT NULL,
    changed_date          date NOT NULL,
    last_seen_before_date date,
    before_amount         numeric(18, 4) NOT NULL,
    after_amount          numeric(18, 4) NOT NULL,
    change_rate           double precision,
    is_temporary          boolean NOT NULL,
    days_seen             integer,
    CONSTRAINT price_changes_pkey PRIMARY KEY (product_id, source, currency, changed_date),
    CONSTRAINT price_changes_source_known CHECK (source IN ('catalogue', 'sales')),
    CONSTRAINT price_changes_is_a_change CHECK (before_amount <> after_amount)
);

COMMENT ON TABLE analytics.price_changes IS 'One row per change of a product''s price';
COMMENT ON COLUMN analytics.price_changes.product_id IS 'Product';
COMMENT ON COLUMN analytics.price_changes.source IS
    'Who says so: catalogue (a version with another price begins) or sales (another price was asked)';
COMMENT ON COLUMN analytics.price_changes.currency IS
    'Currency of the prices, ISO 4217; of the catalogue or the dataset, as configured';
COMMENT ON COLUMN analytics.price_changes.changed_date IS 'First day of the new price';
COMMENT ON COLUMN analytics.price_changes.last_seen_before_date IS
    'Last day the price before was asked; null by the catalogue';
COMMENT ON COLUMN analytics.price_changes.before_amount IS 'Price before';
COMMENT ON COLUMN analytics.price_changes.after_amount IS 'Price after';
COMMENT ON COLUMN analytics.price_changes.change_rate IS
    'Change of the price; -0.2 is a fifth cheaper; null where the price before was 0';
COMMENT ON COLUMN analytics.price_changes.is_temporary IS 'Whether the price before came back within a month';
COMMENT ON COLUMN analytics.price_changes.days_seen IS
    'Days on which the new price was the usual one; null by the catalogue';

CREATE TABLE analytics.product_affinity (
    level                  text COLLATE "C" NOT NULL,
    item_a                 text COLLATE "C" NOT NULL,
    item_b                 text COLLATE "C" NOT NULL,
    baskets                bigint NOT NULL,
    baskets_a              bigint NOT NULL,
    baskets_b              bigint NOT NULL,
    baskets_both           bigint NOT NULL,
    expected_baskets       double precision NOT NULL,
    support_rate           double precision NOT NULL,
    confidence_a_to_b_rate double precision NOT NULL,
    confidence_b_to_a_rate double precision NOT NULL,
    lift                   double precision NOT NULL,
    p_value                double precision NOT NULL,
    q_value                double precision NOT NULL,
    is_significant         boolean NOT NULL,
    CONSTRAINT product_affinity_pkey PRIMARY KEY (item_a, item_b),
    CONSTRAINT product_affinity_rates_in_range CHECK (
        support_rate BETWEEN 0 AND 1
        AND confidence_a_to_b_rate BETWEEN 0 AND 1
        AND confidence_b_to_a_rate BETWEEN 0 AND 1
        AND p_value BETWEEN 0 AND 1
        AND q_value BETWEEN 0 AND 1),
    CONSTRAINT product_affinity_counts_possible CHECK (
        baskets_both <= least(baskets_a, baskets_b) AND greatest(baskets_a, baskets_b) <= baskets),
    CONSTRAINT product_affinity_items_in_order CHECK (item_a < item_b)
);

COMMENT ON TABLE analytics.product_affinity IS 'One row per pair of products that were together in enough orders';
COMMENT ON COLUMN analytics.product_affinity.level IS 'What the items are: product or category';
COMMENT ON COLUMN analytics.product_affinity.item_a IS 'The item that comes first in the alphabet';
COMMENT ON COLUMN analytics.product_affinity.item_b IS 'The other item';
COMMENT ON COLUMN analytics.product_affinity.baskets IS 'Orders that were looked at';
COMMENT ON COLUMN analytics.product_affinity.baskets_a IS 'Those with the first item';
COMMENT ON COLUMN analytics.product_affinity.baskets_b IS 'Those with the second item';
COMMENT ON COLUMN analytics.product_affinity.baskets_both IS 'Those with both';
COMMENT ON COLUMN analytics.product_affinity.expected_baskets IS
    'Orders that would have both if every line were drawn by itself, given what orders there are';
COMMENT ON COLUMN analytics.product_affinity.support_rate IS 'Share of the orders with both';
COMMENT ON COLUMN analytics.product_affinity.confidence_a_to_b_rate IS
    'Share of the orders with the first item that have the second, too';
COMMENT ON COLUMN analytics.product_affinity.confidence_b_to_a_rate IS
    'Share of the orders with the second item that have the first, too';
COMMENT ON COLUMN analytics.product_affinity.lift IS
    'How many times as often together as expected';
COMMENT ON COLUMN analytics.product_affinity.p_value IS
    'How often chance alone would bring them together so often (binomial, one-sided)';
COMMENT ON COLUMN analytics.product_affinity.q_value IS
    'The same with regard to all pairs of frequent items (Benjamini and Hochberg)';
COMMENT ON COLUMN analytics.product_affinity.is_significant IS
    'Whether it may be believed: at most one in twenty of such pairs is chance';

CREATE TABLE analytics.category_affinity (
    level                  text COLLATE "C" NOT NULL,
    item_a                 text COLLATE "C" NOT NULL,
    item_b                 text COLLATE "C" NOT NULL,
    baskets                bigint NOT NULL,
    baskets_a              bigint NOT NULL,
    baskets_b              bigint NOT NULL,
    baskets_both           bigint NOT NULL,
    expected_baskets       double precision NOT NULL,
    support_rate           double precision NOT NULL,
    confidence_a_to_b_rate double precision NOT NULL,
    confidence_b_to_a_rate double precision NOT NULL,
    lift                   double precision NOT NULL,
    p_value                double precision NOT NULL,
    q_value                double precision NOT NULL,
    is_significant         boolean NOT NULL,
    CONSTRAINT category_affinity_pkey PRIMARY KEY (item_a, item_b),
    CONSTRAINT category_affinity_rates_in_range CHECK (
        support_rate BETWEEN 0 AND 1
        AND confidence_a_to_b_rate BETWEEN 0 AND 1
        AND confidence_b_to_a_rate BETWEEN 0 AND 1
        AND p_value BETWEEN 0 AND 1
        AND q_value BETWEEN 0 AND 1),
    CONSTRAINT category_affinity_counts_possible CHECK (
        baskets_both <= least(baskets_a, baskets_b) AND greatest(baskets_a, baskets_b) <= baskets),
    CONSTRAINT category_affinity_items_in_order CHECK (item_a < item_b)
);

COMMENT ON TABLE analytics.category_affinity IS 'One row per pair of categories that were together in enough orders';
COMMENT ON COLUMN analytics.category_affinity.level IS 'What the items are: product or category';
COMMENT ON COLUMN analytics.category_affinity.item_a IS 'The item that comes first in the alphabet';
COMMENT ON COLUMN analytics.category_affinity.item_b IS 'The other item';
COMMENT ON COLUMN analytics.category_affinity.baskets IS 'Orders that were looked at';
COMMENT ON COLUMN analytics.category_affinity.baskets_a IS 'Those with the first item';
COMMENT ON COLUMN analytics.category_affinity.baskets_b IS 'Those with the second item';
COMMENT ON COLUMN analytics.category_affinity.baskets_both IS 'Those with both';
COMMENT ON COLUMN analytics.category_affinity.expected_baskets IS
    'Orders that would have both if every line were drawn by itself, given what orders there are';
COMMENT ON COLUMN analytics.category_affinity.support_rate IS 'Share of the orders with both';
COMMENT ON COLUMN analytics.category_affinity.confidence_a_to_b_rate IS
    'Share of the orders with the first item that have the second, too';
COMMENT ON COLUMN analytics.category_affinity.confidence_b_to_a_rate IS
    'Share of the orders with the second item that have the first, too';
COMMENT ON COLUMN analytics.category_affinity.lift IS
    'How many times as often together as expected';
COMMENT ON COLUMN analytics.category_affinity.p_value IS
    'How often chance alone would bring them together so often (binomial, one-sided)';
COMMENT ON COLUMN analytics.category_affinity.q_value IS
    'The same with regard to all pairs of frequent items (Benjamini and Hochberg)';
COMMENT ON COLUMN analytics.category_affinity.is_significant IS
    'Whether it may be believed: at most one in twenty of such pairs is chance';

CREATE TABLE analytics.category_trends (
    source_system        text COLLATE "C" NOT NULL,
    category             text COLLATE "C" NOT NULL,
    currency             text COLLATE "C" NOT NULL,
    first_week_date      date,
    last_week_date       date,
    weeks                integer NOT NULL,
    growth_per_year_rate double precision,
    low_rate             double precision,
    high_rate            double precision,
    p_value              double precision,
    reason               text,
    CONSTRAINT category_trends_pkey PRIMARY KEY (source_system, category),
    CONSTRAINT category_trends_p_value_in_range CHECK (p_value BETWEEN 0 AND 1),
    CONSTRAINT category_trends_trend_or_reason CHECK ((growth_per_year_rate IS NULL) = (reason IS NOT NULL)),
    CONSTRAINT category_trends_interval_in_order CHECK (
        low_rate <= growth_per_year_rate AND growth_per_year_rate <= high_rate)
);

COMMENT ON TABLE analytics.category_trends IS 'One row per dataset and category: where its weekly net sales go';
COMMENT ON COLUMN analytics.category_trends.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.category_trends.category IS 'Category that products have now';
COMMENT ON COLUMN analytics.category_trends.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.category_trends.first_week_date IS 'Monday of its first complete week with a sale';
COMMENT ON COLUMN analytics.category_trends.last_week_date IS 'Monday of the last complete week';
COMMENT ON COLUMN analytics.category_trends.weeks IS 'Complete weeks in between';
COMMENT ON COLUMN analytics.category_trends.growth_per_year_rate IS
    'By how much weekly net sales grow in a year, seasons apart (Hirsch, Slack and Smith); 0.1 is a tenth more';
COMMENT ON COLUMN analytics.category_trends.low_rate IS 'Lower end of its 95 % interval';
COMMENT ON COLUMN analytics.category_trends.high_rate IS 'Upper end of its 95 % interval';
COMMENT ON COLUMN analytics.category_trends.p_value IS 'How often there is such a trend by chance (seasonal Kendall test)';
COMMENT ON COLUMN analytics.category_trends.reason IS 'Why there is no trend';

CREATE TABLE analytics.category_changes (
    source_system     text COLLATE "C" NOT NULL,
    category          text COLLATE "C" NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    change_date       date NOT NULL,
    is_against_others boolean NOT NULL,
    change_rate       double precision NOT NULL,
    low_rate          double precision NOT NULL,
    high_rate         double precision NOT NULL,
    before_amount     numeric(18, 4) NOT NULL,
    after_amount      numeric(18, 4) NOT NULL,
    p_value           double precision NOT NULL,
    q_value           double precision NOT NULL,
    is_significant    boolean NOT NULL,
    CONSTRAINT category_changes_pkey PRIMARY KEY (source_system, category, change_date),
    CONSTRAINT category_changes_rates_in_range CHECK (p_value BETWEEN 0 AND 1 AND q_value BETWEEN 0 AND 1),
    CONSTRAINT category_changes_interval_in_order CHECK (low_rate <= change_rate AND change_rate <= high_rate)
);

COMMENT ON TABLE analytics.category_changes IS 'One row per week in which a category of a dataset changed its level for good';
COMMENT ON COLUMN analytics.category_changes.source_system IS 'Dataset';
COMMENT ON COLUMN analytics.category_changes.category IS 'Category that products have now';
COMMENT ON COLUMN analytics.category_changes.currency IS
    'Currency of the amounts, ISO 4217: amounts of different ones cannot be added';
COMMENT ON COLUMN analytics.category_changes.change_date IS 'Monday of the first week on the new level';
COMMENT ON COLUMN analytics.category_changes.is_against_others IS
    'Whether what all categories did alike was taken off first';
COMMENT ON COLUMN analytics.category_changes.change_rate IS
    'By how much, apart from its trend; -0.3 is three tenths less';
COMMENT ON COLUMN analytics.category_changes.low_rate IS 'Lower end of its 95 % interval';
COMMENT ON COLUMN analytics.category_changes.high_rate IS 'Upper end of its 95 % interval';
COMMENT ON COLUMN analytics.category_changes.before_amount IS 'Median weekly net sales of the 13 weeks before';
COMMENT ON COLUMN analytics.category_changes.after_amount IS 'Median weekly net sales of the 13 weeks after';
COMMENT ON COLUMN analytics.category_changes.p_value IS
    'How often a series without a change has one as clear (bootstrap)';
COMMENT ON COLUMN analytics.category_changes.q_value IS
    'The same with regard to all categories (Benjamini and Hochberg)';
COMMENT ON COLUMN analytics.category_changes.is_significant IS
    'Whether it may be believed: at most one in ten of such changes is chance';

CREATE TABLE analytics.gone_products (
    product_id      text COLLATE "C" NOT NULL,
    product_group   text COLLATE "C" NOT NULL,
    first_sale_date date NOT NULL,
    last_sale_date  date NOT NULL,
    orders          bigint NOT NULL,
    silent_days     integer NOT NULL,
    expected_orders double precision NOT NULL,
    p_value         double precision NOT NULL,
    CONSTRAINT gone_products_pkey PRIMARY KEY (product_id),
    CONSTRAINT gone_products_p_value_in_range CHECK (p_value BETWEEN 0 AND 1),
    CONSTRAINT gone_products_counts_positive CHECK (orders > 0 AND silent_days > 0)
);

COMMENT ON TABLE analytics.gone_products IS 'One row per product that is silent for longer than chance explains';
COMMENT ON COLUMN analytics.gone_products.product_id IS 'Product';
COMMENT ON COLUMN analytics.gone_products.product_group IS 'Its sub-category, else its category';
COMMENT ON COLUMN analytics.gone_products.first_sale_date IS 'Day of its first sale';
COMMENT ON COLUMN analytics.gone_products.last_sale_date IS 'Day of its last sale';
COMMENT ON COLUMN analytics.gone_products.orders IS 'Orders it was in';
COMMENT ON COLUMN analytics.gone_products.silent_days IS 'Days since its last sale';
COMMENT ON COLUMN analytics.gone_products.expected_orders IS
    'How many it would have had in them at the rate of its life';
COMMENT ON COLUMN analytics.gone_products.p_value IS 'How often such a product has none all the same (Poisson)';

CREATE TABLE analytics.substitutes (
    product_id       text COLLATE "C" NOT NULL,
    last_sale_date   date NOT NULL,
    successor_id     text COLLATE "C" NOT NULL,
    window_days      integer NOT NULL,
    lost_orders      bigint NOT NULL,
    orders_before    bigint,
    orders_after     bigint,
    expected_orders  double precision,
    gained_orders    double precision,
    taken_over_rate  double precision,
    shared_customers bigint,
    customer_lift    double precision,
    baskets_together bigint,
    p_value          double precision,
    q_value          double precision,
    is_substitute    boolean NOT NULL,
    reason           text,
    CONSTRAINT substitutes_pkey PRIMARY KEY (product_id, successor_id),
    CONSTRAINT substitutes_rates_in_range CHECK (p_value BETWEEN 0 AND 1 AND q_value BETWEEN 0 AND 1),
    CONSTRAINT substitutes_successor_or_reason CHECK ((successor_id = 'none') = (reason IS NOT NULL)),
    CONSTRAINT substitutes_is_another CHECK (product_id <> successor_id)
);

COMMENT ON TABLE analytics.substitutes IS
    'One row per product that is gone and product of its group that sold more afterwards';
COMMENT ON COLUMN analytics.substitutes.product_id IS 'Product that is gone';
COMMENT ON COLUMN analytics.substitutes.last_sale_date IS 'Day of its last sale';
COMMENT ON COLUMN analytics.substitutes.successor_id IS 'Product that sold more afterwards; none where nothing did';
COMMENT ON COLUMN analytics.substitutes.window_days IS 'Days compared before and after';
COMMENT ON COLUMN analytics.substitutes.lost_orders IS 'Orders of the gone product in the window before';
COMMENT ON COLUMN analytics.substitutes.orders_before IS 'Orders of the successor in the window before';
COMMENT ON COLUMN analytics.substitutes.orders_after IS 'Orders of the successor in the window after';
COMMENT ON COLUMN analytics.substitutes.expected_orders IS 'Orders it would have had as the rest of the shop moved';
COMMENT ON COLUMN analytics.substitutes.gained_orders IS 'What it had beyond them';
COMMENT ON COLUMN analytics.substitutes.taken_over_rate IS
    'Share of what the gone product would have had; above 1 where it gained more';
COMMENT ON COLUMN analytics.substitutes.shared_customers IS
    'Customers of the gone product who bought the successor after';
COMMENT ON COLUMN analytics.substitutes.customer_lift IS
    'How many times likelier they were to than all buyers of the group; null where unknown';
COMMENT ON COLUMN analytics.substitutes.baskets_together IS 'Orders with both while both were sold';
COMMENT ON COLUMN analytics.substitutes.p_value IS 'How often chance gives so many orders after (binomial)';
COMMENT ON COLUMN analytics.substitutes.q_value IS
    'The same with regard to all candidates of all gone products (Benjamini and Hochberg)';
COMMENT ON COLUMN analytics.substitutes.is_substitute IS 'Whether it is believed to be a substitute';
COMMENT ON COLUMN analytics.substitutes.reason IS 'Why there is no successor';
