"""Columns and types of the raw and staged frames, derived from a contract."""

import pyarrow as pa

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import broken_flag
from platform_assets.engines.engine import INSTANT, MONEY

SOURCE_FILE = "_source_file"
SOURCE_ROW = "_source_row"
LINE_HASH = "_line_hash"
EXTRA = "_extra"
INVALID = "_is_invalid"
QUARANTINED = "_is_quarantined"
RAW_LINE = "_raw"

_TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.IDENTIFIER: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.MONEY: MONEY,
    ColumnType.RATE: pa.decimal128(12, 6),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIMESTAMP: INSTANT,
}


def raw_schema(contract: Contract) -> pa.Schema:
    """Every cell as text, with where it came from and a fingerprint of its line."""
    cells = [(column.name, pa.string()) for column in contract.columns]
    lineage = [(SOURCE_FILE, pa.string()), (SOURCE_ROW, pa.int64()), (LINE_HASH, pa.int64())]
    return pa.schema([*cells, (EXTRA, pa.string()), *lineage])


def staged_schema(contract: Contract) -> pa.Schema:
    """Typed columns, lineage, one flag per row rule, and the raw line of rows that are set aside."""
    values = [(column.name, value_type(column)) for column in contract.columns]
    lineage = [(SOURCE_FILE, pa.string()), (SOURCE_ROW, pa.int64()), (LINE_HASH, pa.int64())]
    flags = [(broken_flag(rule), pa.bool_()) for rule in contract.row_rules]
    missing = [(missing_flag(column), pa.bool_()) for column in columns_with_default(contract)]
    verdict = [(INVALID, pa.bool_()), (QUARANTINED, pa.bool_()), (RAW_LINE, pa.string())]
    return pa.schema([*values, *lineage, *flags, *missing, *verdict])


def value_type(column: Column) -> pa.DataType:
    """The Arrow type of a typed column."""
    return _TYPES[column.type]


def columns_with_default(contract: Contract) -> list[Column]:
    """Columns whose missing cells get a value, so that a flag must say which were missing."""
    return [
        column
        for column in contract.columns
        if column.default is not None or column.default_product is not None or column.from_file_name
    ]


def missing_flag(column: Column) -> str:
    """Name of the staged boolean column that says the file gave no value for a cell that has a default."""
    return f"_missing_{column.name}"
