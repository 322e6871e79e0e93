"""The world that all four datasets report on, and the place their files go to.

Belongs here: what the datasets share. Does not belong here: what is particular to one of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.samples.clock import Clock, demand
from platform_assets.samples.customers import Customers, draw_customers
from platform_assets.samples.events import Events, plan_events
from platform_assets.samples.lines import Lines, Mask, write_lines
from platform_assets.samples.plan import Plan
from platform_assets.samples.products import Products, draw_products
from platform_assets.samples.truth import Truth, quarantined_rows


@dataclass(frozen=True)
class World:
    """Customers, products and events, and what the files have shown of the customers so far.

    Attributes:
        plan: Size and seed.
        folder: Where the files go, one folder per dataset.
        truth: The record that grows with every file.
        progress: Is told what is being done.
        events: What happens when.
        products: What is sold.
        customers: Who buys.
        accepted: Customers with a line that a careful reader accepts, outside retail.
        seen: Customers with any parsed line, outside retail.
    """

    plan: Plan
    folder: Path
    truth: Truth
    progress: Callable[[str], None]
    events: Events
    products: Products
    customers: Customers
    accepted: Mask
    seen: Mask

    @classmethod
    def draw(cls, plan: Plan, folder: Path, progress: Callable[[str], None]) -> "World":
        """Draw customers, products and events."""
        events = plan_events(plan)
        count = plan.customers
        return cls(
            plan=plan,
            folder=folder,
            truth=Truth(events=[event.to_json() for event in events.all()]),
            progress=progress,
            events=events,
            products=draw_products(plan),
            customers=draw_customers(plan, demand("ecommerce_transactions", events)),
            accepted=np.zeros(count, dtype=bool),
            seen=np.zeros(count, dtype=bool),
        )

    def clock(self, dataset: str) -> Clock:
        """The demand of a dataset over time."""
        return Clock(demand(dataset, self.events))

    def deliver(
        self, dataset: str, file: str, header: str, lines: Lines, *, encoding: str = "utf-8", end: str = "\n"
    ) -> None:
        """Write one file and record it."""
        folder = self.folder / dataset
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / file, header, lines, encoding, end)
        self.truth.add_file(dataset, file, lines)

    def show(self, dataset: str, lines: Lines, customer: npt.NDArray[np.int32]) -> None:
        """Remember which customers a file's lines made known; ``customer`` is -1 for guests."""
        known = (customer >= 0) & ~lines.rejected
        self.seen[customer[known]] = True
        self.accepted[customer[known & ~quarantined_rows(CONTRACTS[dataset], lines)]] = True
