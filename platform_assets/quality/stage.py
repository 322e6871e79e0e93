"""One dataset from raw lines to a judged version: staged, assessed, its quarantine written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import narwhals as nw

from platform_assets.config import Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine, Frame
from platform_assets.ingestion.landing import REFUSED
from platform_assets.lake.table import ACCEPTED, CURRENT, Table
from platform_assets.lake.update import Update
from platform_assets.lake.whole import fingerprint_of, whole_update
from platform_assets.quality.assess import Circumstances, assess
from platform_assets.quality.cross_rows import references_of
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA, Origin, quarantine
from platform_assets.quality.results import Assessment
from platform_assets.transforms.accepted import counting_rows
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
    """

    contract: Contract
    tables: Mapping[tuple[str, str], Table]
    thresholds: Thresholds
    as_of: date | None
    now: datetime
    engine: Engine

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
        files: Files that were staged.
        quarantine_id: Changes when the quarantine may have changed.
    """

    rows: Update
    quarantine: Update
    assessment: Assessment
    files: tuple[str, ...]
    quarantine_id: str


def stage(this: Stage) -> Staged:
    """Stage, judge and sort out one dataset; nothing is published."""
    contract, engine = this.contract, this.engine
    raw = this.table("raw").snapshot()
    refused: Mapping[str, Mapping[str, Any]] = raw.attributes.get(REFUSED, {})
    before = this.table("staging").snapshot()
    after, files = stage_files(contract, this.table("raw"), this.table("staging"), engine)
    around = Circumstances(
        thresholds=this.thresholds,
        as_of=this.as_of,
        now=this.now,
        refused=refused,
        references=_references(this),
    )
    after, assessment = assess(contract, this.table("staging"), after, around, engine)
    pointers = (CURRENT, ACCEPTED) if assessment.gate_is_open else (CURRENT,)
    origin = Origin(contract, this.table("raw"), this.table("rejects"), this.table("staging"))
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
    return Staged(rows, set_aside, assessment, tuple(files), fingerprint_of(made_from))


def _references(this: Stage) -> dict[tuple[str, str], Frame | None]:
    """The keys that other datasets' accepted versions know."""
    known: dict[tuple[str, str], Frame | None] = {}
    for dataset, column in references_of(this.contract.rules):
        table = this.tables["staging", dataset]
        accepted = table.snapshot(ACCEPTED)
        if not accepted.slices:
            known[dataset, column] = None
            continue
        rows = counting_rows(table, accepted, CONTRACTS[dataset], this.engine)
        known[dataset, column] = rows.filter(~nw.col(column).is_null()).select(nw.col(column).alias("key"))
    return known
