"""From raw text to staged rows: typed, conformed to the contract, and each row knows which rules it breaks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

import narwhals as nw

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.readings import Reading
from platform_assets.contracts.row_rules import Present, RowRule
from platform_assets.contracts.rules import Dimension, Severity, broken_flag, unreadable_flag
from platform_assets.engines.engine import Frame, narwhals_type
from platform_assets.transforms.file_dates import FILE_DATE
from platform_assets.transforms.schemas import (
    INVALID,
    QUARANTINED,
    RAW_LINE,
    SOURCE_FILE,
    SOURCE_ROW,
    columns_with_default,
    missing_flag,
    staged_schema,
    value_type,
)
from platform_assets.transforms.typing import MONEY_PLACES, trimmed_cells, typed

_MONEY_LIMIT = Decimal(10**14)
"""The least amount that does not fit into the lake's money."""
_CONSTANTS: Mapping[ColumnType, Callable[[str], int | date | str]] = {
    ColumnType.INTEGER: int,
    ColumnType.DATE: date.fromisoformat,
}
"""From the text of a default to its value; text is taken as it is."""


def staged(raw: Frame, contract: Contract, readings: Mapping[str, Reading], dates: Frame | None = None) -> Frame:
    """Stage raw rows of files that write their columns alike.

    Args:
        raw: Rows of ``raw_schema``.
        contract: The dataset's contract.
        readings: How each numeric or temporal column is written; a missing one is read plainly.
        dates: The dates in the names of the files, see ``file_dates``; without them there are none.

    Returns:
        Rows of ``staged_schema``, one per raw row.
    """
    columns = contract.columns
    typed_columns = [column for column in columns if column.type.is_numeric or column.type.is_temporal]
    frame = raw.with_columns(*(nw.col(column.name).alias(_cell_name(column)) for column in columns))
    frame = trimmed_cells(frame, columns)
    texts = [nw.col(column.name).alias(_text_name(column)) for column in typed_columns]
    frame = frame.with_columns(*texts, *_missing(contract))
    frame = typed(frame, [(column, readings.get(column.name)) for column in columns])
    unreadable = [
        (~nw.col(_text_name(column)).is_null() & nw.col(column.name).is_null()).alias(unreadable_flag(column.name))
        for column in typed_columns
    ]
    frame = frame.with_columns(*unreadable)
    if dates is not None:
        frame = frame.join(dates, on=SOURCE_FILE, how="left")
    for defaults in (_constants(contract), _dates(contract) if dates is not None else [], _products(contract)):
        frame = frame.with_columns(*defaults) if defaults else frame
    names = {column.name for column in typed_columns}
    frame = frame.with_columns(*(_broken(rule, names) for rule in contract.row_rules))
    frame = frame.with_columns(
        _any_broken(_invalidating(contract), INVALID), _any_broken(_errors(contract), QUARANTINED)
    )
    line = _line([nw.col(_cell_name(column)) for column in columns])
    kept_line = nw.when(nw.col(QUARANTINED)).then(line).alias(RAW_LINE)
    return frame.with_columns(kept_line).select(staged_schema(contract).names)


def raw_lines(raw: Frame, contract: Contract) -> Frame:
    """Where each raw row came from and how its line reads, for rows that a version sets aside."""
    line = _line([nw.col(name) for name in contract.column_names])
    return raw.select(SOURCE_FILE, SOURCE_ROW, line.alias(RAW_LINE))


def _cell_name(column: Column) -> str:
    return f"_cell_{column.name}"


def _text_name(column: Column) -> str:
    return f"_text_{column.name}"


def _missing(contract: Contract) -> list[nw.Expr]:
    return [nw.col(column.name).is_null().alias(missing_flag(column)) for column in columns_with_default(contract)]


def _constants(contract: Contract) -> list[nw.Expr]:
    """Fixed values for cells that are missing; an unreadable cell stays unknown."""
    expressions = []
    for column in contract.columns:
        if column.default is not None:
            value = _CONSTANTS.get(column.type, str)(column.default)
            given = nw.when(nw.col(missing_flag(column))).then(nw.lit(value)).otherwise(nw.col(column.name))
            # On pandas, a column that a day is put into is no longer one of days.
            expressions.append(given.cast(narwhals_type(value_type(column))).alias(column.name))
    return expressions


def _dates(contract: Contract) -> list[nw.Expr]:
    """The date in the file's name for cells that are missing; where it has none, what was there stays."""
    expressions = []
    for column in contract.columns:
        if column.from_file_name:
            has_date = nw.col(missing_flag(column)) & ~nw.col(FILE_DATE).is_null()
            given = nw.when(has_date).then(nw.col(FILE_DATE)).otherwise(nw.col(column.name))
            expressions.append(given.alias(column.name))
    return expressions


def _products(contract: Contract) -> list[nw.Expr]:
    """Products for cells that are missing; one that money cannot hold is marked as what cannot be read."""
    expressions = []
    for column in contract.columns:
        if column.default_product is not None:
            left, right = column.default_product
            product, missing = nw.col(left) * nw.col(right), nw.col(missing_flag(column))
            fits = (product < _MONEY_LIMIT) & (product > -_MONEY_LIMIT)
            money = nw.when(fits).then(product).cast(nw.Decimal(18, MONEY_PLACES))
            expressions.append(nw.when(missing).then(money).otherwise(nw.col(column.name)).alias(column.name))
            is_beyond = nw.when(missing & ~fits).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
            flag = unreadable_flag(column.name)
            expressions.append((nw.col(flag) | is_beyond).alias(flag))
    return expressions


def _broken(rule: RowRule, unreadable: set[str]) -> nw.Expr:
    """The rule's flag; a cell that cannot be read breaks ``Readable`` alone, so that one fault is told once."""
    broken = rule.broken()
    if isinstance(rule, Present) and rule.column in unreadable:
        broken = broken & ~nw.col(unreadable_flag(rule.column))
    return broken.alias(broken_flag(rule))


def _invalidating(contract: Contract) -> list[RowRule]:
    wanted = {Dimension.VALIDITY, Dimension.CONSISTENCY}
    return [rule for rule in _errors(contract) if rule.dimension in wanted]


def _errors(contract: Contract) -> list[RowRule]:
    return [rule for rule in contract.row_rules if rule.severity is Severity.ERROR]


def _any_broken(rules: list[RowRule], name: str) -> nw.Expr:
    flags = [nw.col(broken_flag(rule)) for rule in rules]
    return nw.any_horizontal(*flags, ignore_nulls=True).alias(name)


def _line(cells: Sequence[nw.Expr]) -> nw.Expr:
    """Cells as one line of CSV."""
    written = []
    for cell in cells:
        text = cell.fill_null("")
        quoted = nw.concat_str([nw.lit('"'), text.str.replace_all('"', '""', literal=True), nw.lit('"')])
        written.append(nw.when(text.str.contains('[",\n\r]')).then(quoted).otherwise(text))
    return nw.concat_str(written, separator=",")
