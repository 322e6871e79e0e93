"""Lifetime value: how often each customer will buy, for how much, and what that is worth today.

Belongs here: customer summaries, the transaction models (BG/NBD, MBG/NBD, Pareto/NBD), the spend model (Gamma-Gamma),
the choice between models on a holdout, fits per group, and discounted value with intervals. Does not belong here:
who will leave and what to do about it (``churn``).
"""
