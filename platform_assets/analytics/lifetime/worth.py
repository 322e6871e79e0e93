"""What was spent, and what a unit of spend is worth to the retailer, from what is known of all customers.

Belongs here: sums and rates of rows of ``SUMMARIES_SCHEMA``. Does not belong here: what is expected (``value``).
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.analytics.lifetime.histories import Array

KNOWN_SHARE = 0.8
"""Share of a customer's sales whose profit must be known for the value to be margin."""
MARGIN, ESTIMATED, REVENUE = "margin", "estimated margin", "revenue"
ENOUGH_KNOWN = 0.2
"""Share of all sales whose profit has to be known for the margin of the others to be estimated from it."""


def spent(summaries: pa.Table) -> tuple[Array, Array]:
    """Repeat orders with money in them, and the money per one."""
    orders = summaries["spend_orders"].to_numpy().astype(np.float64)
    return orders, floats(summaries, "repeat_spend_amount") / np.maximum(orders, 1)


def paid_share(summaries: pa.Table) -> float:
    """The share of repeat orders with money in them, of all customers: free orders count as orders, and bring nothing.

    Spend is modelled of orders with money only, so that orders expected are to be multiplied by this share as well.
    """
    return _rate(summaries, "spend_orders", "frequency")


def worth(summaries: pa.Table) -> tuple[npt.NDArray[np.object_], Array]:
    """What a unit of spend is worth to the retailer, per customer: of what kind, and how much.

    Both rates are those of all customers together: a customer's own are known too badly. Either everyone's value counts
    margin or everyone's counts revenue, so that values can be ranked and added up.
    """
    sales, known = (floats(summaries, name) for name in ("sales_amount", "margin_known_amount"))
    kept = 1 - min(_rate(summaries, "returns_amount", "sales_amount"), 1.0)
    if _rate(summaries, "margin_known_amount", "sales_amount") < ENOUGH_KNOWN:
        return np.full(len(sales), REVENUE, dtype=object), np.full(len(sales), kept)
    has_margin = (sales > 0) & (known >= KNOWN_SHARE * sales)
    rate = _rate(summaries, "margin_amount", "margin_known_amount")
    return np.where(has_margin, MARGIN, ESTIMATED).astype(object), np.full(len(sales), rate * kept)


def _rate(table: pa.Table, part: str, whole: str) -> float:
    """A ratio of exact sums, which the order of rows does not change; 0 of nothing."""
    above, below = (pc.sum(table[name]).as_py() or 0 for name in (part, whole))
    return float(above / below) if below > 0 else 0.0


def floats(table: pa.Table, name: str) -> Array:
    """A column of known numbers or amounts."""
    values: Array = table[name].cast(pa.float64()).to_numpy()
    return values
