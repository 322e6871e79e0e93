"""One dataset from raw lines to a judged version: staged, assessed, its quarantine written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from platform_assets.config import Config, Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.engines.engine import Engine
from platform_assets.ingestion.landing import REFUSED
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import ACCEPTED, CURRENT, Table
from platform_assets.lake.update import Update
from platform_assets.lake.whole import fingerprint_of, whole_update
from platform_assets.quality.assess import Circumstances, assess, held_back
from platform_assets.quality.cross_rows import Reference, Surroundings, references_of
from platform_assets.quality.deliveries import History
from platform_assets.quality.drift_checks import Watched, deliveries_update, drift_results, judge_drift
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA, Origin, quarantine
from platform_assets.quality.record import judgement_of
from platform_assets.quality.results import Assessment
from platform_assets.quality.schema_drift import schema_result, with_examples
from platform_assets.transforms.accepted import counting_rows
from platform_assets.transforms.corrections import Corrections
from platform_assets.transforms.stage_files import stage_files


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What one dataset is staged with.

    Attributes:
        contract: Its contract.
        tables: The lake's table of a layer for a dataset, by ``(layer, dataset)``.
        thresholds: What scores must reach.
        as_of: The day asked for; ``None`` for the newest event date.
        now: The wall clock, for freshness of arrival.
        engine: What computes.
        config: What the deployment says about references and the scorecard.
    """

    contract: Contract
    tables: Mapping[tuple[str, str], Table]
    thresholds: Thresholds
    as_of: date | None
    now: datetime
    engine: Engine
    config: Config = field(default_factory=Config)

    @property
    def contracts(self) -> Mapping[str, Contract]:
        """The contracts of the deployment."""
        return deployed_contracts(self.config)

    def table(self, layer: str) -> Table:
        """This dataset's table of a layer."""
        return self.tables[layer, self.contract.dataset]


@dataclass(frozen=True)
class Staged:
    """What staging gave.

    Attributes:
        rows: The next version of the staged table; ``accepted`` moves with it when the gate is open.
        quarantine: The next version of the quarantine.
        assessment: The judgement.
        deliveries: The next version of the history of deliveries.
        files: Files that were staged.
        quarantine_id: Changes when the quarantine may have changed.
    """

    rows: Update
    quarantine: Update
    assessment: Assessment
    deliveries: Update
    files: tuple[str, ...]
    quarantine_id: str


def stage(this: Stage) -> Staged:
    """Stage, judge and sort out one dataset; nothing is published."""
    contract, engine = this.contract, this.engine
    raw = this.table("raw").snapshot()
    refused: Mapping[str, Mapping[str, Any]] = raw.attributes.get(REFUSED, {})
    before = this.table("staging").snapshot()
    corrections = Corrections.of(this.table("corrections"))
    after, files = stage_files(contract, this.table("raw"), corrections, this.table("staging"), engine)
    around = Circumstances(
        thresholds=this.thresholds,
        as_of=this.as_of,
        now=this.now,
        refused=refused,
        surroundings=_surroundings(this, after),
        weights=this.config.scorecard.weights,
    )
    after, assessment = assess(contract, this.table("staging"), after, around, engine)
    history = _history(this, after)
    assessment = _with_drift(this, assessment, after, refused, history)
    deliveries = deliveries_update(this.table("deliveries"), history, gate_is_open=assessment.gate_is_open)
    pointers = (CURRENT, ACCEPTED) if assessment.gate_is_open else (CURRENT,)
    origin = Origin(contract, this.table("raw"), this.table("rejects"), corrections, this.table("staging"))
    made_from = {
        "pieces": after.attributes.get("pieces"),
        "rejects": this.table("rejects").snapshot().ids,
        "refused": {name: refusal["id"] for name, refusal in refused.items()},
    }
    set_aside = whole_update(
        this.table("quarantine"),
        made_from,
        lambda: quarantine(origin, after, refused, engine),
        QUARANTINE_SCHEMA,
        engine,
    )
    rows = Update(after, pointers, is_news=after != before)
    return Staged(rows, set_aside, assessment, deliveries, tuple(files), fingerprint_of(made_from))


def _history(this: Stage, after: Snapshot) -> History:
    """The deliveries, with the one at hand as the last."""
    watched = Watched(this.contract, this.table("staging"), after, this.config.drift)
    history = judge_drift(watched, this.table("deliveries"), this.engine)
    return with_examples(history, this.contract, this.table("staging"), after, this.engine)


def _with_drift(
    this: Stage, assessment: Assessment, after: Snapshot, refused: Mapping[str, Mapping[str, Any]], history: History
) -> Assessment:
    """The judgement with the checks of drift; one that was given a threshold to fail below can shut the gate."""
    ignored = this.config.dataset(this.contract.dataset).ignored_columns
    schema = schema_result(this.contract, after, refused, history, ignored=ignored, thresholds=this.thresholds)
    drift = drift_results(this.contract, history, this.config.drift, this.thresholds)
    judged = replace(assessment, results=(*assessment.results, schema, *drift))
    if judged.gate_is_open or judged.held_back is not None:
        return judged
    return replace(judged, held_back=held_back(this.table("staging"), after))


def _surroundings(this: Stage, after: Snapshot) -> Surroundings:
    """What rules across datasets are judged with."""
    before = _judged_before(this)
    hashes = {name: piece.facts["content_hash"] for name, piece in after.slices.items()}
    seen = {line.source_file: line.content_hash for line in before.ledger if line.status != REFUSED} if before else {}
    return Surroundings(
        references={dataset: _reference(this, dataset) for dataset in references_of(this.contract.rules)},
        landed={name: datetime.fromisoformat(piece.facts["landed_at"]) for name, piece in after.slices.items()},
        now=this.now,
        seen=frozenset(seen) if seen.items() <= hashes.items() else None,
        orphans_before={one.rule: one.rows_failed + one.rows_pending for one in before.results} if before else {},
    )


def _judged_before(this: Stage) -> Assessment | None:
    return judgement_of(this.table("assessment").snapshot())


def _reference(this: Stage, dataset: str) -> Reference:
    """The rows of another dataset that count, as accepted last."""
    settings, table = this.config.reference(dataset), this.tables["staging", dataset]
    accepted = table.snapshot(ACCEPTED)
    rows = counting_rows(table, accepted, this.contracts[dataset], this.engine) if accepted.slices else None
    return Reference(rows, timedelta(hours=settings.grace_hours), settings.expected)
