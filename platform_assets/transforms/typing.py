"""From the text of a cell to a typed value, in a few steps per column type and reading.

A step is a set of columns computed from those of the step before. What is used twice gets a column of its own:
an expression that holds another twice is computed twice by engines that do not look for that, and grows without
bound when nested.

Every cast is guarded by a pattern that only well-formed text passes, because engines differ in what they make of
the rest (one raises, one rounds, one returns null). What does not pass is null, and is told apart from a missing
cell by ``Readable``.

Numbers and dates have no line end in them: to Java, and so to Spark, ``$`` also means the place before a last one,
and ``.`` is none; and it knows more signs of that kind than other engines do.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

import narwhals as nw

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.readings import ISO, PLAIN, DateReading, NumberReading, Reading
from platform_assets.engines.engine import Frame
from platform_assets.ingestion.numbers import APOSTROPHE, BLANK, CURRENCY

MONEY_PLACES = 4
RATE_PLACES = 6

_INTEGER = r"^[+-]?\d{1,18}(?:\.0*)?$"
_DECIMAL = r"^[+-]?(?:\d{1,14}(?:\.\d*)?|\.\d+)$"
_NUMBER = r"^[+-]?(?:\d{1,200}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?$"
_RATE = r"^[+-]?(?:\d{1,6}(?:\.\d*)?|\.\d+)$"

_LEAP_YEAR = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    r"(?:\d{4}-(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
    r"|\d{4}-(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|\d{4}-02-(?:0[1-9]|1\d|2[0-8])"
    rf"|{_LEAP_YEAR}-02-29)"
)
_INSTANT = rf"^{_DAY}(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{{1,6}})?)?)?$"
_BLANKS = "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
"""Unicode's blanks, the one that does not break included: left to themselves, engines trim different ones."""
_LINE_END = "[\n\r\u0085\u2028\u2029]"
_DECORATION = f"[%()+]|{BLANK}|{CURRENCY}|[-\u2212]$"
_DATE_PARTS = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}


Steps = list[dict[str, nw.Expr]]


def trimmed_cells(frame: Frame, columns: Sequence[Column]) -> Frame:
    """The frame with raw cells trimmed, and null where they mean "no value"."""
    frame = frame.with_columns(*(nw.col(column.name).str.strip_chars(_BLANKS) for column in columns))
    return frame.with_columns(*(_without_markers(column) for column in columns))


def typed(frame: Frame, columns: Sequence[tuple[Column, Reading | None]]) -> Frame:
    """The frame with trimmed text replaced by typed values.

    Args:
        frame: Trimmed text under the columns' own names.
        columns: Each column with how the file writes it; ``None`` for text, or to read it plainly.

    Returns:
        The frame with values of the columns' types, null where there is no value or it cannot be read. Columns that
        start with ``_step`` are left over from on the way.
    """
    ways = [_steps(column, reading) for column, reading in columns]
    for place in range(max(map(len, ways), default=0)):
        step = [value.alias(name) for way in ways if place < len(way) for name, value in way[place].items()]
        frame = frame.with_columns(*step)
    return frame


def _without_markers(column: Column) -> nw.Expr:
    text = nw.col(column.name)
    marks = text.str.to_lowercase().is_in(sorted(column.null_markers))
    return nw.when(~marks).then(text).alias(column.name)


def _steps(column: Column, reading: Reading | None) -> Steps:
    if column.type.is_temporal:
        return _temporal(column, reading if isinstance(reading, DateReading) else ISO)
    if column.type.is_numeric:
        return _numeric(column, reading if isinstance(reading, NumberReading) else PLAIN)
    return [{column.name: _text(column)}]


def _step(column: Column, what: str) -> str:
    return f"_step_{column.name}_{what}"


def _text(column: Column) -> nw.Expr:
    text = nw.col(column.name)
    if column.type is ColumnType.IDENTIFIER:
        without_zeros = text.str.replace_all(r"\.0+$", "")
        is_number = text.str.ends_with(".0") & text.str.contains(r"^\d+\.0$")
        text = nw.when(is_number).then(without_zeros).otherwise(text)
    if column.upper:
        # Java writes the capital of this letter as SS.
        text = text.str.replace_all("ß", "ẞ", literal=True).str.to_uppercase()
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


def _numeric(column: Column, reading: NumberReading) -> Steps:
    steps = [] if reading in {PLAIN, NumberReading(long=True)} else _plain_number(column, reading)
    text = nw.col(column.name)
    if column.type is ColumnType.INTEGER:
        whole = nw.when(text.str.contains(_INTEGER)).then(text.str.replace_all(r"\.0*$", ""))
        return [*steps, {column.name: whole.cast(nw.Int64)}]
    if column.type is ColumnType.NUMBER:
        number = nw.when(text.str.contains(_NUMBER)).then(text).cast(nw.Float64)
        return [*steps, {column.name: number * 0.01 if reading.percent else number}]
    if column.type is ColumnType.RATE and reading.percent:
        steps += _decimal(column, _RATE, reading, RATE_PLACES - 2)
        return [*steps, {column.name: (text * Decimal("0.01")).cast(nw.Decimal(12, RATE_PLACES))}]
    if column.type is ColumnType.RATE:
        return [*steps, *_decimal(column, _RATE, reading, RATE_PLACES)]
    return [*steps, *_decimal(column, _DECIMAL, reading, MONEY_PLACES)]


def _plain_number(column: Column, reading: NumberReading) -> Steps:
    """The number written with a point and nothing else."""
    if reading.decorated:
        return [_of_one_line(column), *_undecorated(column), {column.name: _plain_marks(nw.col(column.name), reading)}]
    bare = nw.col(column.name).str.replace_all(f"{BLANK}*%$", "")
    return [_of_one_line(column), {column.name: _plain_marks(bare, reading)}]


def _of_one_line(column: Column) -> dict[str, nw.Expr]:
    """The text, unless what is cut off its end could bring a line end there."""
    text = nw.col(column.name)
    return {column.name: nw.when(~text.str.contains(_LINE_END)).then(text)}


def _undecorated(column: Column) -> Steps:
    """The number with a minus in front, if it has any, and without other signs around it."""
    text = nw.col(column.name)
    negative, bare_name = _step(column, "negative"), _step(column, "bare")
    minus = text.str.contains(r"^\(.*\)$") | text.str.contains("[-\u2212]$")
    bare = text.str.replace_all(_DECORATION, "").str.replace_all("\u2212", "-", literal=True)
    signed = (
        nw.when(nw.col(negative)).then(nw.concat_str([nw.lit("-"), nw.col(bare_name)])).otherwise(nw.col(bare_name))
    )
    return [{negative: minus, bare_name: bare}, {column.name: signed}]


def _plain_marks(bare: nw.Expr, reading: NumberReading) -> nw.Expr:
    """The number without thousands marks and with a point as decimal mark."""
    if reading.group:
        mark = {" ": BLANK, "'": APOSTROPHE}.get(reading.group, f"[{reading.group}]")
        bare = bare.str.replace_all(mark, "")
    if reading.decimal == ",":
        bare = bare.str.replace_all(",", ".", literal=True)
    return bare


def _decimal(column: Column, pattern: str, reading: NumberReading, places: int) -> Steps:
    """The exact decimal of a well-formed text, rounded half away from zero.

    Rounding is done on the text: engines disagree about halves.
    """
    text, kind = nw.col(column.name), nw.Decimal(18 if places == MONEY_PLACES else 12, places)
    fit = nw.when(text.str.contains(pattern)).then(text)
    carries = text.str.contains(rf"^[+-]?9{{{14 if places == MONEY_PLACES else 6}}}\.9{{{places}}}[5-9]")
    if not reading.long:
        return [{column.name: fit.cast(kind)}]
    is_long, fraction = _step(column, "long"), _step(column, "fraction")
    point = nw.when(nw.col(is_long)).then(text).otherwise(nw.lit("0.00000000"))
    cut = nw.concat_str([text.str.replace_all(r"\..*$", ""), nw.lit("."), nw.col(fraction).str.slice(0, places)])
    truncated = nw.when(nw.col(is_long)).then(cut).otherwise(text).cast(kind)
    step = Decimal(1).scaleb(-places)
    up = nw.col(is_long) & nw.col(fraction).str.slice(places, 1).is_in(list("56789"))
    change = nw.when(up & text.str.starts_with("-")).then(nw.lit(-step)).when(up).then(nw.lit(step))
    rounded = (truncated + change.otherwise(nw.lit(step * 0)).cast(kind)).cast(kind)
    return [
        {column.name: fit},
        {column.name: nw.when(~carries).then(text)},
        {is_long: text.str.contains(rf"\.\d{{{places + 1},}}")},
        {fraction: point.str.replace_all(r"^[^.]*\.", "")},
        {column.name: rounded},
    ]


def _temporal(column: Column, reading: DateReading) -> Steps:
    text = nw.col(column.name)
    steps = [_of_one_line(column), {column.name: text.str.strip_chars_end("Z")}]
    if reading.order != "iso":
        steps += _iso_steps(column, reading)
    has_short_hour = text.str.contains(r"^\d{4}-\d{2}-\d{2}[ T]\d:")
    padded = nw.concat_str([text.str.slice(0, 11), nw.lit("0"), text.str.slice(11)])
    steps += [{column.name: nw.when(has_short_hour).then(padded).otherwise(text)}]
    exists = text.str.contains(_INSTANT) & ~text.str.starts_with("0000")
    instant = nw.when(exists).then(text).cast(nw.Datetime("us"))
    return [*steps, {column.name: instant.cast(nw.Date) if column.type is ColumnType.DATE else instant}]


def _iso_steps(column: Column, reading: DateReading) -> Steps:
    """The same day and time of day in ISO's form; text of another format becomes null, ISO's own stays."""
    text, day, clock, parts = nw.col(column.name), _step(column, "day"), _step(column, "clock"), _step(column, "parts")
    rest = nw.when(text.str.contains(r"[ T]")).then(text.str.replace_all(r"^[^ T]+[ T]+", ""))
    fits = nw.col(day).str.contains(_day_pattern(reading))
    own = text.str.contains(r"^\d{4}-\d{2}-\d{2}(?:[ T]|$)")
    padded = nw.when(nw.col(clock).str.contains(r"^\d:")).then(nw.concat_str([nw.lit("0"), nw.col(clock)]))
    whole = nw.concat_str([nw.col(day), nw.lit(" "), nw.col(clock)])
    iso = nw.when(~nw.col(clock).is_null()).then(whole).otherwise(nw.col(day))
    return [
        {day: text.str.replace_all(r"[ T].*$", ""), clock: rest},
        {parts: _parts(nw.when(fits).then(nw.col(day)), reading), clock: padded.otherwise(nw.col(clock))},
        {day: _joined(nw.col(parts), reading)},
        {column.name: nw.when(own).then(text).otherwise(iso)},
    ]


def _day_pattern(reading: DateReading) -> str:
    if reading.order == "compact":
        return r"^\d{8}$"
    short, year = r"\d{1,2}", rf"\d{{{reading.year_digits}}}"
    pattern = [year, short, short] if reading.order == "ymd" else [short, short, year]
    return rf"^{re.escape(reading.separator).join(pattern)}$"


def _parts(day: nw.Expr, reading: DateReading) -> nw.Expr:
    if reading.order == "compact":
        return nw.concat_str([day.str.slice(0, 4), day.str.slice(4, 2), day.str.slice(6, 2)], separator="-")
    # Engines take a point for itself or for any sign here; a dash is a dash to all of them.
    return day.str.replace_all(reading.separator, "-", literal=True).str.split("-")


def _joined(parts: nw.Expr, reading: DateReading) -> nw.Expr:
    if reading.order == "compact":
        return parts
    year, month, day_of_month = (parts.list.get(position) for position in _DATE_PARTS[reading.order])
    if reading.year_digits == 2:  # noqa: PLR2004 - of two or four
        century = nw.when(year.str.contains("^(?:69|[7-9])")).then(nw.lit("19")).otherwise(nw.lit("20"))
        year = nw.concat_str([century, year])
    return nw.concat_str([year, _two_digits(month), _two_digits(day_of_month)], separator="-")


def _two_digits(text: nw.Expr) -> nw.Expr:
    return nw.concat_str([nw.lit("0"), text]).str.tail(2)
