"""What assets say about themselves in the UI: column schemas, previews, numbers people can read."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import dagster as dg
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.quality.ledger import PARTS, LedgerLine
from platform_assets.quality.results import CheckResult, Verdict


def column_schema(schema: pa.Schema, descriptions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Definition metadata for the columns tab."""
    described = descriptions or {}
    columns = [dg.TableColumn(field.name, str(field.type), described.get(field.name)) for field in schema]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def descriptions(contract: Contract) -> dict[str, str]:
    """The contract's column descriptions."""
    return {column.name: column.description for column in contract.columns}


def markdown_table(lines: Sequence[Mapping[str, Any]], limit: int = 20) -> dg.MetadataValue:
    """A preview table; numbers with thousands separators."""
    if not lines:
        return dg.MetadataValue.md("_no rows_")
    names = list(lines[0])
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}"
    rows = [f"| {' | '.join(_cell(line[name]) for name in names)} |" for line in lines[:limit]]
    rest = [f"\n_and {len(lines) - limit:,} more_"] if len(lines) > limit else []
    return dg.MetadataValue.md("\n".join([head, *rows, *rest]))


def scorecard_lines(results: Sequence[CheckResult]) -> list[dict[str, Any]]:
    """The checks as a table, those that fail first."""
    order = {verdict: place for place, verdict in enumerate(reversed(Verdict))}
    ordered = sorted(results, key=lambda result: order[result.verdict])
    return [
        {
            "check": result.rule,
            "verdict": result.verdict.value,
            "score": result.score,
            "warns below": result.warn_threshold,
            "fails below": result.threshold,
            "rows checked": result.rows_checked,
            "rows failed": result.rows_failed,
            "rows pending": result.rows_pending,
            "note": result.note,
        }
        for result in ordered
    ]


def ledger_lines(lines: Sequence[LedgerLine]) -> list[dict[str, Any]]:
    """The ledger as a table."""
    return [
        {
            "file": line.source_file or "total",
            **{part: getattr(line, f"rows_{part}") for part in PARTS},
            **{f"{part} amount": getattr(line, f"amount_{part}") for part in PARTS},
            "status": line.status,
        }
        for line in lines
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")[:200]
