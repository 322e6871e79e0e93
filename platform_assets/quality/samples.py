"""A few of the rows that break a rule, for people; the counts are exact, the sample is bounded."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import RowRule
from platform_assets.contracts.rules import AgreesWith, KnownIn, OneValuePer, Rule, broken_flag
from platform_assets.engines.engine import Frame
from platform_assets.lake.snapshot import Snapshot
from platform_assets.quality.masking import MASK
from platform_assets.quality.stage import Stage
from platform_assets.transforms.accepted import excluded_rows
from platform_assets.transforms.exclusions import version_rules
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW, staged_schema

SAMPLE_ROWS = 5
_RULE = "_rule"


def failing_rows(this: Stage, snapshot: Snapshot, rules: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The first rows that break each of some rules, by file and line; personal columns are masked.

    Args:
        this: The dataset at hand.
        snapshot: The version judged.
        rules: Ids of rules; scores, and rules that look across rows, have no rows of their own.

    Returns:
        By rule at most ``SAMPLE_ROWS`` rows: file, line and the columns of the contract.
    """
    named = {rule.id: rule for rule in this.contract.rules if rule.id in rules}
    frames = [
        rows.sort(SOURCE_FILE, SOURCE_ROW).head(SAMPLE_ROWS).with_columns(nw.lit(name).alias(_RULE))
        for name, rule in named.items()
        if (rows := _breaking(this, snapshot, rule)) is not None
    ]
    if not frames:
        return {}
    columns = [SOURCE_FILE, SOURCE_ROW, *this.contract.column_names]
    schema = staged_schema(this.contract)
    shape = pa.schema([*(schema.field(name) for name in columns), (_RULE, pa.string())])
    found = this.engine.collect(this.engine.concat([frame.select(shape.names) for frame in frames], shape)).to_pylist()
    found.sort(key=lambda line: (line[SOURCE_FILE], line[SOURCE_ROW]))
    return {name: [_shown(line, this.contract) for line in found if line[_RULE] == name] for name in named}


def _breaking(this: Stage, snapshot: Snapshot, rule: Rule) -> Frame | None:
    if isinstance(rule, OneValuePer | KnownIn | AgreesWith):
        return None
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
        shown[name] = MASK if name in personal and line[name] is not None else line[name]
    return shown
