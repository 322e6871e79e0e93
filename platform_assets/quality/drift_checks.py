"""The checks of drift: a delivery is profiled, judged, remembered, and told in words.

Belongs here: the order of these steps, and what a check says. Does not belong here: how figures are judged (``drift``,
``volume``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from platform_assets.config import Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.engines.engine import Engine
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.update import Update
from platform_assets.quality.check_names import CATEGORIES, DISTINCT, DISTRIBUTION, NULLS, VOLUME
from platform_assets.quality.deliveries import (
    Arrival,
    Delivery,
    History,
    Metric,
    arrival_of,
    files_now,
    history_of,
    with_history,
)
from platform_assets.quality.drift import profile_metrics
from platform_assets.quality.drift_settings import DriftSettings
from platform_assets.quality.profiles import Profile, Reference, profile_of, reference_of
from platform_assets.quality.results import CheckResult, Kind, Verdict, verdict_of
from platform_assets.quality.volume import days_of, volume_metrics
from platform_assets.transforms.schemas import staged_schema

DRIFT_CHECKS = {
    VOLUME: (Dimension.COMPLETENESS, "as many rows per delivery and event day as usual"),
    NULLS: (Dimension.COMPLETENESS, "as many empty cells per column as usual"),
    DISTRIBUTION: (Dimension.CONSISTENCY, "numbers are distributed as usual, with as many below 0 and as many at 0"),
    CATEGORIES: (Dimension.CONSISTENCY, "values of columns with few of them are mixed as usual"),
    DISTINCT: (Dimension.UNIQUENESS, "as many different values in identifying columns as usual"),
}
"""Dimension and sentence of each check, by its name."""
_TOLD = 5
_TELLING_EARLY = frozenset({NULLS, DISTRIBUTION, CATEGORIES})


@dataclass(frozen=True)
class Watched:
    """What drift is judged from.

    Attributes:
        contract: The dataset's contract.
        staging: Its staged table.
        snapshot: The staged version at hand.
        settings: Widths and minima.
    """

    contract: Contract
    staging: Table
    snapshot: Snapshot
    settings: DriftSettings


def judge_drift(this: Watched, deliveries: Table, engine: Engine) -> History:
    """Profile and judge what is new; without news the history as it is.

    Args:
        this: The dataset at hand.
        deliveries: The table that holds its history.
        engine: What computes; not asked when nothing is new.

    Returns:
        The history with the delivery as its last. The same files again give the same history.
    """
    history = history_of(deliveries.snapshot())
    if not this.settings.enabled:
        return history
    arrival = arrival_of(this.snapshot, history)
    files = files_now(this.snapshot, history, arrival)
    if arrival is None:
        return replace(history, files=files)
    before = history.before(arrival.id)
    reference, profile = _profile(this, arrival, history.reference if before.good else Reference(), engine)
    known = replace(before, reference=reference)
    days = days_of(this.snapshot, files)
    metrics = profile_metrics(profile, known, this.contract, this.settings)
    metrics += volume_metrics(arrival, profile.rows, days, known, this.settings)
    delivery = _delivery(this.snapshot, arrival, profile, metrics)
    if history.last is not None and history.last.id == arrival.id:
        delivery = replace(delivery, accepted_why=history.last.accepted_why)
    return replace(known, files=files).with_delivery(delivery, this.settings.history)


def _profile(this: Watched, arrival: Arrival, known: Reference, engine: Engine) -> tuple[Reference, Profile]:
    facts = [this.snapshot.slices[name].facts for name in arrival.names]
    count = sum(fact["rows"] for fact in facts)
    rows = engine.scan(this.staging.parts(this.snapshot, arrival.names), staged_schema(this.contract))
    reference = reference_of(rows, count, this.contract, known, least=this.settings.min_rows, engine=engine)
    return reference, profile_of(rows, facts, this.contract, reference, engine)


def _delivery(snapshot: Snapshot, arrival: Arrival, profile: Profile, metrics: Sequence[Metric]) -> Delivery:
    facts = [snapshot.slices[name].facts for name in arrival.names]
    return Delivery(
        id=arrival.id,
        landed_at=max(fact["landed_at"] for fact in facts),
        staged=arrival.staged,
        files=len(arrival.names),
        profile=profile,
        metrics=tuple(metrics),
        columns=sorted({name for fact in facts for name in fact["columns"]}),
        unknown=sorted({name for fact in facts for name in fact["unknown_columns"]}),
    )


def deliveries_update(deliveries: Table, history: History, *, gate_is_open: bool) -> Update:
    """The next version of the history, once the gate is decided: a delivery behind a shut one is an incident."""
    before = deliveries.snapshot()
    known = history_of(before)
    last = history.last
    if gate_is_open:
        history = history.behind_open_gate()
    elif last is not None and known.last != last:
        history = replace(history, deliveries=(*history.deliveries[:-1], replace(last, gate_is_open=False)))
    after = with_history(before, history)
    return Update(after, is_news=history != known)


def drift_results(
    contract: Contract, history: History, settings: DriftSettings, thresholds: Thresholds
) -> list[CheckResult]:
    """What the checks say about the last delivery.

    Args:
        contract: The dataset's contract.
        history: The history, the delivery its last.
        settings: Widths and minima.
        thresholds: What the share of figures as usual must reach; by default less than all is a warning, and none
            fails.
    """
    return [_result(contract, name, history, settings, thresholds) for name in DRIFT_CHECKS]


def _result(
    contract: Contract, name: str, history: History, settings: DriftSettings, thresholds: Thresholds
) -> CheckResult:
    dimension, description = DRIFT_CHECKS[name]
    last, limit = history.last, thresholds.of_rule(name)
    metrics = [metric for metric in last.metrics if metric.family == name] if last and settings.enabled else []
    judged = sum(metric.is_judged for metric in metrics)
    outside = [metric for metric in metrics if metric.is_outside]
    score = 1 - len(outside) / judged if judged else None
    is_accepted = last is not None and bool(last.accepted_why)
    verdict = Verdict.PASS if score is None or is_accepted else verdict_of(score, limit)
    return CheckResult(
        dataset=contract.dataset,
        rule=name,
        kind=Kind.DRIFT,
        dimension=dimension,
        severity=Severity.WARN,
        verdict=verdict,
        rows_checked=judged,
        rows_failed=len(outside),
        score=score,
        threshold=limit.fail,
        warn_threshold=limit.warn,
        description=description,
        note=_note(name, history, metrics, settings),
        examples=tuple(metric.text for metric in outside[:_TOLD]),
        shuts_gate=limit.fail is not None,
    )


def _note(name: str, history: History, metrics: Sequence[Metric], settings: DriftSettings) -> str:
    last = history.last
    if not settings.enabled:
        return "not judged: drift is switched off"
    if last is None:
        return f"quiet: 0 of {settings.min_history} deliveries needed"
    outside = [metric.text for metric in metrics if metric.is_outside]
    told = [f"accepted as the new normal: {last.accepted_why}"] if last.accepted_why else []
    told += outside[:_TOLD]
    told += [f"and {len(outside) - _TOLD:,} more"] if len(outside) > _TOLD else []
    told += [metric.text for metric in metrics if metric.text and not metric.is_outside]
    good = len(history.before(last.id).good)
    is_judged = any(metric.is_judged for metric in metrics)
    if good < settings.min_history and (name in _TELLING_EARLY or not is_judged):
        what = "only large changes are told" if is_judged else "quiet"
        told.append(f"{what}: {good} of {settings.min_history} deliveries needed")
    return "; ".join(told)
