"""From the text of a cell to a typed value: one Narwhals expression per column type and reading.

Every cast is guarded by a pattern that only well-formed text passes, because engines differ in what they make of
the rest (one raises, one rounds, one returns null). What does not pass is null, and is told apart from a missing
cell by ``Readable``.
"""

from decimal import Decimal

import narwhals as nw

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.readings import ISO, PLAIN, DateReading, NumberReading, Reading

MONEY_PLACES = 4
RATE_PLACES = 6

_INTEGER = r"^[+-]?\d{1,18}(\.0*)?$"
_DECIMAL = r"^[+-]?(\d{1,14}(\.\d*)?|\.\d+)$"
_NUMBER = r"^[+-]?(\d{1,300}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$"
_RATE = r"^[+-]?(\d{1,6}(\.\d*)?|\.\d+)$"

_LEAP_YEAR = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    r"(?:\d{4}-(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
    r"|\d{4}-(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|\d{4}-02-(?:0[1-9]|1\d|2[0-8])"
    rf"|{_LEAP_YEAR}-02-29)"
)
_INSTANT = rf"^{_DAY}(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{{1,6}})?)?)?$"
_DATE_PARTS = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}


def cell(column: Column) -> nw.Expr:
    """The trimmed text of a raw cell, null where it means "no value"."""
    text = nw.col(column.name).str.strip_chars()
    return nw.when(~text.str.to_lowercase().is_in(sorted(column.null_markers))).then(text)


def typed(column: Column, reading: Reading | None) -> nw.Expr:
    """The value of a column, from its trimmed text under its own name.

    Args:
        column: The contract's column.
        reading: How this file writes it; ``None`` for text.

    Returns:
        An expression of the column's type, null where there is no value or it cannot be read.
    """
    text = nw.col(column.name)
    if column.type.is_temporal:
        return _temporal(text, reading if isinstance(reading, DateReading) else ISO, column.type)
    if column.type.is_numeric:
        return _numeric(text, reading if isinstance(reading, NumberReading) else PLAIN, column.type)
    return _text(text, column)


def _text(text: nw.Expr, column: Column) -> nw.Expr:
    if column.type is ColumnType.IDENTIFIER:
        without_zeros = text.str.replace_all(r"\.0+$", "")
        text = nw.when(text.str.contains(r"^\d+\.0+$")).then(without_zeros).otherwise(text)
    if column.upper:
        text = text.str.to_uppercase()
    if column.zero_padded is not None:
        digits = column.zero_padded.digits
        padded = nw.concat_str([nw.lit("0" * digits), text]).str.tail(digits)
        here = nw.col(column.zero_padded.where).str.to_lowercase().is_in(sorted(column.zero_padded.values))
        lost = text.str.contains(rf"^\d{{3,{digits - 1}}}$") & here
        text = nw.when(lost).then(padded).otherwise(text)
    if column.vocabulary:
        bare = text.str.to_lowercase().str.replace_all(r"[\s_-]+", "")
        for value in column.vocabulary:
            text = nw.when(bare == _bare(value)).then(nw.lit(value)).otherwise(text)
    return text


def _bare(value: str) -> str:
    return "".join(sign for sign in value.lower() if not sign.isspace() and sign not in "_-")


def _numeric(text: nw.Expr, reading: NumberReading, kind: ColumnType) -> nw.Expr:
    plain = _plain_number(text, reading)
    if kind is ColumnType.INTEGER:
        whole = nw.when(plain.str.contains(_INTEGER)).then(plain.str.replace_all(r"\.0*$", ""))
        return whole.cast(nw.Int64)
    if kind is ColumnType.NUMBER:
        return nw.when(plain.str.contains(_NUMBER)).then(plain).cast(nw.Float64) * (0.01 if reading.percent else 1.0)
    if kind is ColumnType.RATE and reading.percent:
        hundredths = nw.when(plain.str.contains(_RATE)).then(plain)
        exact = _decimal(hundredths, reading, RATE_PLACES - 2) * Decimal("0.01")
        return exact.cast(nw.Decimal(12, RATE_PLACES))
    if kind is ColumnType.RATE:
        return _decimal(nw.when(plain.str.contains(_RATE)).then(plain), reading, RATE_PLACES)
    return _decimal(nw.when(plain.str.contains(_DECIMAL)).then(plain), reading, MONEY_PLACES)


def _plain_number(text: nw.Expr, reading: NumberReading) -> nw.Expr:
    """The number written with a point and nothing else."""
    if reading == PLAIN:
        return text
    negative = text.str.contains(r"^\(.*\)$") | text.str.contains(r"-$")
    bare = text.str.replace_all(r"[\s\x{00A0}\x{202F}$€£¥%()]|(?i:USD|EUR|GBP|CHF)|-$", "")
    if reading.group and reading.group != " ":
        bare = bare.str.replace_all(reading.group, "", literal=True)
    if reading.decimal == ",":
        bare = bare.str.replace_all(",", ".", literal=True)
    return nw.when(negative).then(nw.concat_str([nw.lit("-"), bare])).otherwise(bare)


def _decimal(text: nw.Expr, reading: NumberReading, places: int) -> nw.Expr:
    """The exact decimal of a well-formed text, rounded half away from zero.

    Rounding is done on the text: engines disagree about halves.
    """
    kind = nw.Decimal(18 if places == MONEY_PLACES else 12, places)
    if not reading.long:
        return text.cast(kind)
    is_long = text.str.contains(rf"\.\d{{{places + 1},}}")
    fraction = nw.when(is_long).then(text).otherwise(nw.lit("0.00000000")).str.split(".").list.get(1)
    whole = text.str.split(".").list.get(0)
    cut = nw.concat_str([whole, nw.lit("."), fraction.str.slice(0, places)])
    truncated = nw.when(is_long).then(cut).otherwise(text).cast(kind)
    step = Decimal(1).scaleb(-places)
    up = is_long & fraction.str.slice(places, 1).is_in(list("56789"))
    change = nw.when(up & text.str.starts_with("-")).then(nw.lit(-step)).when(up).then(nw.lit(step))
    return (truncated + change.otherwise(nw.lit(step * 0)).cast(kind)).cast(kind)


def _temporal(text: nw.Expr, reading: DateReading, kind: ColumnType) -> nw.Expr:
    is_iso = text.str.contains(r"^\d{4}-\d{2}-\d{2}(?:[ T]|$)")
    iso = text if reading.order == "iso" else nw.when(is_iso).then(text).otherwise(_iso_text(text, reading))
    iso = iso.str.replace_all(r"Z$", "")
    instant = nw.when(iso.str.contains(_INSTANT)).then(iso).cast(nw.Datetime("us"))
    return instant.cast(nw.Date) if kind is ColumnType.DATE else instant


def _iso_text(text: nw.Expr, reading: DateReading) -> nw.Expr:
    """The same day and time of day in ISO's form; text of another format becomes null."""
    blank = text.str.replace_all("T", " ", literal=True)
    clock = nw.when(blank.str.contains(" ")).then(blank.str.replace_all(r"^\S+\s+", ""))
    clock = nw.when(clock.str.contains(r"^\d:")).then(nw.concat_str([nw.lit("0"), clock])).otherwise(clock)
    day = _iso_day(blank.str.replace_all(r"\s.*$", ""), reading)
    return nw.when(~clock.is_null()).then(nw.concat_str([day, nw.lit(" "), clock])).otherwise(day)


def _iso_day(day: nw.Expr, reading: DateReading) -> nw.Expr:
    if reading.order == "compact":
        fits = day.str.contains(r"^\d{8}$")
        parts = [day.str.slice(0, 4), day.str.slice(4, 2), day.str.slice(6, 2)]
        return nw.when(fits).then(nw.concat_str(parts, separator="-"))
    short, year_length = r"\d{1,2}", rf"\d{{{reading.year_digits}}}"
    separator = "\\" + reading.separator
    pattern = [year_length, short, short] if reading.order == "ymd" else [short, short, year_length]
    fits = day.str.contains(f"^{separator.join(pattern)}$")
    pieces = nw.when(fits).then(day).str.split(reading.separator)
    year, month, day_of_month = (pieces.list.get(position) for position in _DATE_PARTS[reading.order])
    if reading.year_digits == 2:
        century = nw.when(year.str.contains("^(69|[7-9])")).then(nw.lit("19")).otherwise(nw.lit("20"))
        year = nw.concat_str([century, year])
    return nw.concat_str([year, _two_digits(month), _two_digits(day_of_month)], separator="-")


def _two_digits(text: nw.Expr) -> nw.Expr:
    return nw.concat_str([nw.lit("0"), text]).str.tail(2)
