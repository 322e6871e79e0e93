from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.contracts.columns import ColumnType, ZeroPadded
from platform_assets.contracts.readings import DateReading, NumberReading
from platform_assets.engines.engine import Engine
from platform_assets_tests.frames import typed_values
from platform_assets_tests.transforms.cells import COMMA, LONG, QUICK, column, decimals, money, read


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


def test_every_blank_of_unicode_is_trimmed_the_one_that_does_not_break_included(engine: Engine) -> None:
    blanks = ["\t", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\u2003", "\u2028", "\u202f", "\u3000"]
    cells = [*(f"{blank}a{blank}b{blank}" for blank in blanks), *blanks]

    expected = [*(f"a{blank}b" for blank in blanks), *[None] * len(blanks)]
    assert typed_values(engine, column(ColumnType.TEXT), cells) == expected


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (ColumnType.INTEGER, ["5\u2028%", "5\n%", "(5\x85)", "5\r\n "]),
        (ColumnType.MONEY, ["5.5\u2029%", "5.5\n+", "$\r5.5", "5.5\t\n"]),
        (ColumnType.TIMESTAMP, ["2011-12-09\u2028 08:05", "2011-12-09\n08:05", "\x852011-12-09\x85 ", "2011-12-09\n"]),
    ],
)
def test_a_line_end_within_a_number_or_a_date_makes_it_unreadable_and_one_around_it_is_trimmed(
    engine: Engine, kind: ColumnType, cells: list[str]
) -> None:
    readable = [value is not None for value in typed_values(engine, column(kind), cells, NumberReading(decorated=True))]

    assert readable == [False, False, kind is ColumnType.TIMESTAMP, True]


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
    assert typed_values(engine, column(ColumnType.IDENTIFIER, upper=True), ["85123a", "post.0", "maß"]) == [
        "85123A",
        "POST.0",
        "MAẞ",
    ]


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
@given(st.lists(st.text(max_size=12), min_size=1, max_size=20))
@pytest.mark.parametrize("kind", [kind for kind in ColumnType if kind.is_numeric or kind.is_temporal])
def test_no_text_whatever_stops_the_reading_of_a_column(engine: Engine, kind: ColumnType, cells: list[str]) -> None:
    reading = DateReading("dmy", ".", 2) if kind.is_temporal else NumberReading(decimal=",", group=".", long=True)

    assert len(typed_values(engine, column(kind), cells, reading)) == len(cells)
