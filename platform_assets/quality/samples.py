"""A few of the rows that break a rule, for people; the counts are exact, the sample is bounded."""

from typing import Any

import narwhals as nw

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import RowRule
from platform_assets.contracts.rules import OneValuePer, Rule, broken_flag
from platform_assets.engines.engine import Frame
from platform_assets.lake.snapshot import Snapshot
from platform_assets.quality.stage import Stage
from platform_assets.transforms.accepted import excluded_rows
from platform_assets.transforms.exclusions import version_rules
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW, staged_schema

SAMPLE_ROWS = 5
_MASK = "•••"


def failing_rows(this: Stage, snapshot: Snapshot, rule_id: str) -> list[dict[str, Any]]:
    """The first rows that break a rule, by file and line; personal columns are masked.

    Args:
        this: The dataset at hand.
        snapshot: The version judged.
        rule_id: The rule; scores have no rows of their own.

    Returns:
        At most ``SAMPLE_ROWS`` rows: file, line and the columns of the contract that have a value.
    """
    rule = next((rule for rule in this.contract.rules if rule.id == rule_id), None)
    if rule is None or isinstance(rule, OneValuePer):
        return []
    rows = _breaking(this, snapshot, rule)
    if rows is None:
        return []
    first = rows.sort(SOURCE_FILE, SOURCE_ROW).head(SAMPLE_ROWS)
    return [_shown(line, this.contract) for line in this.engine.collect(first).to_pylist()]


def _breaking(this: Stage, snapshot: Snapshot, rule: Rule) -> Frame | None:
    table = this.table("staging")
    rows = this.engine.scan(table.parts(snapshot), staged_schema(this.contract))
    columns = [SOURCE_FILE, SOURCE_ROW, *this.contract.column_names]
    if isinstance(rule, RowRule):
        return rows.filter(nw.col(broken_flag(rule))).select(columns)
    excluded = excluded_rows(table, snapshot, this.contract, this.engine)
    if rule not in version_rules(this.contract) or excluded is None:
        return None
    marked = excluded.filter(nw.col(broken_flag(rule))).select(SOURCE_FILE, SOURCE_ROW)
    return rows.join(marked, on=[SOURCE_FILE, SOURCE_ROW], how="semi").select(columns)


def _shown(line: dict[str, Any], contract: Contract) -> dict[str, Any]:
    personal = {column.name for column in contract.columns if column.personal}
    shown = {"file": line[SOURCE_FILE], "line": line[SOURCE_ROW]}
    for name in contract.column_names:
        shown[name] = _MASK if name in personal and line[name] is not None else line[name]
    return shown
