"""From which value on a customer scores more: made from a base of customers, kept, and used again.

Belongs here: making edges, writing them down and reading them back. Does not belong here: what is done with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

import narwhals as nw

from platform_assets.engines.engine import Engine, Frame
from platform_assets.errors import PlatformError
from platform_assets.transforms.counting import counts_by
from platform_assets.transforms.quantiles import quantile_edges

BINS = 5
FIXED_FREQUENCY_EDGES = (2, 3, 5, 9)
"""Orders from which on a customer scores 2, 3, 4 and 5, where quantiles cannot tell customers apart."""
TIED_SHARE = 0.4
"""Share of customers with one order from which on quantiles of the frequency cannot tell customers apart."""
MEASURES = ("recency", "frequency", "monetary")
_FORMAT = 2
_REMEDY = "Nothing is to be done: new edges are made, and there is nothing to compare with until the next run."


class RfmEdgesError(PlatformError):
    """Edges that were kept cannot be used."""


@dataclass(frozen=True)
class RfmEdges:
    """From which value on a customer scores 2, 3, 4 and 5.

    Attributes:
        recency: Of minus the days since the last order, so that more is better.
        frequency: Of the days with an order.
        monetary: Of net revenue.
    """

    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    monetary: tuple[Decimal, ...]

    def levels(self) -> dict[str, int]:
        """How many different scores each measure can give; fewer than five means that ties fill whole bins."""
        return {name: len(set(getattr(self, name))) + 1 for name in MEASURES}

    def changed(self, other: "RfmEdges") -> tuple[str, ...]:
        """The measures whose edges are others."""
        return tuple(name for name in MEASURES if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True)
class KeptEdges:
    """Edges with what they were made from: kept with a run, so that a later run can score by the same.

    Attributes:
        edges: The edges.
        as_of: The day of the measures that they were made from.
        window_days: How far frequency and money looked back; ``None`` for the whole history.
        currency: The currency of the money.
        datasets: The datasets whose sales were measured.
        frequency_of: What the frequency counted.
    """

    edges: RfmEdges
    as_of: date
    window_days: int | None
    currency: str
    datasets: tuple[str, ...]
    frequency_of: str = "days"

    def measures_as(self, other: "KeptEdges") -> bool:
        """Whether these edges can serve the measures of the others: window, sales and what is counted are the same."""
        return replace(self, edges=other.edges, as_of=other.as_of) == other

    def to_json(self) -> dict[str, Any]:
        """The edges as plain data; money as text, so that it stays exact."""
        return {
            "format": _FORMAT,
            "as_of": self.as_of.isoformat(),
            "window_days": self.window_days,
            "currency": self.currency,
            "datasets": list(self.datasets),
            "frequency_of": self.frequency_of,
            "recency": list(self.edges.recency),
            "frequency": list(self.edges.frequency),
            "monetary": [str(edge) for edge in self.edges.monetary],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "KeptEdges":
        """Edges as ``to_json`` wrote them.

        Raises:
            RfmEdgesError: It is not that, or of another format, or edges are missing or fall.
        """
        if data.get("format") != _FORMAT:
            problem = f"The kept RFM edges are of format {data.get('format')}, and this version reads {_FORMAT}."
            raise RfmEdgesError(problem, _REMEDY)
        try:
            read = RfmEdges(
                tuple(map(int, data["recency"])),
                tuple(map(int, data["frequency"])),
                tuple(map(Decimal, data["monetary"])),
            )
            sales = data["window_days"], str(data["currency"]), tuple(data["datasets"]), data["frequency_of"]
            kept = cls(read, date.fromisoformat(data["as_of"]), *sales)
        except (KeyError, TypeError, ValueError, InvalidOperation) as fault:
            raise RfmEdgesError(
                f"The kept RFM edges cannot be read: {type(fault).__name__}: {fault}.",
                _REMEDY,
            ) from fault
        for name in MEASURES:
            _check(name, getattr(read, name))
        return kept


def rfm_edges(measures: Frame, engine: Engine) -> RfmEdges:
    """The edges of a customer base: quantiles, or fixed ones for the frequency where ties demand it."""
    every = measures.with_columns(nw.lit(1).alias("_all"))
    counted = engine.collect(counts_by(every, "_all", {"once": nw.col("frequency") <= 1})).to_pylist()
    is_tied = bool(counted) and counted[0]["once"] / counted[0]["rows"] > TIED_SHARE
    frequency = FIXED_FREQUENCY_EDGES if is_tied else quantile_edges(measures, "frequency", BINS, engine)
    recency = quantile_edges(measures, "_rank", BINS, engine)
    return RfmEdges(recency, frequency, quantile_edges(measures, "monetary_amount", BINS, engine))


def _check(name: str, edges: Sequence[Any]) -> None:
    if len(edges) not in (0, BINS - 1) or any(after < before for before, after in pairwise(edges)):
        raise RfmEdgesError(
            f"The kept RFM edges of {name} are {list(edges)}: there must be {BINS - 1} of them, or none, and none may "
            "be below the one before.",
            _REMEDY,
        )
