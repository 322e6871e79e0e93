"""Deliveries: the raw files that one run saw as new or changed, their profiles, and the history of them.

Belongs here: what a delivery is, which ones count as good past, how the history is kept. Does not belong here: how a
delivery is judged (``drift``).

A file is known by its content, not by how it was staged: a changed contract stages a file again and makes no delivery
of it; only the last delivery is then profiled and judged anew, in its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from platform_assets.errors import PlatformError
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.whole import fingerprint_of
from platform_assets.quality.profiles import Numbers, Profile, Reference


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure of a delivery beside what was expected of it.

    Attributes:
        family: The check it belongs to.
        column: Column, or event day; empty for the delivery as a whole.
        name: What was measured.
        value: The figure.
        low: From where on it is as usual; ``None`` while there is too little history.
        high: Up to where it is.
        is_outside: Whether it is not as usual.
        text: The finding as a sentence; empty when there is none.
    """

    family: str
    column: str
    name: str
    value: float
    low: float | None = None
    high: float | None = None
    is_outside: bool = False
    text: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether there was something to hold it against."""
        return self.high is not None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one run saw for the first time.

    Attributes:
        id: Changes with its files and with what came before.
        landed_at: When the platform first read it, ISO, UTC.
        staged: Changes when its rows are staged otherwise.
        files: How many files.
        profile: What is known about its rows.
        metrics: How it was judged.
        columns: Columns of the contract that its files have.
        unknown: Headers of its files that the contract does not know.
        gate_is_open: Whether the dataset's gate was open with it.
        accepted_why: Why an incident counts as the new normal; empty when it does not.
    """

    id: str
    landed_at: str
    staged: str
    files: int
    profile: Profile
    metrics: tuple[Metric, ...] = ()
    columns: Sequence[str] = ()
    unknown: Sequence[str] = ()
    gate_is_open: bool = True
    accepted_why: str = ""

    def is_outside(self, family: str, column: str) -> bool:
        """Whether some figure of a column was not as usual."""
        return any(metric.is_outside for metric in self.metrics if (metric.family, metric.column) == (family, column))

    @property
    def is_incident(self) -> bool:
        """Whether later deliveries are not compared with it: it was unlike the others, or the gate was shut."""
        return not self.accepted_why and (not self.gate_is_open or any(metric.is_outside for metric in self.metrics))


@dataclass(frozen=True, kw_only=True)
class History:
    """The deliveries of a dataset, as far as they are remembered.

    Attributes:
        files: Content and delivery of every live file, by name.
        reference: How values are binned.
        deliveries: Newest last.
        examples: Cells that could not be read, by staged slice and column; looked up once.
    """

    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    reference: Reference = field(default_factory=Reference)
    deliveries: tuple[Delivery, ...] = ()
    examples: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> Delivery | None:
        """The newest delivery."""
        return self.deliveries[-1] if self.deliveries else None

    @property
    def good(self) -> tuple[Delivery, ...]:
        """Those that later ones are compared with, newest last."""
        return tuple(delivery for delivery in self.deliveries if not delivery.is_incident)

    @property
    def incidents(self) -> frozenset[str]:
        """Ids of those that are not."""
        return frozenset(delivery.id for delivery in self.deliveries if delivery.is_incident)

    def with_delivery(self, delivery: Delivery, most: int) -> "History":
        """The history with a delivery at its end, also when it was there before."""
        before = [other for other in self.deliveries if other.id != delivery.id]
        return replace(self, deliveries=tuple([*before, delivery][-most:]))

    def before(self, delivery_id: str) -> "History":
        """What a delivery is compared with: the history without it."""
        return replace(self, deliveries=tuple(other for other in self.deliveries if other.id != delivery_id))

    def behind_open_gate(self) -> "History":
        """The history once the gate is open: what still has files has passed it, whatever held it back before."""
        live = {delivery for _, delivery in self.files.values()}
        deliveries = [
            replace(one, gate_is_open=True) if one.id in live and not one.gate_is_open else one
            for one in self.deliveries
        ]
        return replace(self, deliveries=tuple(deliveries))


@dataclass(frozen=True)
class Arrival:
    """Which files are to be judged together.

    Attributes:
        id: Of the delivery.
        staged: How their rows are staged.
        names: The files.
    """

    id: str
    staged: str
    names: tuple[str, ...]


def arrival_of(snapshot: Snapshot, history: History) -> Arrival | None:
    """The files that are new, or those of the last delivery if they are staged otherwise than when it was judged.

    Args:
        snapshot: The staged version.
        history: What was delivered before.

    Returns:
        The files, ``None`` when there is nothing to judge.
    """
    content = _contents(snapshot)
    new = {name: text for name, text in content.items() if history.files.get(name, ("", ""))[0] != text}
    if new:
        before = history.last.id if history.last else ""
        return Arrival(fingerprint_of([before, new])[:16], _staged(snapshot, new), tuple(sorted(new)))
    if history.last is None:
        return None
    names = sorted(name for name, (_, delivery) in history.files.items() if delivery == history.last.id)
    if len(names) != history.last.files or not set(names) <= set(content):
        return None
    staged = _staged(snapshot, names)
    return None if staged == history.last.staged else Arrival(history.last.id, staged, tuple(names))


def files_now(snapshot: Snapshot, history: History, arrival: Arrival | None) -> dict[str, tuple[str, str]]:
    """Content and delivery of every live file, after an arrival."""
    new = set(arrival.names) if arrival else set()
    return {
        name: (content, arrival.id if arrival and name in new else history.files[name][1])
        for name, content in _contents(snapshot).items()
    }


def accepted(history: History, why: str) -> tuple[History, Delivery]:
    """The history in which the last incident is the new normal: what it was found for is compared from it on.

    Raises:
        PlatformError: There is no incident, or no reason is given.
    """
    incident = next((delivery for delivery in reversed(history.deliveries) if delivery.is_incident), None)
    if incident is None:
        raise PlatformError("There is no delivery that was unlike those before it.", "Nothing is to be accepted.")
    if not why.strip():
        raise PlatformError("An accepted delivery needs a reason.", "Say why this is the new normal, with --why.")
    known = replace(incident, accepted_why=why.strip())
    deliveries = tuple(known if delivery is incident else delivery for delivery in history.deliveries)
    return replace(history, deliveries=deliveries), known


def history_of(snapshot: Snapshot) -> History:
    """The history that a version of ``deliveries/<dataset>`` holds."""
    data = snapshot.attributes
    return History(
        files={name: (content, delivery) for name, (content, delivery) in data.get("files", {}).items()},
        reference=Reference(**data.get("reference", {})),
        deliveries=tuple(_delivery(one) for one in data.get("deliveries", [])),
        examples=data.get("examples", {}),
    )


def with_history(snapshot: Snapshot, history: History) -> Snapshot:
    """The version that holds a history, as plain data."""
    return snapshot.with_attributes(
        files={name: list(pair) for name, pair in history.files.items()},
        reference={"edges": dict(history.reference.edges), "categories": list(history.reference.categories)},
        deliveries=[asdict(delivery) for delivery in history.deliveries],
        examples=dict(history.examples),
    )


def _delivery(data: Mapping[str, Any]) -> Delivery:
    profile = data["profile"]
    numbers = {name: Numbers(**counts) for name, counts in profile["numbers"].items()}
    distinct = {name: (counts[0], counts[1]) for name, counts in profile["distinct"].items()}
    read = {
        "profile": Profile(**{**profile, "numbers": numbers, "distinct": distinct}),
        "metrics": tuple(Metric(**metric) for metric in data["metrics"]),
    }
    return Delivery(**{**data, **read})


def _contents(snapshot: Snapshot) -> dict[str, str]:
    return {name: piece.facts["content_hash"] for name, piece in snapshot.slices.items()}


def _staged(snapshot: Snapshot, names: Sequence[str] | Mapping[str, str]) -> str:
    return fingerprint_of({name: snapshot.slices[name].id for name in names})
