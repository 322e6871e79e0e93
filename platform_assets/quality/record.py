"""An assessment as plain data and back: how it is kept between the step that judges and those that report."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from platform_assets.contracts.rules import Dimension, Severity
from platform_assets.lake.snapshot import Snapshot
from platform_assets.quality.ledger import LedgerLine
from platform_assets.quality.results import Assessment, CheckResult, HeldBack, Kind, Verdict

RECORD = "assessment"
"""The attribute of a dataset's table of assessments that holds its last one."""

_FORMAT = 2
"""Raise it when a record has other fields: an older one is then taken for none, and the next run judges anew."""


def judgement_of(snapshot: Snapshot) -> Assessment | None:
    """The assessment that a table of assessments holds; ``None`` before the first, or after an upgrade."""
    record = snapshot.attributes.get(RECORD)
    return from_record(record) if record is not None and record.get("format") == _FORMAT else None


def to_record(assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON-able data."""
    return {
        "format": _FORMAT,
        "dataset": assessment.dataset,
        "as_of": assessment.as_of.isoformat() if assessment.as_of else None,
        "evaluated_at": assessment.evaluated_at.isoformat(),
        "has_rows": assessment.has_rows,
        "contract_version": assessment.contract_version,
        "composite": assessment.composite,
        "held_back": _held_back_record(assessment.held_back),
        "run_id": assessment.run_id,
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
        contract_version=record["contract_version"],
        composite=record["composite"],
        held_back=_held_back(record["held_back"]),
        run_id=record["run_id"],
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
    enums = {"kind": Kind, "dimension": Dimension, "severity": Severity, "verdict": Verdict}
    typed = {name: kind(data[name]) for name, kind in enums.items()}
    return CheckResult(**{**data, **typed, "examples": tuple(data["examples"])})


def _held_back_record(held: HeldBack | None) -> dict[str, Any] | None:
    return {**asdict(held), "since": held.since.isoformat() if held.since else None} if held else None


def _held_back(data: Mapping[str, Any] | None) -> HeldBack | None:
    if data is None:
        return None
    return HeldBack(
        files=data["files"], rows=data["rows"], since=date.fromisoformat(data["since"]) if data["since"] else None
    )
