"""Datasets in a temporary lake: files are delivered, landed, staged and judged as the assets do it, without Dagster."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from platform_assets.config import Config, DatasetSettings, Thresholds
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine
from platform_assets.ingestion.landing import Landing, look
from platform_assets.lake.table import ACCEPTED, CURRENT, Table
from platform_assets.lake.whole import whole_rows
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA
from platform_assets.quality.record import RECORD, to_record
from platform_assets.quality.stage import Stage, Staged, stage
from platform_assets.transforms.accepted import counting_rows
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW
from platform_assets_tests.frames import Row

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at_least(**limits: Any) -> Thresholds:
    """Thresholds as the configuration writes them: a plain number is where failing begins."""
    return Thresholds.model_validate(limits)


LENIENT = at_least(completeness=0, uniqueness=0, validity=0)
_LAYERS = ("raw", "rejects", "corrections", "staging", "quarantine", "assessment", "deliveries")


def csv_text(rows: Sequence[Row]) -> str:
    """Rows as a file with a header; the first row says which columns there are."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


class Deliveries:
    """A landing zone and a lake."""

    def __init__(self, home: Path, engine: Engine) -> None:
        self.home = home
        self.engine = engine
        self.tables = {(layer, name): Table(home / "lake" / layer / name) for layer in _LAYERS for name in CONTRACTS}

    def table(self, layer: str, contract: Contract) -> Table:
        return self.tables[layer, contract.dataset]

    def deliver(self, contract: Contract, name: str, rows: Sequence[Row] | bytes) -> Path:
        """Drop a file into the landing zone."""
        path = self.home / "raw" / contract.dataset / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rows if isinstance(rows, bytes) else csv_text(rows).encode())
        return path

    def look(
        self,
        contract: Contract,
        settings: DatasetSettings | None = None,
        *,
        publish: bool = True,
        now: datetime = NOW,
    ) -> Landing:
        """Read what is new in a dataset's folder."""
        tables = self.table("raw", contract), self.table("rejects", contract)
        folder = self.home / "raw" / contract.dataset
        landing = look(contract, folder, settings or DatasetSettings(), tables, self.engine, now=now)
        if publish:
            landing.rejects.publish(tables[1])
            landing.rows.publish(tables[0])
        return landing

    def stage(
        self,
        contract: Contract,
        *,
        thresholds: Thresholds = LENIENT,
        as_of: date | None = None,
        now: datetime = NOW,
        publish: bool = True,
        config: Config | None = None,
    ) -> Staged:
        """Stage and judge what was landed."""
        this = Stage(
            contract=contract,
            tables=self.tables,
            thresholds=thresholds,
            as_of=as_of,
            now=now,
            engine=self.engine,
            config=config or Config(),
        )
        staged = stage(this)
        if publish:
            staged.rows.publish(self.table("staging", contract))
            staged.quarantine.publish(self.table("quarantine", contract))
            staged.deliveries.publish(self.table("deliveries", contract))
            judged = self.table("assessment", contract)
            judged.publish(judged.snapshot().with_attributes(**{RECORD: to_record(staged.assessment)}))
        return staged

    def process(self, contract: Contract, **how: Any) -> Staged:
        """Land and stage."""
        self.look(contract, now=how.get("now", NOW))
        return self.stage(contract, **how)

    def counting(self, contract: Contract, pointer: str = ACCEPTED) -> list[dict[str, Any]]:
        """Accepted rows that count, by file and line."""
        table = self.table("staging", contract)
        rows = counting_rows(table, table.snapshot(pointer), contract, self.engine)
        return sorted(self.engine.collect(rows).to_pylist(), key=lambda row: (row[SOURCE_FILE], row[SOURCE_ROW]))

    def quarantine(self, contract: Contract) -> list[dict[str, Any]]:
        """What was set aside, by file and line."""
        table = self.table("quarantine", contract)
        rows = whole_rows(table, table.snapshot(CURRENT), QUARANTINE_SCHEMA, self.engine)
        found = self.engine.collect(rows).to_pylist()
        return sorted(found, key=lambda row: (row["source_file"], row["source_row"]))
