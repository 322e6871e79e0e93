"""The tables about all that is known of customers."""

import pyarrow as pa

from platform_assets.engines.engine import MONEY

CUSTOMER_360_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("source_systems", pa.string()),
        ("customer_segment", pa.string()),
        ("country", pa.string()),
        ("currency", pa.string()),
        ("first_order_date", pa.date32()),
        ("last_order_date", pa.date32()),
        ("orders", pa.int64()),
        ("sale_lines", pa.int64()),
        ("return_lines", pa.int64()),
        ("sales_amount", MONEY),
        ("returns_amount", MONEY),
        ("net_revenue_amount", MONEY),
        ("margin_amount", MONEY),
        ("margin_known_amount", MONEY),
        ("margin_coverage_rate", pa.float64()),
        ("favourite_category", pa.string()),
        ("favourite_channel", pa.string()),
        ("recency_score", pa.int16()),
        ("frequency_score", pa.int16()),
        ("monetary_score", pa.int16()),
        ("rfm_segment", pa.string()),
        ("value_amount", MONEY),
        ("value_low_amount", MONEY),
        ("value_high_amount", MONEY),
        ("value_basis", pa.string()),
        ("value_horizon_days", pa.int32()),
        ("value_reason", pa.string()),
        ("churn_rate", pa.float64()),
        ("churn_horizon_days", pa.int32()),
        ("churn_reason", pa.string()),
        ("value_at_stake_amount", MONEY),
        ("stake_rank", pa.int64()),
        ("next_best_action", pa.string()),
        ("next_best_action_title", pa.string()),
        ("is_held_out", pa.bool_()),
        ("is_inferred", pa.bool_()),
        ("has_several_names", pa.bool_()),
        ("has_several_segments", pa.bool_()),
        ("has_several_countries", pa.bool_()),
        ("lines_without_product_rate", pa.float64()),
        ("lines_in_other_currencies", pa.int64()),
    ]
)
"""One row per customer with a sale line up to ``as_of_date``, of all that was known then; one id is one customer in all
datasets.

- ``source_systems``: datasets that know the customer, a comma between them
- ``customer_segment``, ``country``: as the sources had them on that day; missing where no source says
- ``currency``: of all amounts; sale lines in others are counted in ``lines_in_other_currencies`` and nowhere else
- ``first_order_date``, ``last_order_date``: missing for those who never ordered
- ``orders``: different ones within their dataset, a line without a number is one by itself; returns are none
- ``sale_lines``, ``return_lines``: lines of core/sales
- ``sales_amount``: before returns; ``returns_amount``: as a positive number; ``net_revenue_amount``: one less the other
- ``margin_amount``: of the lines whose profit or cost is known, missing where of none; ``margin_known_amount``: their
  net revenue; ``margin_coverage_rate``: share of lines that they are, 0 to 1
- ``favourite_category``, ``favourite_channel``: with the most sales in money; the first by name of equal ones
- ``recency_score``, ``frequency_score``, ``monetary_score``: 1 to 5 (best), missing for prospects; ``rfm_segment``
- ``value_amount``: expected within ``value_horizon_days``, discounted: margin, known or estimated, or revenue, as
  ``value_basis`` says; ``value_low_amount``, ``value_high_amount``: its interval; ``value_reason``: why there is none
- ``churn_rate``: probability of no order within ``churn_horizon_days``; ``churn_reason``: why there is none
- ``value_at_stake_amount``: churn probability times value within that horizon; ``stake_rank``: 1 for the most
- ``next_best_action``: of the rule table; not to be taken where ``is_held_out``, so that its effect can be measured
- ``is_inferred``: known from sale lines alone; ``has_several_names``, ``has_several_segments``,
  ``has_several_countries``: sources contradict each other, so that one id may be several people
- ``lines_without_product_rate``: share of lines that name no product, 0 to 1; missing without lines
"""

BALANCE_SCHEMA = pa.schema([("part", pa.string()), ("sale_lines", pa.int64()), ("net_amount", MONEY)])
"""Where the lines of core/sales are, counted from there and not from the customers; every line is in one part.

``part``: ``customers`` (in the table of customers), ``guests`` (no customer named), ``other currencies``, ``later``
(than the day) or ``all``. ``net_amount``: their net revenue; missing for parts of several currencies.
"""
