"""What checks say about themselves in the UI: their specifications, and their results with counts and examples."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import Dimension, KnownIn, Severity
from platform_assets.presentation.metadata import markdown_table
from platform_assets.quality.check_names import SCHEMA
from platform_assets.quality.drift_checks import DRIFT_CHECKS
from platform_assets.quality.results import BALANCE, READABLE, SCORES, CheckResult, Verdict

_SCORE_TEXT = {
    "completeness": "Cells of the contract's columns that have a value. Below the threshold the gate is shut.",
    "uniqueness": "Rows that repeat no other. Below the threshold the gate is shut.",
    "validity": "Rows that break no rule of validity or consistency. Below the threshold the gate is shut.",
    "integrity": "Rows whose key another dataset knows, or may still bring within the time of grace.",
    "freshness": "Hours since the newest file arrived.",
    BALANCE: "Lines read = rejected + quarantined + duplicate + loaded, in rows and money, for every file.",
    READABLE: "Every file could be read.",
    SCHEMA: "Every file has the columns of the contract, of their types, and no others.",
    **{name: f"{text.capitalize()}. It warns." for name, (_, text) in DRIFT_CHECKS.items()},
}


def check_specs(contract: Contract, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One check for each rule of a contract, each score, each drift, and the files."""
    rules = [
        dg.AssetCheckSpec(
            rule.id,
            asset=key,
            description=f"{rule.description}. {_consequence(rule.severity)}",
            metadata={"dimension": rule.dimension.value, "severity": rule.severity.value},
        )
        for rule in contract.rules
    ]
    has_references = any(isinstance(rule, KnownIn) for rule in contract.rules)
    names = [
        name for name in (*SCORES, BALANCE, READABLE, SCHEMA, *DRIFT_CHECKS) if name != "integrity" or has_references
    ]
    others = [
        dg.AssetCheckSpec(name, asset=key, description=_SCORE_TEXT[name], metadata={"dimension": _dimension(name)})
        for name in names
    ]
    return [*rules, *others]


def _consequence(severity: Severity) -> str:
    return "A row that breaks it is set aside." if severity is Severity.ERROR else "A row that breaks it stays."


def _dimension(name: str) -> str:
    others = {
        "integrity": Dimension.CONSISTENCY,
        "freshness": Dimension.TIMELINESS,
        BALANCE: Dimension.CONSISTENCY,
        READABLE: Dimension.VALIDITY,
        SCHEMA: Dimension.VALIDITY,
        **{name: dimension for name, (dimension, _) in DRIFT_CHECKS.items()},
    }
    return others.get(name, name)


def unchecked(key: dg.AssetKey, name: str, error: Exception) -> dg.AssetCheckResult:
    """A check that could not be evaluated has failed."""
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"could not be checked: {error}",
        metadata={"error": f"{type(error).__name__}: {error}"},
    )


def check_result(key: dg.AssetKey, result: CheckResult, samples: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """A result with its counts, its thresholds, and a few of the rows that fail."""
    is_grave = result.verdict is Verdict.FAIL
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=result.rule,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if is_grave else dg.AssetCheckSeverity.WARN,
        description=_sentence(result),
        metadata={
            "verdict": result.verdict.value,
            "score": dg.MetadataValue.float(result.score) if result.score is not None else "nothing to judge",
            **({"warns below": result.warn_threshold} if result.warn_threshold is not None else {}),
            **({"fails below": result.threshold} if result.threshold is not None else {}),
            "rows checked": result.rows_checked,
            "rows failed": result.rows_failed,
            **({"rows pending": result.rows_pending} if result.rows_pending else {}),
            **({"rows resolved": result.rows_resolved} if result.rows_resolved else {}),
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
        limit = f", the threshold is {result.threshold:g}" if result.threshold is not None else ""
        return f"{result.score:,.1f} hours since the newest file arrived{limit}"
    limits = {"warns": result.warn_threshold, "fails": result.threshold}
    told = "".join(f", {verb} below {limit:g}" for verb, limit in limits.items() if limit is not None)
    failed, checked = f"{result.rows_failed:,}", f"{result.rows_checked:,}"
    pending = f", {result.rows_pending:,} pending" if result.rows_pending else ""
    return f"{result.description}: {failed} of {checked} fail{pending}, score {result.score:.5f}{told}"
