"""Fits per cohort or channel, where there are enough customers and the groups do differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import chi2

from platform_assets.analytics.lifetime.fitting import fit, log_likelihood
from platform_assets.analytics.lifetime.gamma_gamma import SpendFit
from platform_assets.analytics.lifetime.histories import Histories
from platform_assets.analytics.lifetime.model import Fit, TransactionModel

LEAST = 500
"""With fewer customers a group is not fitted by itself."""
SIGNIFICANCE = 0.01
"""Of the likelihood-ratio test from which on groups are fitted apart."""
POOLED = "all"
"""The group of everyone whose own is too small, or not different."""
SPEND, SPEND_MODEL = "spend", "gamma_gamma"
"""The grouping and the model of the rows of the spend model, which is fitted to everyone."""

GROUPS_SCHEMA = pa.schema(
    [
        ("grouping", pa.string()),
        ("fitted_group", pa.string()),
        ("model", pa.string()),
        ("customers", pa.int64()),
        ("parameter", pa.string()),
        ("value", pa.float64()),
        ("standard_error", pa.float64()),
        ("log_likelihood", pa.float64()),
        ("is_converged", pa.bool_()),
        ("is_used", pa.bool_()),
        ("likelihood_ratio", pa.float64()),
        ("degrees_of_freedom", pa.int64()),
        ("p_value", pa.float64()),
        ("correlation", pa.float64()),
    ]
)
"""One row per group and parameter of its fit, times in weeks.

- ``grouping``: ``cohort`` (year of the first order) or ``channel``; ``fitted_group``: which one, or ``all``; ``spend``
  has the rows of the spend model
- ``is_converged``: whether the parameters were found, or lie on a ridge; ``is_used``: whether customers of that group
  are scored with it
- ``likelihood_ratio``, ``degrees_of_freedom``, ``p_value``: of fits apart against one fit over the groups that are
  large enough; missing when fewer than two are
- ``correlation``: of the number of repeat orders and mean spend, which the spend model supposes to be none; missing for
  transaction models
"""


@dataclass(frozen=True)
class GroupFits:
    """One fit over all customers and one per group that is large enough.

    Attributes:
        grouping: What the groups are by.
        pooled: Over all customers.
        by_group: Per group with enough customers.
        likelihood_ratio: Twice what fits apart gain over the pooled one; 0 when fewer than two groups are large enough.
        degrees_of_freedom: Parameters that fits apart have more.
        p_value: Of that gain when the groups are the same; 1 when there is nothing to compare.
    """

    grouping: str
    pooled: Fit
    by_group: Mapping[str, Fit]
    likelihood_ratio: float
    degrees_of_freedom: int
    p_value: float

    @property
    def is_apart(self) -> bool:
        """Whether the groups differ enough to be fitted apart."""
        return self.p_value < SIGNIFICANCE

    def used(self, group: str) -> tuple[str, Fit]:
        """What a customer of a group is scored with: the fit and its name."""
        if self.is_apart and group in self.by_group and self.by_group[group].is_converged:
            return group, self.by_group[group]
        return POOLED, self.pooled

    def to_table(self) -> pa.Table:
        """Rows of ``GROUPS_SCHEMA``."""
        fits = {POOLED: self.pooled, **self.by_group}
        test = {"likelihood_ratio": None, "degrees_of_freedom": None, "p_value": None}
        if self.degrees_of_freedom:
            test = {name: getattr(self, name) for name in test}
        lines = [
            {
                "grouping": self.grouping,
                "fitted_group": group,
                "model": found.model.name,
                "customers": found.customers,
                "parameter": parameter,
                "value": value,
                "standard_error": float(error),
                "log_likelihood": found.log_likelihood,
                "is_converged": found.is_converged,
                "is_used": group == POOLED or self.used(group)[0] == group,
                **test,
            }
            for group, found in fits.items()
            for (parameter, value), error in zip(found.named.items(), found.standard_errors, strict=True)
        ]
        return pa.Table.from_pylist(lines, schema=GROUPS_SCHEMA)


def spend_rows(found: SpendFit) -> pa.Table:
    """The spend model as rows of ``GROUPS_SCHEMA``."""
    lines = [
        {
            "grouping": SPEND,
            "fitted_group": POOLED,
            "model": SPEND_MODEL,
            "customers": found.customers,
            "parameter": parameter,
            "value": value,
            "standard_error": float(error),
            "log_likelihood": found.log_likelihood,
            "is_converged": found.is_converged,
            "is_used": found.problem is None,
            "correlation": found.correlation,
        }
        for (parameter, value), error in zip(found.named.items(), found.standard_errors, strict=True)
    ]
    return pa.Table.from_pylist(lines, schema=GROUPS_SCHEMA)


def group_labels(summaries: pa.Table, grouping: str) -> list[str]:
    """The group of each row of ``SUMMARIES_SCHEMA``.

    Args:
        summaries: The customers.
        grouping: ``cohort`` for the year of the first order, or ``channel``.

    Raises:
        ValueError: There is no such grouping.
    """
    if grouping == "cohort":
        labels = pc.cast(pc.year(summaries["first_order_date"]), pa.string())
    elif grouping == "channel":
        labels = pc.fill_null(summaries["channel"], "unknown")
    else:
        raise ValueError(f"customers are grouped by cohort or channel, not by {grouping!r}")
    named: list[str] = labels.to_pylist()
    return named


def fit_groups(model: TransactionModel, summaries: pa.Table, grouping: str, least: int = LEAST) -> GroupFits:
    """Fit a model to all customers and to each large group, and test whether the groups differ.

    Args:
        model: Which one.
        summaries: Rows of ``SUMMARIES_SCHEMA``.
        grouping: ``cohort`` or ``channel``.
        least: Customers a group needs, at least some of whom came back.
    """
    labels = np.array(group_labels(summaries, grouping))
    pooled = fit(model, Histories.of_summaries(summaries))
    large: dict[str, Histories] = {}
    for group in np.unique(labels):
        histories = Histories.of_summaries(summaries.filter(pa.array(labels == group)))
        if histories.total >= least and histories.frequency.any():
            large[str(group)] = histories
    fits = {group: fit(model, histories, pooled) for group, histories in large.items()}
    if len(large) < 2:  # noqa: PLR2004 - one group has nothing to differ from
        return GroupFits(grouping, pooled, fits, 0.0, 0, 1.0)
    together = reduce(Histories.joined, large.values())
    common = log_likelihood(model, fit(model, together, pooled).theta, together)
    ratio = max(2 * (sum(found.log_likelihood for found in fits.values()) - common), 0.0)
    freedom = len(model.parameters) * (len(large) - 1)
    return GroupFits(grouping, pooled, fits, ratio, freedom, float(chi2.sf(ratio, freedom)))
