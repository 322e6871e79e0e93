"""An assessment as plain data and back: how it is kept between the step that judges and those that report."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.quality.ledger import LedgerLine
from platform_assets.quality.results import Assessment, CheckResult


def to_record(assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON-able data."""
    return {
        "dataset": assessment.dataset,
        "as_of": assessment.as_of.isoformat() if assessment.as_of else None,
        "evaluated_at": assessment.evaluated_at.isoformat(),
        "has_rows": assessment.has_rows,
        "results": [asdict(result) for result in assessment.results],
        "ledger": [_ledger_record(line) for line in assessment.ledger],
    }


def from_record(record: Mapping[str, Any]) -> Assessment:
    """The assessment that ``to_record`` wrote."""
    return Assessment(
        dataset=record["dataset"],
        as_of=date.fromisoformat(record["as_of"]) if record["as_of"] else None,
        evaluated_at=datetime.fromisoformat(record["evaluated_at"]),
        has_rows=record["has_rows"],
        results=tuple(_result(result) for result in record["results"]),
        ledger=tuple(_ledger_line(line) for line in record["ledger"]),
    )


def _ledger_record(line: LedgerLine) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(line).items()}


def _ledger_line(data: Mapping[str, Any]) -> LedgerLine:
    values: dict[str, Any] = {
        name: Decimal(value) if name.startswith("amount_") else value for name, value in data.items()
    }
    return LedgerLine(**values)


def _result(data: Mapping[str, Any]) -> CheckResult:
    kinds = {"dimension": Dimension(data["dimension"]), "severity": Severity(data["severity"])}
    return CheckResult(**{**data, **kinds, "examples": tuple(data["examples"])})
