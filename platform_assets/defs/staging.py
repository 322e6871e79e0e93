"""staging/* and quarantine/*: typed rows that know which rules they break, the checks, and the gate.

The checks are evaluated in the step that stages, in one pass. They do not block the run: a dataset whose gate is
shut keeps its accepted version, everything downstream goes on with that, and the other datasets' news move. (A
blocking check would hold back every dataset that shares a table with the one at fault.)

A selected check always has a result: where the step raises, its checks fail with the error before it is passed on,
because Dagster takes a check without a result for one that did not stop anything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.lake.update import Update
from platform_assets.presentation.checks import check_result, check_specs, unchecked
from platform_assets.presentation.metadata import (
    column_schema,
    descriptions,
    ledger_lines,
    markdown_table,
    scorecard_lines,
)
from platform_assets.quality.cross_rows import references_of
from platform_assets.quality.failing_samples import sample_records
from platform_assets.quality.ledger import total_line
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA
from platform_assets.quality.record import RECORD, to_record
from platform_assets.quality.results import Assessment
from platform_assets.quality.samples import failing_rows
from platform_assets.quality.stage import Stage, Staged, stage
from platform_assets.reports.wording import held_back
from platform_assets.resources.platform import PlatformResource
from platform_assets.resources.postgres import PostgresResource
from platform_assets.transforms.schemas import staged_schema
from platform_assets.warehouse.loads import AppendLoad
from platform_assets.warehouse.quality.quality_rows import check_rows


def staging_assets(contract: Contract) -> dg.AssetsDefinition:
    """The step that stages and judges one dataset."""
    dataset = contract.dataset
    key = dg.AssetKey(["staging", dataset])
    others = references_of(contract.rules)

    @dg.multi_asset(
        name=f"staging__{dataset}",
        outs={
            "rows": dg.AssetOut(
                key=key,
                io_manager_key="lake",
                is_required=False,
                group_name="staging",
                kinds={"parquet", "pandera"},
                owners=[contract.owner],
                description=f"{contract.title.capitalize()}, typed and conformed to the contract; each row knows "
                "which rules it breaks. What passes the gate becomes the accepted version that everything "
                "downstream reads.",
                metadata=column_schema(staged_schema(contract), descriptions(contract)),
            ),
            "quarantine": dg.AssetOut(
                key=["quarantine", dataset],
                io_manager_key="lake",
                is_required=False,
                group_name="quarantine",
                kinds={"parquet"},
                owners=[contract.owner],
                description=f"Lines and rows of {dataset} that did not pass, with reason, file, line and raw text.",
                metadata=column_schema(QUARANTINE_SCHEMA),
            ),
            "assessment": dg.AssetOut(
                key=["assessment", dataset],
                io_manager_key="lake",
                is_required=False,
                group_name="staging",
                kinds={"json"},
                owners=[contract.owner],
                description=f"Every check of {dataset} with its counts, and the ledger of its files.",
            ),
        },
        deps=[dg.AssetKey(["raw", dataset]), *(dg.AssetKey(["staging", name]) for name in others)],
        check_specs=check_specs(contract, key),
        can_subset=True,
    )
    def staging(
        context: dg.AssetExecutionContext, platform: PlatformResource, postgres: PostgresResource
    ) -> Iterator[Any]:
        wanted = [check.name for check in context.selected_asset_check_keys]
        try:
            this = _stage_of(platform.contract(dataset), platform)
            staged = stage(this)
            assessment = replace(staged.assessment, run_id=context.run.run_id)
            results = [one for one in assessment.results if one.rule in wanted]
            samples = failing_rows(this, staged.rows.snapshot, [one.rule for one in results if not one.passed])
        except Exception as error:
            yield from (unchecked(key, name, error) for name in wanted)
            raise
        selected = context.op_execution_context.selected_output_names
        _say_reasons(context, assessment)
        staged = replace(staged, assessment=assessment)
        for name, output in _outputs(contract, platform, staged, sample_records(samples)).items():
            if name == "assessment" and name in selected:
                staged.deliveries.publish(this.table("deliveries"))
            if name in selected:
                yield output
        if "assessment" not in selected:
            _record(replace(assessment, results=tuple(results)), postgres)
        yield from (check_result(key, result, samples.get(result.rule, [])) for result in results)
        for name in sorted(set(wanted) - {result.rule for result in results}):
            yield unchecked(key, name, LookupError("judging gave no result for it"))

    return staging


def _say_reasons(context: dg.AssetExecutionContext, assessment: Assessment) -> None:
    held = assessment.held_back
    if held is not None:
        context.log.error(
            "The gate of %s is shut: %s. %s",
            assessment.dataset,
            "; ".join(assessment.reasons),
            held_back(held),
        )


def _record(assessment: Assessment, postgres: PostgresResource) -> None:
    """Add to the history what was evaluated by itself; what is published with its table is added by the history's."""
    rows = check_rows([assessment])
    with postgres.connection() as connection:
        AppendLoad("quality.check_results", rows.schema, rows.to_batches()).apply(connection)


def _stage_of(contract: Contract, platform: PlatformResource) -> Stage:
    layers = ("raw", "rejects", "corrections", "staging", "quarantine", "assessment", "deliveries")
    tables = {(layer, name): platform.table(layer, name) for layer in layers for name in CONTRACTS}
    settings = platform.settings
    return Stage(
        contract=contract,
        tables=tables,
        thresholds=platform.config.thresholds_of(contract.dataset, settings.environment),
        as_of=settings.as_of,
        now=datetime.now(UTC),
        engine=platform.engine,
        config=platform.config,
    )


def _outputs(
    contract: Contract, platform: PlatformResource, staged: Staged, samples: Mapping[str, Any]
) -> dict[str, dg.MaterializeResult[Update]]:
    assessment = staged.assessment
    record = (
        platform.table("assessment", contract.dataset)
        .snapshot()
        .with_attributes(**{RECORD: to_record(assessment)}, quarantine_id=staged.quarantine_id, samples=samples)
    )
    return {
        "rows": dg.MaterializeResult(
            asset_key=["staging", contract.dataset], value=staged.rows, metadata=_rows_metadata(staged)
        ),
        "quarantine": dg.MaterializeResult(asset_key=["quarantine", contract.dataset], value=staged.quarantine),
        "assessment": dg.MaterializeResult(
            asset_key=["assessment", contract.dataset],
            value=Update(record),
            metadata={
                "scorecard": markdown_table(scorecard_lines(assessment.results), limit=80),
                "ledger": markdown_table(_ledger(assessment)),
            },
        ),
    }


def _ledger(assessment: Assessment) -> list[dict[str, Any]]:
    return ledger_lines([total_line(assessment.dataset, list(assessment.ledger)), *assessment.ledger])


def _rows_metadata(staged: Staged) -> dict[str, Any]:
    assessment = staged.assessment
    return {
        "gate": "open" if assessment.gate_is_open else "shut: " + "; ".join(assessment.reasons),
        "as_of": str(assessment.as_of),
        "files staged": len(staged.files),
        **({"held back": held_back(assessment.held_back)} if assessment.held_back else {}),
        "ledger": markdown_table(_ledger(assessment)[:1]),
    }


@dg.definitions
def defs() -> dg.Definitions:
    """One staging step per dataset."""
    return dg.Definitions(assets=[staging_assets(contract) for contract in CONTRACTS.values()])
