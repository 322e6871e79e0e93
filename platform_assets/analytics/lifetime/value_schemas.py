"""The tables of lifetime value."""

import pyarrow as pa

from platform_assets.engines.engine import MONEY

VALUES_SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of_date", pa.date32()),
        ("horizon_days", pa.int32()),
        ("model", pa.string()),
        ("fitted_group", pa.string()),
        ("alive_rate", pa.float64()),
        ("active_rate", pa.float64()),
        ("expected_orders", pa.float64()),
        ("discounted_orders", pa.float64()),
        ("expected_spend_amount", MONEY),
        ("has_own_spend", pa.bool_()),
        ("value_basis", pa.string()),
        ("value_amount", MONEY),
        ("value_low_amount", MONEY),
        ("value_high_amount", MONEY),
        ("outcome_low_amount", MONEY),
        ("outcome_high_amount", MONEY),
        ("reason", pa.string()),
    ]
)
"""One row per customer.

- ``model``, ``fitted_group``: what they are scored with; the group is ``all`` where theirs is not fitted apart
- ``alive_rate``: P(alive) on the day of the view; no churn score
- ``active_rate``: probability of at least one order within the horizon
- ``expected_orders``: within the horizon; ``discounted_orders``: each counted at its present value
- ``expected_spend_amount``: per order with money in it; ``has_own_spend``: whether repeat orders of their own were
  known for it
- ``value_basis``: ``margin`` where the profit of four fifths of the customer's sales or more is known, else
  ``estimated margin``, by the margin of the sales where it is known; ``revenue`` for everyone where the profit of less
  than a fifth of all sales is known
- ``value_amount``: discounted expected margin or revenue, less the free orders and the returns that are usual
- ``value_low_amount``, ``value_high_amount``: interval of that expectation (parametric bootstrap of the parameters),
  which the value is always in; an end is missing where by parameters that may well be true it is not finite
- ``outcome_low_amount``, ``outcome_high_amount``: interval of what this customer will really bring, chance included
- ``reason``: why there is no value; missing where there is one
"""

TOTALS_SCHEMA = pa.schema(
    [
        ("value_basis", pa.string()),
        ("customers", pa.int64()),
        ("value_amount", MONEY),
        ("value_low_amount", MONEY),
        ("value_high_amount", MONEY),
    ]
)
"""The value of all customers whose value is of one kind, with the interval of that expectation, of which an end may be
missing as it may of theirs.

Margin and estimated margin can be added up.

The interval knows how well parameters are known, not whether the model is right: for that, see the bias on the holdout.
"""
