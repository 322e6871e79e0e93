"""staging/* and quarantine/*: typed rows that know which rules they break, the checks, and the gate.

The checks are evaluated in the step that stages, in one pass. They do not block the run: a dataset whose gate is
shut keeps its accepted version, everything downstream goes on with that, and the other datasets' news move. (A
blocking check would hold back every dataset that shares a table with the one at fault.)
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.lake.update import Update
from platform_assets.presentation.metadata import (
    column_schema,
    descriptions,
    ledger_lines,
    markdown_table,
    scorecard_lines,
)
from platform_assets.quality.cross_rows import references_of
from platform_assets.quality.ledger import total_line
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA
from platform_assets.quality.record import to_record
from platform_assets.quality.results import BALANCE, READABLE, SCORES, Assessment, CheckResult
from platform_assets.quality.samples import failing_rows
from platform_assets.quality.stage import Stage, Staged, stage
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.schemas import staged_schema

_SCORE_TEXT = {
    "completeness": "Cells of the contract's columns that have a value. Below the threshold the gate is shut.",
    "uniqueness": "Rows that repeat no other. Below the threshold the gate is shut.",
    "validity": "Rows that break no rule of validity or consistency. Below the threshold the gate is shut.",
    "freshness": "Hours since the newest file arrived.",
    BALANCE: "Lines read = rejected + quarantined + duplicate + loaded, in rows and money, for every file.",
    READABLE: "Every file could be read.",
}


def staging_assets(contract: Contract) -> dg.AssetsDefinition:
    """The step that stages and judges one dataset."""
    dataset = contract.dataset
    key = dg.AssetKey(["staging", dataset])
    others = sorted({name for name, _ in references_of(contract.rules)})

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
        check_specs=_check_specs(contract, key),
        can_subset=True,
    )
    def staging(context: dg.AssetExecutionContext, platform: PlatformResource) -> Iterator[Any]:
        this = _stage_of(platform.contract(dataset), platform)
        staged = stage(this)
        selected = context.op_execution_context.selected_output_names
        for reason in staged.assessment.reasons:
            context.log.error("The gate of %s is shut: %s. What was published before stays.", dataset, reason)
        outputs = _outputs(contract, platform, staged)
        for name, output in outputs.items():
            if name in selected:
                yield output
        wanted = context.selected_asset_check_keys
        for result in staged.assessment.results:
            if dg.AssetCheckKey(key, result.rule) in wanted:
                yield _check_result(this, key, result, staged)

    return staging


def _stage_of(contract: Contract, platform: PlatformResource) -> Stage:
    layers = ("raw", "rejects", "staging", "quarantine")
    tables = {(layer, name): platform.table(layer, name) for layer in layers for name in CONTRACTS}
    settings = platform.settings
    return Stage(
        contract=contract,
        tables=tables,
        thresholds=platform.config.thresholds_of(contract.dataset, settings.environment),
        as_of=settings.as_of,
        now=datetime.now(UTC),
        engine=platform.engine,
    )


def _check_specs(contract: Contract, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    rules = [
        dg.AssetCheckSpec(
            rule.id,
            asset=key,
            description=f"{rule.description}. {_consequence(rule.severity)}",
            metadata={"dimension": rule.dimension.value, "severity": rule.severity.value},
        )
        for rule in contract.rules
    ]
    scores = [
        dg.AssetCheckSpec(name, asset=key, description=_SCORE_TEXT[name], metadata={"dimension": _dimension(name)})
        for name in (*SCORES, BALANCE, READABLE)
    ]
    return [*rules, *scores]


def _consequence(severity: Severity) -> str:
    return "A row that breaks it is set aside." if severity is Severity.ERROR else "A row that breaks it stays."


def _dimension(name: str) -> str:
    return {"freshness": Dimension.TIMELINESS, BALANCE: Dimension.CONSISTENCY, READABLE: Dimension.VALIDITY}.get(
        name, name
    )


def _outputs(contract: Contract, platform: PlatformResource, staged: Staged) -> dict[str, dg.MaterializeResult[Update]]:
    assessment = staged.assessment
    record = (
        platform.table("assessment", contract.dataset)
        .snapshot()
        .with_attributes(assessment=to_record(assessment), quarantine_id=staged.quarantine_id)
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
        "ledger": markdown_table(_ledger(assessment)[:1]),
    }


def _check_result(this: Stage, key: dg.AssetKey, result: CheckResult, staged: Staged) -> dg.AssetCheckResult:
    is_grave = result.shuts_gate and result.severity is Severity.ERROR
    samples = [] if result.passed else failing_rows(this, staged.rows.snapshot, result.rule)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=result.rule,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if is_grave else dg.AssetCheckSeverity.WARN,
        description=_sentence(result),
        metadata={
            "score": dg.MetadataValue.float(result.score) if result.score is not None else "nothing to judge",
            "threshold": result.threshold,
            "rows checked": result.rows_checked,
            "rows failed": result.rows_failed,
            "dimension": result.dimension.value,
            "rule severity": result.severity.value,
            **({"note": result.note} if result.note else {}),
            **({"examples": ", ".join(result.examples)} if result.examples else {}),
            **({"failing rows": markdown_table(samples)} if samples else {}),
        },
    )


def _sentence(result: CheckResult) -> str:
    if result.score is None:
        return result.note or f"{result.description}: no row has a value to judge"
    if result.rule == "freshness":
        return f"{result.score:,.1f} hours since the newest file arrived, the threshold is {result.threshold:g}"
    failed, checked = f"{result.rows_failed:,}", f"{result.rows_checked:,}"
    return f"{result.description}: {failed} of {checked} fail, score {result.score:.5f}, threshold {result.threshold:g}"


@dg.definitions
def defs() -> dg.Definitions:
    """One staging step per dataset."""
    return dg.Definitions(assets=[staging_assets(contract) for contract in CONTRACTS.values()])
