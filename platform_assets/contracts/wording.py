"""What a contract means, in sentences: the same in every export.

Belongs here: how cells are read, and what becomes of a row that breaks a rule. Does not belong here: the formats these
sentences are put into (``markdown``, ``odcs``), nor any sentence that only holds for one dataset.
"""

from collections.abc import Iterable
from functools import singledispatch

from platform_assets.contracts.columns import NULL_MARKERS, Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import DaysBetween
from platform_assets.contracts.rules import AgreesWith, KeyUnique, KnownIn, LineUnique, Rule, Severity

_TYPES = {
    ColumnType.TEXT: "text: as it is written.",
    ColumnType.IDENTIFIER: "identifier: text that names a thing; a whole number written with `.0` loses it "
    "(`17850.0` is `17850`).",
    ColumnType.INTEGER: "integer: a whole number; zeros after the point do not count (`3.0` is 3).",
    ColumnType.MONEY: "money: a decimal with four places; a fifth is rounded half away from zero.",
    ColumnType.RATE: "rate: a decimal with six places; `45%` is 0.45.",
    ColumnType.NUMBER: "number: a measured quantity, in double precision.",
    ColumnType.DATE: "date: a day.",
    ColumnType.TIMESTAMP: "timestamp: an instant in UTC, to the microsecond.",
}
_FILE_DATE = "the date in the file's name (YYYY-MM-DD, YYYYMMDD or YYYY-MM)"


@singledispatch
def consequence(rule: Rule) -> str:
    """What becomes of a row that breaks a rule, as a sentence."""
    if rule.severity is Severity.ERROR:
        return "It is set aside in quarantine."
    return "It stays, and is counted."


@consequence.register
def _(_: LineUnique) -> str:
    return "The first stays; a repeat is a duplicate in the ledger, neither loaded nor set aside."


@consequence.register
def _(rule: KeyUnique) -> str:
    if rule.severity is Severity.ERROR:
        return "The first stays; the others are set aside in quarantine."
    return "All stay, and those after the first are counted."


@consequence.register
def _(_: KnownIn) -> str:
    return "It stays: pending for the grace time of the reference, and counted when that is over."


@singledispatch
def reference(_: Rule) -> tuple[str, str] | None:
    """The column of a rule that looks into another dataset, and what it is held against there."""
    return None


@reference.register
def _(rule: KnownIn) -> tuple[str, str]:
    places = (f"`{dataset}.{column}`" for dataset, column in rule.references)
    return rule.column, f"is known in {' or '.join(places)}"


@reference.register
def _(rule: AgreesWith) -> tuple[str, str]:
    dataset, key, value = rule.reference
    return rule.column, f"agrees with `{dataset}.{value}` where `{rule.key}` is `{dataset}.{key}`"


def purpose(contract: Contract) -> str:
    """What a row of the dataset is, as a sentence."""
    return f"One row is {contract.title}."


def readings(contract: Contract) -> list[str]:
    """How the cells of a dataset's files are read: missing values, types, numbers, dates, and columns of their own."""
    types = {column.type for column in contract.columns}
    said = [
        "Headers match a column's name or one of its aliases; case, blanks and punctuation do not matter.",
        f"Blanks around a cell are cut off. No value, in any case: {_listed(NULL_MARKERS)}.",
        *(_TYPES[kind] for kind in ColumnType if kind in types),
    ]
    if any(kind.is_numeric for kind in types):
        said.append(
            "Numbers: decimal mark, thousands mark and signs of currency are told for each column of a file from the "
            "whole column; where two ways fit equally, the file is refused."
        )
    if any(kind.is_temporal for kind in types):
        said.append(_dates(contract))
    own = ((column, column_reading(column)) for column in contract.columns)
    return said + [f"`{column.name}`: {reading}." for column, reading in own if reading]


def column_reading(column: Column) -> str:
    """How the cells of a column are read otherwise than its type says; empty where they are not."""
    return "; ".join(
        part
        for part in (
            f"no value is {_listed(column.null_markers)}" if column.null_markers != NULL_MARKERS else "",
            "put into upper case" if column.upper else "",
            _vocabulary(column),
            _zeros(column),
            _default(column),
        )
        if part
    )


def default_of(column: Column) -> str:
    """The value of a missing cell: a constant, a product of two columns, the file's date, or empty for none."""
    if column.default_product is not None:
        return " × ".join(column.default_product)  # noqa: RUF001 - the sign for "times"
    if column.from_file_name:
        return ", else ".join(filter(None, (_FILE_DATE, column.default)))
    return column.default or ""


def _dates(contract: Contract) -> str:
    rules = [f"`{rule.id}`" for rule in contract.rules if isinstance(rule, DaysBetween)]
    judges = " or ".join([*rules, "a column written alike"])
    return (
        "Dates: one format for each column of a file, the one that fits the whole column; days written as YYYY-MM-DD "
        f"are understood beside it. Where several fit, {judges} decides; where nothing does, the file is refused, "
        f"unless `datasets.{contract.dataset}.date_formats` in the configuration names the format."
    )


def _vocabulary(column: Column) -> str:
    if not column.vocabulary:
        return ""
    return f"written as {_named(column.vocabulary)} where only case, blanks, hyphens and underscores differ"


def _zeros(column: Column) -> str:
    if (padded := column.zero_padded) is None:
        return ""
    where = f"where `{padded.where}` is one of {_named(sorted(padded.values))}, in any case"
    return f"zeros lost in front are put back, to {padded.digits} digits, {where}"


def _default(column: Column) -> str:
    return f"a missing one is {default_of(column)}" if default_of(column) else ""


def _listed(markers: frozenset[str]) -> str:
    parts = ("an empty cell" if "" in markers else "", _named(sorted(markers - {""})))
    return ", ".join(part for part in parts if part) or "nothing"


def _named(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)
