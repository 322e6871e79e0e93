"""What a run did, collected from Dagster, the lake and the warehouse."""

from contextlib import closing
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import dagster as dg
import psycopg2
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from psycopg2.extras import RealDictCursor

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.lake.table import Table
from platform_assets.quality.ledger import LedgerLine, total_line
from platform_assets.quality.record import judgement_of
from platform_assets.quality.results import Assessment, CheckResult
from platform_assets.services.postgres import PostgresUrls
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets.warehouse.star.read import row_counts

_MADE_OF_ROWS = frozenset({"core", "analytics", "warehouse"})


@dataclass(frozen=True)
class Outcome:
    """One finished run.

    Attributes:
        run_id: Dagster's id of it.
        engine: On which engine it ran.
        seconds: From the command to the result.
        assessments: The judgement of every dataset.
        tables: Rows per warehouse table.
        segments: Customer segments with their size and money.
        spans: When each asset's step started and ended, in seconds since 1970.
        failures: What failed, by step.
        followers: The assets that need a dataset, for those whose gate is shut.
    """

    run_id: str
    engine: str
    seconds: float
    assessments: tuple[Assessment, ...]
    tables: dict[str, int]
    segments: tuple[dict[str, Any], ...]
    spans: dict[str, tuple[float, float]]
    failures: dict[str, str]
    followers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def assets(self) -> dict[str, float]:
        """Seconds per asset; the step that stages a dataset carries its checks and its quarantine."""
        return {name: end - start for name, (start, end) in self.spans.items()}

    @property
    def layers(self) -> dict[str, float]:
        """Seconds per layer, in the order of the flow."""
        layers: dict[str, float] = {}
        for name, seconds in self.assets.items():
            layer = name.split("/", 1)[0]
            layers[layer] = layers.get(layer, 0.0) + seconds
        return layers

    def to_json(self) -> dict[str, Any]:
        """The outcome for programs."""
        return {
            "run_id": self.run_id,
            "engine": self.engine,
            "seconds": round(self.seconds, 3),
            "gates": {one.dataset: self._gate_json(one) for one in self.assessments},
            "datasets": {one.dataset: _dataset_json(one) for one in self.assessments},
            "tables": self.tables,
            "segments": [{name: _plain(value) for name, value in line.items()} for line in self.segments],
            "spans": self.spans,
            "seconds_per_asset": {name: round(seconds, 3) for name, seconds in self.assets.items()},
            "seconds_per_layer": {name: round(seconds, 3) for name, seconds in self.layers.items()},
            "failures": self.failures,
        }

    def _gate_json(self, assessment: Assessment) -> dict[str, Any]:
        held = assessment.held_back
        gate = {"open": assessment.gate_is_open, "reasons": list(assessment.reasons)}
        if held is None:
            return gate
        waiting = {"files": held.files, "rows": held.rows, "assets": list(self.followers.get(assessment.dataset, ()))}
        return {**gate, "held_back": waiting}


def collect(
    settings: Settings,
    urls: PostgresUrls,
    instance: dg.DagsterInstance,
    result: dg.ExecuteInProcessResult,
    *,
    graph: BaseAssetGraph[Any],
    seconds: float,
) -> Outcome:
    """Gather what a run did.

    Args:
        settings: Where the lake is.
        urls: Where the warehouse is.
        instance: Where the run is recorded.
        result: The run.
        graph: The assets, which tell what needs a dataset.
        seconds: How long it took.
    """
    with closing(psycopg2.connect(urls.dsn)) as connection:
        migrate(connection)
        tables = row_counts(connection)
        segments = _segments(connection)
    assessments = tuple(_assessments(settings))
    shut = [one.dataset for one in assessments if not one.gate_is_open]
    return Outcome(
        run_id=result.run_id,
        engine=settings.engine,
        seconds=seconds,
        assessments=assessments,
        tables=tables,
        segments=tuple(segments),
        spans=_spans(instance, result.run_id),
        failures=_failures(result),
        followers={dataset: _followers(graph, dataset) for dataset in shut},
    )


def _followers(graph: BaseAssetGraph[Any], dataset: str) -> tuple[str, ...]:
    """What is made from the accepted rows of a dataset; what tells of quality has its news all the same."""
    found: set[dg.AssetKey] = set()
    keys = {dg.AssetKey(["staging", dataset])}
    while keys:
        children = {child for key in keys for child in graph.get(key).child_keys}
        keys = {child for child in children if child.path[0] in _MADE_OF_ROWS} - found
        found |= keys
    return tuple(sorted(key.to_user_string() for key in found))


def _assessments(settings: Settings) -> list[Assessment]:
    snapshots = [Table(settings.lake / "assessment" / dataset).snapshot() for dataset in CONTRACTS]
    return [judged for snapshot in snapshots if (judged := judgement_of(snapshot)) is not None]


def _segments(connection: psycopg2.extensions.connection) -> list[dict[str, Any]]:
    statement = (
        "SELECT segment, customers, customer_share, revenue_amount, revenue_share, avg_days_since_last "
        "FROM analytics.rfm_segments WHERE customers > 0 ORDER BY revenue_amount DESC, segment"
    )
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(statement)
        return [dict(line) for line in cursor.fetchall()]


def _spans(instance: dg.DagsterInstance, run_id: str) -> dict[str, tuple[float, float]]:
    steps = sorted(instance.get_run_step_stats(run_id), key=lambda step: step.start_time or 0.0)
    return {
        step.step_key.replace("__", "/"): (step.start_time, step.end_time)
        for step in steps
        if step.start_time is not None and step.end_time is not None
    }


def _failures(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    failures = {}
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            failures[str(event.step_key).replace("__", "/")] = error.message.strip() if error else "failed"
    if not result.success and not failures:
        failures["run"] = "the run did not succeed"
    return failures


def _dataset_json(assessment: Assessment) -> dict[str, Any]:
    return {
        "as_of": assessment.as_of.isoformat() if assessment.as_of else None,
        "gate_open": assessment.gate_is_open,
        "ledger": {
            "total": _line_json(total_line(assessment.dataset, list(assessment.ledger))),
            "files": [_line_json(line) for line in assessment.ledger],
        },
        "checks": [_check_json(result) for result in assessment.results],
    }


def _check_json(result: CheckResult) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in asdict(result).items()}
    return {**plain, "passed": result.passed, "value": result.score}


def _line_json(line: LedgerLine) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(line).items()}


def _plain(value: Any) -> Any:
    """Money as text, so that no program reads it as a binary float."""
    return str(value) if isinstance(value, Decimal) else value
