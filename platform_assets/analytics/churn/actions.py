"""The rule table of retention actions: data that is read and checked, not code."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from platform_assets.analytics.churn.calibration import Flags
from platform_assets.analytics.lifetime.histories import Array
from platform_assets.errors import PlatformError

NO_ACTION = "none"
_LIMITS = {"from": np.greater_equal, "below": np.less, "up_to": np.less_equal}
_MEASURES = ("churn_rate", "orders", "silent_days")
_TOP = "stake_top"
_KEYS = ("id", "title", "channel", "when", "reason", "measure")


class ActionRulesError(PlatformError):
    """The rule table cannot be used."""


@dataclass(frozen=True)
class Action:
    """One rule of the table.

    Attributes:
        id: Its name.
        title: What is done.
        channel: How the customer is reached.
        when: Conditions, all of which must hold.
        reason: Why these customers.
        measure: What shows the effect.
    """

    id: str
    title: str
    channel: str
    when: Mapping[str, Any]
    reason: str
    measure: str

    def applies(self, measures: Mapping[str, Array]) -> Flags:
        """To which customers; a condition on what is not known of a customer does not hold.

        Args:
            measures: ``churn_rate``, ``orders``, ``silent_days`` and ``stake_top`` (place by value at stake, over all
                customers; the most at stake is 0), one value per customer, NaN where it is not known.
        """
        holds = np.ones(len(measures["churn_rate"]), dtype=bool)
        for name, wanted in self.when.items():
            limits = {"below": wanted} if name == _TOP else wanted
            for limit, value in limits.items():
                holds &= _LIMITS[limit](measures[name], value)
        return holds


@cache
def actions() -> tuple[Action, ...]:
    """The rules of the platform, in order."""
    return read_actions(Path(__file__).with_name("retention_actions.yaml").read_text(encoding="utf-8"))


def read_actions(text: str) -> tuple[Action, ...]:
    """Rules from YAML.

    Raises:
        ActionRulesError: A rule is incomplete, has a condition that does not exist, has the id of another, or the last
            one does not hold for everyone.
    """
    rules = tuple(_action(line) for line in yaml.safe_load(text))
    ids = [rule.id for rule in rules]
    repeated = sorted({one for one in ids if ids.count(one) > 1})
    if repeated:
        raise ActionRulesError(f"retention actions have the same id: {', '.join(repeated)}.", "Give each its own.")
    if rules[-1].when or rules[-1].id != NO_ACTION:
        raise ActionRulesError(
            f"the last retention action is {rules[-1].id!r}, so some customers may have none.",
            f"End the table with {NO_ACTION!r} and no conditions.",
        )
    return rules


def _action(line: Mapping[str, Any]) -> Action:
    if set(line) != set(_KEYS):
        raise ActionRulesError(
            f"a retention action has the keys {', '.join(line)}.", f"Give it {', '.join(_KEYS)} and no others."
        )
    for name, wanted in line["when"].items():
        is_known = name == _TOP or (name in _MEASURES and set(wanted) <= set(_LIMITS))
        if not is_known:
            raise ActionRulesError(
                f"the retention action {line['id']!r} has a condition that does not exist: {name}: {wanted}.",
                f"Use {_TOP}: share, or {', '.join(_MEASURES)} with {', '.join(_LIMITS)}.",
            )
    return Action(**line)
