"""Topics of the analytics: tables that are computed together, kept in the lake, checked, and loaded into PostgreSQL.

Belongs here: what all topics have in common. Does not belong here: what any of them computes (``analytics``).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import dagster as dg
import pyarrow as pa

from platform_assets.defs.analytics import analysis_day, row_preview
from platform_assets.defs.warehouse_table import warehouse_table
from platform_assets.engines.engine import Engine
from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.whole import content_ids, whole_rows, whole_update
from platform_assets.presentation.checks import unchecked
from platform_assets.presentation.metadata import column_schema
from platform_assets.reports.result_metadata import page_of, result_numbers, result_picture
from platform_assets.resources.platform import PlatformResource
from platform_assets.services.keys import pseudonym_key
from platform_assets.services.up_state import reports_url
from platform_assets.warehouse.loads import MergeLoad
from platform_assets.warehouse.star.pseudonyms import Pseudonyms
from platform_assets.warehouse.star.rows import pseudonymous, pseudonymous_schema

OWNER = "team:analytics"
TOPIC = "topic"
"""The tag that assets of one topic have in common, by which runs can leave it out."""
Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class Verdict:
    """What a check of results found.

    Attributes:
        passed: Whether all is as it must be.
        description: What was found, for people.
        numbers: What it was found from.
        severity: What a failure means, where that depends on what was found.
    """

    passed: bool
    description: str
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)
    severity: dg.AssetCheckSeverity | None = None


@dataclass(frozen=True)
class ResultCheck:
    """A check of the tables of a topic.

    Attributes:
        name: Its name.
        table: The table it is shown at.
        description: What must hold.
        judge: Judges the tables by name.
        severity: What a failure means.
    """

    name: str
    table: str
    description: str
    judge: Callable[[Tables], Verdict]
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR


@dataclass(frozen=True)
class ResultTable:
    """A table of results.

    Attributes:
        name: Its name, in the lake and in the schema ``analytics``.
        schema: Its columns; ``customer_id`` becomes ``customer_pseudonym`` in PostgreSQL.
        key: Columns that tell its rows apart.
        description: What one row is.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Inputs:
    """What a topic computes from.

    Attributes:
        platform: Settings, configuration and engine.
        tables: Handles of what it reads, by name.
        as_of: The day results are computed for.
        tell: Says how far it is.
    """

    platform: PlatformResource
    tables: Mapping[str, Table]
    as_of: date
    tell: Callable[[str], None]

    @property
    def engine(self) -> Engine:
        """The engine of the run."""
        return self.platform.engine

    @cached_property
    def snapshots(self) -> dict[str, Snapshot]:
        """The versions that are read."""
        return {name: table.snapshot() for name, table in self.tables.items()}


@dataclass(frozen=True)
class Topic:
    """Tables that are computed together.

    Attributes:
        name: Name of the step.
        tables: What it computes.
        sources: Asset keys of what it reads, by the name ``compute`` knows them by.
        compute: Computes the tables by name.
        settings: What of the configuration decides the results, as plain data.
        checks: What must hold.
        version: Raise it when the same input gives other results.
    """

    name: str
    tables: tuple[ResultTable, ...]
    sources: Mapping[str, tuple[str, str]]
    compute: Callable[[Inputs], Tables]
    settings: Callable[[PlatformResource], Any] = lambda _: None
    checks: tuple[ResultCheck, ...] = ()
    version: int = 1


def topic_assets(topic: Topic) -> list[dg.AssetsDefinition]:
    """The step that computes a topic, and the assets that load its tables into PostgreSQL.

    Checks can be run alone. Whichever table is asked for, all are made and published, so that they are of the same day.
    """
    return [_computed(topic), *(loaded_table(table, topic.name) for table in topic.tables)]


def _key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["analytics", table])


def _computed(topic: Topic) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"analytics__{topic.name}",
        outs={table.name: result_out(table, topic.name, is_required=False) for table in topic.tables},
        deps=[dg.AssetKey(list(source)) for source in topic.sources.values()],
        check_specs=[check_spec(check) for check in topic.checks],
        can_subset=True,
    )
    def compute(context: dg.AssetExecutionContext, platform: PlatformResource) -> Iterator[Any]:
        wanted = {table.name for table in topic.tables} & context.op_execution_context.selected_output_names
        names = {key.name for key in context.selected_asset_check_keys}
        checks = [check for check in topic.checks if check.name in names]
        try:
            results = _Results(topic, platform, context.log.info)
            outputs = [results.output(table) for table in topic.tables] if wanted else []
        except Exception as error:
            yield from (unchecked(_key(check.table), check.name, error) for check in checks)
            raise
        for output in outputs:
            if output.output_name in wanted:
                yield output
            else:
                context.log_event(_published(output, platform))
        yield from (judged(check, lambda: results.tables) for check in checks)

    return compute


def _published(output: dg.Output[Any], platform: PlatformResource) -> dg.AssetMaterialization:
    """A table that was not asked for, published, as the IO manager would."""
    output.value.publish(platform.table("analytics", output.output_name))
    return dg.AssetMaterialization(_key(output.output_name), metadata=output.metadata)


def result_out(table: ResultTable, topic: str, *, is_required: bool = True) -> dg.AssetOut:
    """A table of results as an output of the step of a topic.

    Args:
        table: The table.
        topic: The topic.
        is_required: Whether the step cannot run without it.
    """
    return dg.AssetOut(
        key=_key(table.name),
        io_manager_key="lake",
        group_name="analytics",
        kinds={"parquet"},
        owners=[OWNER],
        tags={TOPIC: topic},
        description=table.description,
        metadata=column_schema(table.schema),
        is_required=is_required,
    )


class _Results:
    """The tables of a topic: computed once, when any of them is out of date; else as they are kept."""

    def __init__(self, topic: Topic, platform: PlatformResource, tell: Callable[[str], None]) -> None:
        handles = {name: platform.table(*source) for name, source in topic.sources.items()}
        self.topic = topic
        self.inputs = Inputs(platform, handles, analysis_day(platform), tell)
        self._news: Tables | None = None

    def output(self, table: ResultTable) -> dg.Output[Any]:
        engine = self.inputs.engine
        read = {name: content_ids(snapshot) for name, snapshot in self.inputs.snapshots.items()}
        made_from = [self.topic.version, read, self.inputs.as_of, self.topic.settings(self.inputs.platform)]
        kept = self.inputs.platform.table("analytics", table.name)
        update = whole_update(
            kept, made_from, lambda: engine.from_arrow(self._computed()[table.name]), table.schema, engine
        )
        rows = engine.collect(whole_rows(kept, update.snapshot, table.schema, engine))
        more = result_metadata(table.name, rows, self.inputs.platform)
        told = {"as_of": self.inputs.as_of.isoformat(), **more, "preview": row_preview(table.name, table.key, rows)}
        return dg.Output(update, table.name, metadata=told)

    @cached_property
    def tables(self) -> Tables:
        """All tables, as checks judge them."""
        engine, platform = self.inputs.engine, self.inputs.platform
        found = {}
        for table in self.topic.tables:
            kept = platform.table("analytics", table.name)
            found[table.name] = engine.collect(whole_rows(kept, kept.snapshot(), table.schema, engine))
        return found

    def _computed(self) -> Tables:
        if self._news is None:
            self._news = self.topic.compute(self.inputs)
        return self._news


def result_metadata(name: str, rows: pa.Table, platform: PlatformResource) -> dict[str, Any]:
    """A picture of a table of results, the page that tells more, and its key figures, which the UI plots over runs."""
    picture, page = result_picture(name, rows), page_of(name)
    return {
        **({"picture": dg.MetadataValue.md(picture)} if picture else {}),
        **({"report": dg.MetadataValue.url(f"{reports_url(platform.settings)}/{page}")} if page else {}),
        **result_numbers(name, rows),
    }


def check_spec(check: ResultCheck) -> dg.AssetCheckSpec:
    """A check as Dagster announces it."""
    return dg.AssetCheckSpec(check.name, asset=_key(check.table), description=check.description)


def judged(check: ResultCheck, tables: Callable[[], Tables]) -> dg.AssetCheckResult:
    """What a check says of tables; when it breaks, or they cannot be read, it has failed and says why."""
    try:
        verdict = check.judge(tables())
    except Exception as error:  # noqa: BLE001 -- a check that breaks has failed, and says why
        return unchecked(_key(check.table), check.name, error)
    return dg.AssetCheckResult(
        asset_key=_key(check.table),
        check_name=check.name,
        passed=verdict.passed,
        severity=verdict.severity or check.severity,
        description=verdict.description,
        metadata=dict(verdict.numbers),
    )


def loaded_table(table: ResultTable, topic: str) -> dg.AssetsDefinition:
    """The asset that loads a table of results into PostgreSQL."""
    schema = pseudonymous_schema(table.schema)
    key = ["customer_pseudonym" if name == "customer_id" else name for name in table.key]

    @warehouse_table(
        "warehouse",
        table.name,
        schema,
        table=f"analytics.{table.name}",
        owner=OWNER,
        tags={TOPIC: topic},
        ins={"rows": dg.AssetIn(["analytics", table.name])},
        description=f"{table.description} For analysts: customers are pseudonyms.",
    )
    def asset(platform: PlatformResource, rows: Table) -> dg.MaterializeResult[MergeLoad]:
        frame = whole_rows(rows, rows.snapshot(), table.schema, platform.loader)
        pseudonyms = Pseudonyms(pseudonym_key(platform.settings))
        batches = pseudonymous(frame, table.schema, pseudonyms, platform.loader)
        return dg.MaterializeResult(value=MergeLoad(f"analytics.{table.name}", key, schema, batches))

    return asset
