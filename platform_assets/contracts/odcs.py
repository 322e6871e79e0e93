"""A contract in the Open Data Contract Standard, version 3.1.0, for catalogues and the tools of others.

Belongs here: the standard's document, its columns and their keys. Does not belong here: its quality checks
(``odcs_quality``), and what a contract means in words (``wording``).

What the standard has no place for is under ``customProperties``, by names in camel case, as it asks.
"""

from typing import Any

import yaml

from platform_assets.contracts.columns import NULL_MARKERS, Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.odcs_quality import column_of, limits, quality
from platform_assets.contracts.row_rules import Present
from platform_assets.contracts.rules import KeyUnique, KnownIn, Severity
from platform_assets.contracts.wording import column_reading, purpose, readings

VERSION = "v3.1.0"
SUFFIX = ".odcs.yaml"
_HEAD = "# Made by ./platform contracts: change the contract, not this file.\n"
_WIDTH = 120

_LOGICAL = {
    ColumnType.TEXT: "string",
    ColumnType.IDENTIFIER: "string",
    ColumnType.INTEGER: "integer",
    ColumnType.MONEY: "number",
    ColumnType.RATE: "number",
    ColumnType.NUMBER: "number",
    ColumnType.DATE: "date",
    ColumnType.TIMESTAMP: "timestamp",
}
_PHYSICAL = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.IDENTIFIER: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.MONEY: "DECIMAL(18,4)",
    ColumnType.RATE: "DECIMAL(12,6)",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
}
_OPTIONS: dict[ColumnType, dict[str, Any]] = {
    ColumnType.INTEGER: {"format": "i64"},
    ColumnType.NUMBER: {"format": "f64"},
    ColumnType.TIMESTAMP: {"timezone": False, "defaultTimezone": "Etc/UTC"},
}


def contract_odcs(contract: Contract) -> dict[str, Any]:
    """A contract as the standard's document, in plain data.

    Types are those of staged rows; ``required`` is the standard's, "has a value", and not that of ``Column``.

    Args:
        contract: As it holds in a deployment, settings applied.
    """
    return {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": f"platform-assets.{contract.dataset}",
        "name": contract.dataset,
        "version": str(contract.version),
        "status": "active",
        "description": {"purpose": purpose(contract)},
        "schema": [_table(contract)],
        "team": _team(contract.owner),
        "customProperties": _custom(
            fingerprint=fingerprint(contract),
            amountColumn=contract.amount,
            eventColumn=contract.event_at,
            anyOfColumns=[list(group) for group in contract.any_of],
            nullMarkers=sorted(NULL_MARKERS),
            reading=readings(contract),
        ),
    }


def odcs_yaml(contract: Contract) -> str:
    """A contract as the standard's YAML, ending in a line end; the same text for the same contract."""
    return _HEAD + yaml.dump(contract_odcs(contract), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


class _Dumper(yaml.SafeDumper):
    """Lists are indented under their key, and what occurs twice is written twice."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _team(owner: str) -> dict[str, Any]:
    """The owner, who is written as Dagster has it: ``team:`` and a name, or the address of one person."""
    if owner.startswith("team:"):
        return {"name": owner.removeprefix("team:")}
    return {"members": [{"username": owner, "role": "owner"}]}


def _table(contract: Contract) -> dict[str, Any]:
    whole = [quality(rule) for rule in contract.rules if column_of(rule) is None]
    table = {
        "id": contract.dataset,
        "name": contract.dataset,
        "physicalType": "table",
        "logicalType": "object",
        "dataGranularityDescription": purpose(contract),
        "properties": [_property(contract, column) for column in contract.columns],
        "quality": whole,
    }
    return {name: value for name, value in table.items() if value != []}


def _property(contract: Contract, column: Column) -> dict[str, Any]:
    rules = [rule for rule in contract.rules if column_of(rule) == column.name]
    options = _OPTIONS.get(column.type, {}) | limits(rules)
    entry = {
        "id": column.name,
        "name": column.name,
        **_key(contract, column),
        "logicalType": _LOGICAL[column.type],
        "logicalTypeOptions": options or None,
        "physicalType": _PHYSICAL[column.type],
        "description": column.description,
        "required": _has_value(contract, column.name),
        "unique": True if (column.name,) in _unique_keys(contract) else None,
        "classification": "personal" if column.personal else None,
        "transformDescription": column_reading(column) or None,
        "relationships": [link for rule in rules if isinstance(rule, KnownIn) for link in _links(rule)] or None,
        "quality": [quality(rule) for rule in rules] or None,
        "customProperties": _custom(
            requiredInFile=column.required or None,
            aliases=list(column.aliases),
            default=column.default,
            defaultProduct=list(column.default_product or ()),
            defaultFromFileName=column.from_file_name or None,
            vocabulary=list(column.vocabulary),
            nullMarkers=sorted(column.null_markers) if column.null_markers != NULL_MARKERS else [],
        )
        or None,
    }
    return {name: value for name, value in entry.items() if value is not None}


def _key(contract: Contract, column: Column) -> dict[str, Any]:
    """Whether the column is part of the primary key: the first unique key of which no part may be missing."""
    always = {one.name for one in contract.columns if one.default is not None or _has_value(contract, one.name)}
    whole = (key for key in _unique_keys(contract) if always.issuperset(key))
    key = next(whole, ())
    return {"primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1} if column.name in key else {}


def _has_value(contract: Contract, column: str) -> bool:
    """Whether rows without a value are set aside."""
    return any(
        isinstance(rule, Present) and rule.column == column and rule.severity is Severity.ERROR
        for rule in contract.rules
    )


def _unique_keys(contract: Contract) -> list[tuple[str, ...]]:
    """The keys of which repeats are set aside."""
    return [rule.key for rule in contract.rules if isinstance(rule, KeyUnique) and rule.severity is Severity.ERROR]


def _links(rule: KnownIn) -> list[dict[str, Any]]:
    one_of = [f"{dataset}.{key}" for dataset, key in rule.references] if len(rule.references) > 1 else []
    return [
        {
            "type": "foreignKey",
            "to": f"{dataset}{SUFFIX}#/schema/{dataset}/properties/{key}",
            "customProperties": _custom(rule=rule.id, oneOf=one_of),
        }
        for dataset, key in rule.references
    ]


def _custom(**properties: Any) -> list[dict[str, Any]]:
    """Custom properties; those that say nothing are left out."""
    return [
        {"property": name, "value": value} for name, value in properties.items() if value is not None and value != []
    ]
