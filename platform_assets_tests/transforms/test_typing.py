import calendar
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_assets.contracts.columns import Column, ColumnType, ZeroPadded
from platform_assets.contracts.readings import DateReading, NumberReading, Reading
from platform_assets.engines.engine import Engine
from platform_assets_tests.frames import typed_values

QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COMMA = NumberReading(decimal=",", group=".")
LONG = NumberReading(long=True)


def column(kind: ColumnType, **more: Any) -> Column:
    return Column(name="value", type=kind, description="A value.", **more)


def money(*texts: str) -> list[Decimal | None]:
    return [Decimal(text) for text in texts]


def decimals(table: list[tuple[str, str]]) -> list[tuple[str, Decimal]]:
    return [(text, Decimal(value)) for text, value in table]


def read(engine: Engine, of: Column, table: Sequence[tuple[str, Any]], reading: Reading | None = None) -> list[Any]:
    """The table with what its cells really become, so that a failing test shows which cell is wrong."""
    cells = [text for text, _ in table]
    return list(zip(cells, typed_values(engine, of, cells, reading), strict=True))


@pytest.mark.parametrize("kind", list(ColumnType))
def test_markers_of_no_value_are_missing_in_every_type(engine: Engine, kind: ColumnType) -> None:
    cells = ["", "  ", "NULL", "null", "N/A", "NaN", "none", "Nil", "#N/A", "<NA>", "-", " n/a\t", None]

    assert typed_values(engine, column(kind), cells) == [None] * len(cells)


def test_a_column_may_have_its_own_markers_of_no_value(engine: Engine) -> None:
    own = column(ColumnType.TEXT, null_markers=frozenset({"", "keine"}))

    assert typed_values(engine, own, ["Keine", "NA", "null", ""]) == [None, "NA", "null", None]


def test_text_is_trimmed_and_otherwise_left_alone(engine: Engine) -> None:
    cells = ["  two words ", "17850.0", "Ünïcode", 'a,b"c']

    assert typed_values(engine, column(ColumnType.TEXT), cells) == ["two words", "17850.0", "Ünïcode", 'a,b"c']


def test_only_a_whole_number_loses_its_point_and_zeros_in_an_identifier(engine: Engine) -> None:
    table = [
        ("17850.0", "17850"),
        ("17850", "17850"),
        ("17850.5", "17850.5"),
        ("00123.0", "00123"),
        ("10.0.0", "10.0.0"),
        ("v1.0", "v1.0"),
        ("85123A", "85123A"),
        ("-5.0", "-5.0"),
    ]

    assert read(engine, column(ColumnType.IDENTIFIER), table) == table


def test_identifiers_are_conformed_to_upper_case_where_the_contract_says_so(engine: Engine) -> None:
    assert typed_values(engine, column(ColumnType.IDENTIFIER, upper=True), ["85123a", "post.0"]) == ["85123A", "POST.0"]


def test_postal_codes_get_their_leading_zeros_back_only_where_the_country_has_them(engine: Engine) -> None:
    padded = ZeroPadded(digits=5, where="country", values=frozenset({"united states", "us"}))
    rows = [
        ("2149", "United States", "02149"),
        ("601", "US", "00601"),
        ("2149.0", "united states", "02149"),
        ("90210", "United States", "90210"),
        ("21", "United States", "21"),
        ("123456", "United States", "123456"),
        ("1234-567", "United States", "1234-567"),
        ("2149", "Canada", "2149"),
        ("2149", None, "2149"),
    ]
    beside = {"country": [country for _, country, _ in rows]}

    got = typed_values(
        engine, column(ColumnType.IDENTIFIER, zero_padded=padded), [code for code, _, _ in rows], beside=beside
    )

    assert got == [expected for _, _, expected in rows]


def test_values_are_conformed_to_the_vocabulary_despite_case_and_blanks(engine: Engine) -> None:
    table = ["Call Center", "call center", "CALLCENTER", " call-center ", "Call_Center", "call  center"]

    words = column(ColumnType.TEXT, vocabulary=("Online", "Call Center"))

    assert typed_values(engine, words, [*table, "ONLINE", "Fax"]) == [*["Call Center"] * len(table), "Online", "Fax"]


def test_integers_are_whole_numbers_written_plainly(engine: Engine) -> None:
    table = [
        ("0", 0),
        ("+7", 7),
        ("-12", -12),
        ("12.", 12),
        ("12.000", 12),
        ("007", 7),
        ("999999999999999999", 999_999_999_999_999_999),
        ("9223372036854775807", None),
        ("1.5", None),
        ("1e3", None),
        ("twelve", None),
        ("1 000", None),
        ("--1", None),
        ("1,000", None),
        ("0x10", None),
        ("١٢", None),
    ]

    assert read(engine, column(ColumnType.INTEGER), table) == table


@pytest.mark.parametrize(
    ("text", "reading", "value"),
    [
        ("1.234", NumberReading(decimal=",", group="."), 1234),
        ("1,234,567", NumberReading(group=","), 1_234_567),
        ("1'234", NumberReading(group="'"), 1234),
        ("1 234", NumberReading(group=" "), 1234),
        ("1\u202f234", NumberReading(group=" "), 1234),
        ("(12)", NumberReading(decorated=True), -12),
        ("12-", NumberReading(decorated=True), -12),
    ],
)
def test_integers_are_read_as_the_file_writes_numbers(
    engine: Engine, text: str, reading: NumberReading, value: int
) -> None:
    assert typed_values(engine, column(ColumnType.INTEGER), [text], reading) == [value]


def test_money_written_plainly_is_read_to_the_last_place(engine: Engine) -> None:
    table = [
        ("2.55", "2.55"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+3.25", "3.25"),
        ("-0.0001", "-0.0001"),
        ("-.5", "-0.5"),
        ("99999999999999.9999", "99999999999999.9999"),
        ("0", "0"),
    ]

    assert read(engine, column(ColumnType.MONEY), table) == decimals(table)


def test_money_that_is_not_a_plain_number_is_unreadable(engine: Engine) -> None:
    table = ["1e5", "abc", "1.2.3", ".", "-", "1,5", "100000000000000", "$5", "∞", "inf", "0x1"]

    assert typed_values(engine, column(ColumnType.MONEY), table) == [None] * len(table)


@pytest.mark.parametrize(
    ("text", "reading", "value"),
    [
        ("1.234,56", COMMA, "1234.56"),
        ("-1.234,56", COMMA, "-1234.56"),
        ("12,5", COMMA, "12.5"),
        ("1,234.56", NumberReading(group=","), "1234.56"),
        ("1'234.56", NumberReading(group="'"), "1234.56"),
        ("1 234,56", NumberReading(decimal=",", group=" "), "1234.56"),
        ("1\u00a0234,56", NumberReading(decimal=",", group=" "), "1234.56"),
        ("$ 1,234.56", NumberReading(group=",", decorated=True), "1234.56"),
        ("1.234,56 €", NumberReading(decimal=",", group=".", decorated=True), "1234.56"),
        ("EUR 12", NumberReading(decorated=True), "12"),
        ("12 CHF", NumberReading(decorated=True), "12"),
        ("(12.50)", NumberReading(decorated=True), "-12.5"),
        ("($1,234.50)", NumberReading(group=",", decorated=True), "-1234.5"),
        ("12.50-", NumberReading(decorated=True), "-12.5"),
    ],
)
def test_money_is_read_as_the_file_writes_numbers(
    engine: Engine, text: str, reading: NumberReading, value: str
) -> None:
    assert typed_values(engine, column(ColumnType.MONEY), [text], reading) == money(value)


def test_a_decorated_number_with_two_signs_or_words_is_unreadable(engine: Engine) -> None:
    table = ["(-5)", "-5-", "5 apples"]

    assert typed_values(engine, column(ColumnType.MONEY), table, NumberReading(decorated=True)) == [None] * len(table)


def test_a_fifth_place_of_money_is_rounded_half_away_from_zero(engine: Engine) -> None:
    table = [
        ("0.00005", "0.0001"),
        ("0.00004999", "0.0000"),
        ("-0.00005", "-0.0001"),
        ("-0.00004", "0.0000"),
        ("2.34565", "2.3457"),
        ("2.34575", "2.3458"),
        ("-2.34565", "-2.3457"),
        ("+2.34565", "2.3457"),
        ("9.99995", "10.0000"),
        ("-9.99995", "-10.0000"),
        (".12345", "0.1235"),
        ("-.12345", "-0.1235"),
        ("7", "7"),
        ("7.", "7"),
        ("7.12", "7.12"),
        ("1.00000000000000000000000001", "1"),
    ]

    assert read(engine, column(ColumnType.MONEY), table, LONG) == decimals(table)


def test_money_that_rounding_would_carry_beyond_the_type_is_unreadable_and_stops_nothing(engine: Engine) -> None:
    cells = ["99999999999999.99995", "-99999999999999.99999", "1.00005"]

    assert typed_values(engine, column(ColumnType.MONEY), cells, LONG) == [None, None, Decimal("1.0001")]


@pytest.mark.parametrize(
    ("text", "reading", "value"),
    [
        ("0.45", NumberReading(), "0.45"),
        ("0.123456", NumberReading(), "0.123456"),
        ("0.1234565", LONG, "0.123457"),
        ("45%", NumberReading(percent=True), "0.45"),
        ("45 %", NumberReading(percent=True), "0.45"),
        ("12.5%", NumberReading(percent=True), "0.125"),
        ("12,5%", NumberReading(decimal=",", percent=True), "0.125"),
        ("-5%", NumberReading(percent=True), "-0.05"),
        ("33.33335%", NumberReading(percent=True, long=True), "0.333334"),
        ("1", NumberReading(), "1"),
        ("150", NumberReading(), "150"),
    ],
)
def test_rates_have_six_places_and_per_cent_are_hundredths(
    engine: Engine, text: str, reading: NumberReading, value: str
) -> None:
    assert typed_values(engine, column(ColumnType.RATE), [text], reading) == money(value)


def test_measured_numbers_are_doubles(engine: Engine) -> None:
    table = [
        ("12.5", 12.5),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        (".5", 0.5),
        ("1e400", None),
        ("inf", None),
        ("x", None),
    ]

    assert read(engine, column(ColumnType.NUMBER), table) == table


@pytest.mark.parametrize(
    ("text", "reading", "day"),
    [
        ("2011-12-09", DateReading("iso"), date(2011, 12, 9)),
        ("20111209", DateReading("compact", ""), date(2011, 12, 9)),
        ("2011/12/9", DateReading("ymd", "/"), date(2011, 12, 9)),
        ("9.12.2011", DateReading("dmy", "."), date(2011, 12, 9)),
        ("09/12/2011", DateReading("dmy", "/"), date(2011, 12, 9)),
        ("12/9/2011", DateReading("mdy", "/"), date(2011, 12, 9)),
        ("9-12-2011", DateReading("dmy", "-"), date(2011, 12, 9)),
        ("9/12/11", DateReading("dmy", "/", 2), date(2011, 12, 9)),
        ("9/12/68", DateReading("dmy", "/", 2), date(2068, 12, 9)),
        ("9/12/69", DateReading("dmy", "/", 2), date(1969, 12, 9)),
        ("9/12/00", DateReading("dmy", "/", 2), date(2000, 12, 9)),
        ("9/12/99", DateReading("dmy", "/", 2), date(1999, 12, 9)),
        ("69/12/09", DateReading("ymd", "/", 2), date(1969, 12, 9)),
        ("2011-12-09", DateReading("dmy", "/"), date(2011, 12, 9)),
        ("2011-12-09 08:26", DateReading("iso"), date(2011, 12, 9)),
        ("9/12/2011", DateReading("mdy", "/"), date(2011, 9, 12)),
        ("12/9/11", DateReading("mdy", "/", 4), None),
        ("13/1/2011", DateReading("mdy", "/"), None),
        ("9/12/2011", DateReading("dmy", "."), None),
        ("yesterday", DateReading("iso"), None),
        ("40000", DateReading("iso"), None),
    ],
)
def test_days_are_read_in_the_columns_one_format_and_in_isos(
    engine: Engine, text: str, reading: DateReading, day: date | None
) -> None:
    assert typed_values(engine, column(ColumnType.DATE), [text], reading) == [day]


def test_a_day_exists_exactly_when_the_calendar_has_it(engine: Engine) -> None:
    days = [(y, m, d) for y in (1900, 1996, 2000, 2001, 2100) for m in range(14) for d in range(33)]
    table = [
        (f"{y:04d}-{m:02d}-{d:02d}", date(y, m, d) if 1 <= m <= 12 and 1 <= d <= calendar.monthrange(y, m)[1] else None)
        for y, m, d in days
    ]

    assert read(engine, column(ColumnType.DATE), table) == table


def test_the_29th_of_february_exists_in_leap_years_only(engine: Engine) -> None:
    table = [
        ("29/2/1900", None),
        ("29/2/2000", date(2000, 2, 29)),
        ("29/2/2001", None),
        ("29/2/2004", date(2004, 2, 29)),
        ("29/2/2100", None),
        ("29/2/2400", date(2400, 2, 29)),
    ]

    assert read(engine, column(ColumnType.DATE), table, DateReading("dmy", "/")) == table


@pytest.mark.parametrize(
    ("text", "reading", "instant"),
    [
        ("2010-12-01 08:26:00", DateReading("iso"), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T08:26", DateReading("iso"), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T08:26:59Z", DateReading("iso"), datetime(2010, 12, 1, 8, 26, 59)),
        ("2010-12-01 08:26:59.123456", DateReading("iso"), datetime(2010, 12, 1, 8, 26, 59, 123_456)),
        ("2010-12-01T08:26:59.5Z", DateReading("iso"), datetime(2010, 12, 1, 8, 26, 59, 500_000)),
        ("2010-12-01", DateReading("iso"), datetime(2010, 12, 1)),
        ("2010-12-01 8:26", DateReading("iso"), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T8:26:01", DateReading("dmy", "/"), datetime(2010, 12, 1, 8, 26, 1)),
        ("12/1/2010 8:26", DateReading("mdy", "/"), datetime(2010, 12, 1, 8, 26)),
        ("1.12.2010 23:59:59", DateReading("dmy", "."), datetime(2010, 12, 1, 23, 59, 59)),
        ("20101201 08:26", DateReading("compact", ""), datetime(2010, 12, 1, 8, 26)),
        ("20101201T08:26:30", DateReading("compact", ""), datetime(2010, 12, 1, 8, 26, 30)),
        ("12/1/10 8:26", DateReading("mdy", "/", 2), datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01 24:00", DateReading("iso"), None),
        ("2010-12-01 08:60", DateReading("iso"), None),
        ("2010-12-01 08:26:60", DateReading("iso"), None),
        ("2010-12-01 08", DateReading("iso"), None),
        ("2010-12-01 8:26 PM", DateReading("iso"), None),
        ("1900-02-29 00:00", DateReading("iso"), None),
        ("2010-12-01 08:26+02:00", DateReading("iso"), None),
    ],
)
def test_instants_are_read_with_their_time_of_day_or_not_at_all(
    engine: Engine, text: str, reading: DateReading, instant: datetime | None
) -> None:
    assert typed_values(engine, column(ColumnType.TIMESTAMP), [text], reading) == [instant]


@QUICK
@given(st.lists(st.decimals(min_value=-(10**13), max_value=10**13, places=4), min_size=1, max_size=20))
def test_money_with_four_places_comes_back_exactly(engine: Engine, amounts: list[Decimal]) -> None:
    cells = [f"{amount:f}" for amount in amounts]

    assert typed_values(engine, column(ColumnType.MONEY), cells) == amounts
    assert typed_values(engine, column(ColumnType.MONEY), cells, LONG) == amounts


@QUICK
@given(st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=7), min_size=1, max_size=20))
def test_longer_money_is_rounded_as_decimal_arithmetic_rounds_it(engine: Engine, amounts: list[Decimal]) -> None:
    expected = [amount.quantize(Decimal("0.0001"), "ROUND_HALF_UP") for amount in amounts]

    assert typed_values(engine, column(ColumnType.MONEY), [f"{amount:f}" for amount in amounts], LONG) == expected


@QUICK
@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1, max_size=20))
def test_integers_of_up_to_eighteen_digits_come_back_exactly(engine: Engine, numbers: list[int]) -> None:
    assert typed_values(engine, column(ColumnType.INTEGER), [str(number) for number in numbers]) == numbers


@QUICK
@given(st.lists(st.datetimes(datetime(1700, 1, 1), datetime(2250, 12, 31)), min_size=1, max_size=20))
def test_instants_come_back_to_the_microsecond_in_any_format(engine: Engine, instants: list[datetime]) -> None:
    written = [f"{i.day}/{i.month}/{i.year} {i.hour}:{i:%M:%S}.{i.microsecond:06d}" for i in instants]

    assert typed_values(engine, column(ColumnType.TIMESTAMP), [i.isoformat(" ") for i in instants]) == instants
    assert typed_values(engine, column(ColumnType.TIMESTAMP), written, DateReading("dmy", "/")) == instants


@QUICK
@given(st.lists(st.text(max_size=12), min_size=1, max_size=20))
@pytest.mark.parametrize("kind", [kind for kind in ColumnType if kind.is_numeric or kind.is_temporal])
def test_no_text_whatever_stops_the_reading_of_a_column(engine: Engine, kind: ColumnType, cells: list[str]) -> None:
    reading = DateReading("dmy", ".", 2) if kind.is_temporal else NumberReading(decimal=",", group=".", long=True)

    assert len(typed_values(engine, column(kind), cells, reading)) == len(cells)


def test_years_at_the_ends_of_the_calendar_are_read_and_there_is_no_year_0(engine: Engine) -> None:
    table = [("0001-01-01", date.min), ("9999-12-31", date.max), ("0000-01-01", None)]

    assert read(engine, column(ColumnType.DATE), table) == table
