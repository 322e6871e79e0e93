"""The dated events of the sample's world: what happened, where, when, and how strongly.

Belongs here: choosing the days. Does not belong here: what a dataset makes of an event.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from platform_assets.samples.plan import Plan, date_of, day_of


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened from one day to another, both included.

    Attributes:
        kind: What happened, in snake case.
        dataset: Where it shows.
        first: Number of the first day.
        last: Number of the last day.
        factor: Multiplies what the kind is about: demand for an outage, prices for the others.
        description: One sentence for people.
    """

    kind: str
    dataset: str
    first: int
    last: int
    factor: float
    description: str

    def covers(self, day: int | np.ndarray) -> Any:
        """Whether a day, or each of many, lies within the event."""
        return (day >= self.first) & (day <= self.last)

    def to_json(self) -> dict[str, Any]:
        """The event as plain data, with dates."""
        return {
            "kind": self.kind,
            "dataset": self.dataset,
            "first": date_of(self.first).isoformat(),
            "last": date_of(self.last).isoformat(),
            "factor": self.factor,
            "description": self.description,
        }


@dataclass(frozen=True, kw_only=True)
class Events:
    """All events of a sample's world."""

    outage: Event
    promotion: Event
    price_error: Event
    clearance: Event
    closure: Event

    def all(self) -> tuple[Event, ...]:
        """Every event, by its first day."""
        events = (self.outage, self.promotion, self.price_error, self.clearance, self.closure)
        return tuple(sorted(events, key=lambda event: event.first))


def plan_events(plan: Plan) -> Events:
    """Choose the days of all events, so that every sample shows every event."""
    window = plan.ecommerce_window
    length = window.last - window.first + 1
    outage, error = window.first + length * 2 // 5, window.first + length * 3 // 5
    return Events(
        outage=Event(
            kind="outage",
            dataset="ecommerce_transactions",
            first=outage,
            last=outage,
            factor=0.03,
            description="The web shop was down: nearly no order that day.",
        ),
        promotion=_days(
            "promotion", "ecommerce_transactions",
            first=date(2024, 11, 29), last=date(2024, 12, 2), factor=0.8,
            description="Black Friday weekend: every price a fifth lower, and more than twice the usual orders.",
        ),
        price_error=Event(
            kind="price_error",
            dataset="ecommerce_transactions",
            first=error,
            last=error,
            factor=0.01,
            description="The product that sold best that day was sold at a hundredth of its price.",
        ),
        clearance=_days(
            "clearance", "superstore_sales",
            first=date(2024, 6, 1), last=date(2024, 6, 30), factor=0.5,
            description="Furniture was sold off at half price, mostly at a loss.",
        ),
        closure=_days(
            "closure", "retail_analytics",
            first=date(2024, 1, 15), last=date(2024, 1, 16), factor=0.0,
            description="The stores were closed by snow; their customers bought online.",
        ),
    )  # fmt: skip


def _days(kind: str, dataset: str, *, first: date, last: date, factor: float, description: str) -> Event:
    return Event(
        kind=kind, dataset=dataset, first=day_of(first), last=day_of(last), factor=factor, description=description
    )
