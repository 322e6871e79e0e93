"""200 generated frames, judged by this platform's rules and by native Pandera: the same rows break the same rules.

The checks on Pandera's side are written here, of its own parts and on values that never went through staging; nothing
of the rules' own judgement is used.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import hypothesis.strategies as st
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import HealthCheck, given, settings

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import (
    DaysBetween,
    Matches,
    NotAbove,
    NotBefore,
    NotEqual,
    OneOf,
    Present,
    ProductOf,
    Readable,
    RowRule,
    Within,
)
from platform_assets.contracts.rules import Dimension, LineUnique, Severity, broken_flag
from platform_assets.engines.engine import Engine
from platform_assets.transforms.exclusions import exclusions
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW
from platform_assets_tests.frames import raw_rows, staged_frame

FRAMES = 200
FIRST_LINE = 2
ABOUT: dict[str, Any] = {"dimension": Dimension.VALIDITY, "severity": Severity.ERROR, "description": ""}

CONTRACT = Contract(
    dataset="generated",
    title="",
    owner="team:tests",
    columns=(
        Column(name="frame", type=ColumnType.TEXT, description="Lines of different frames repeat nothing."),
        Column(name="code", type=ColumnType.TEXT, description="", nullable=False),
        Column(name="channel", type=ColumnType.TEXT, description=""),
        Column(name="pieces", type=ColumnType.INTEGER, description="", nullable=False),
        Column(name="price", type=ColumnType.MONEY, description=""),
        Column(name="list_price", type=ColumnType.MONEY, description=""),
        Column(name="total", type=ColumnType.MONEY, description="", nullable=False),
        Column(name="ordered", type=ColumnType.DATE, description=""),
        Column(name="shipped", type=ColumnType.TIMESTAMP, description=""),
    ),
    own_rules=(
        Matches(id="code_shaped", column="code", pattern=r"[A-Z]{2}-\d{3}", **ABOUT),
        OneOf(id="channel_known", column="channel", values=("Online", "Store"), **ABOUT),
        NotEqual(id="pieces_not_zero", column="pieces", value=0, **ABOUT),
        Within(id="pieces_few", column="pieces", low=-5, high=5, **ABOUT),
        Within(id="price_positive", column="price", low=0, exclusive=True, **ABOUT),
        Within(id="list_price_usual", column="list_price", low=Decimal("0.5"), high=Decimal("2.5"), **ABOUT),
        NotAbove(id="price_not_above_list", column="price", limit="list_price", **ABOUT),
        ProductOf(
            id="total_matches",
            product="total",
            factor="pieces",
            price="price",
            fixed=Decimal("0.01"),
            per_factor=Decimal("0.005"),
            **ABOUT,
        ),
        DaysBetween(id="shipped_in_time", earlier="ordered", later="shipped", low=0, high=3, **ABOUT),
        NotBefore(id="shipped_since_2000", column="shipped", year=2000, **ABOUT),
        LineUnique(id="line_unique", **ABOUT),
    ),
)
NAMES = CONTRACT.column_names[1:]
KINDS = {Present, Readable, Within, NotEqual, OneOf, Matches, ProductOf, NotAbove, DaysBetween, NotBefore}


@dataclass(frozen=True)
class Cell:
    """A cell as a file has it, and what it means: nothing where it is empty or cannot be read."""

    text: str | None
    value: Any = None


Line = tuple[Cell, ...]


# Frames


def cells(values: st.SearchStrategy[Any], write: Callable[[Any], str], *unreadable: str) -> st.SearchStrategy[Cell]:
    """Mostly values; at times nothing, and at times what cannot be read."""
    good = values.map(lambda value: Cell(write(value), value))
    bad = st.sampled_from([Cell(None), *map(Cell, unreadable)])
    return st.one_of(good, good, good, bad)


def money(ten_thousandths: int) -> str:
    return str(Decimal(ten_thousandths).scaleb(-4))


# Money in ten thousandths, as whole numbers; small, so that products, bounds and order are met and missed often.
PRICES = st.sampled_from([-5_000, 0, 1, 4_999, 5_000, 9_950, 10_000, 10_050, 20_000, 25_000, 25_001])
TOTALS = st.sampled_from([-10_000, 0, 5_000, 9_899, 9_900, 10_000, 10_150, 10_151, 20_200, 30_250, 30_251])
DAYS = st.integers(-4, 6).map(lambda days: date(1999, 12, 29) + timedelta(days=days))
LINES = st.tuples(
    cells(st.sampled_from(["AB-123", "ZZ-000", "AB-12", "AB-1234", "ab-123", "xAB-123", "AB_123"]), str),
    cells(st.sampled_from(["Online", "Store", "online", "Sto", "Stores"]), str),
    cells(st.integers(-6, 6), str, "one", "1.5", "--1"),
    cells(PRICES, money, "free", "1.2.3"),
    cells(PRICES, money, "?"),
    cells(TOTALS, money, "much"),
    cells(DAYS, date.isoformat, "1999-02-29", "soon"),
    cells(DAYS, lambda day: f"{day.isoformat()} 23:59:59", "2000-13-01 00:00:00"),
)


@st.composite
def frames(draw: st.DrawFn) -> list[Line]:
    """Up to twelve lines, some of them several times."""
    different = draw(st.lists(LINES, min_size=1, max_size=8))
    repeated = draw(st.lists(st.sampled_from(different), max_size=4))
    return draw(st.permutations([*different, *repeated]))


@cache
def generated() -> list[list[Line]]:
    """The frames, the same on every engine and on every machine."""
    found: list[list[Line]] = []

    @settings(
        max_examples=FRAMES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(frames())
    def draw(lines: list[Line]) -> None:
        found.append(lines)

    draw()
    return found


# Pandera's side


def wide(rule: str, keeps: Callable[[pd.DataFrame], Any]) -> pa.Check:
    """A check across columns; a missing value, of which pandas' answer is missing, too, breaks nothing."""
    return pa.Check(lambda rows: keeps(rows).fillna(value=True).astype(bool), error=rule, ignore_na=False)


def text(*checks: pa.Check, nullable: bool = True) -> pa.Column:
    return pa.Column(object, list(checks), nullable=nullable)


def value(kind: str, *checks: pa.Check) -> pa.Column:
    return pa.Column(kind, list(checks), nullable=True)


def reads(rule: str, pattern: str) -> pa.Check:
    return pa.Check.str_matches(pattern, error=rule)


def a_day(rule: str, form: str) -> pa.Check:
    def exists(texts: pd.Series) -> pd.Series:
        return pd.to_datetime(texts, format=form, errors="coerce").notna()

    return pa.Check(exists, error=rule)


MONEY_TEXT = r"-?\d+(\.\d+)?\Z"
SCHEMA = pa.DataFrameSchema(
    {
        "code text": text(pa.Check.str_matches(r"[A-Z]{2}-[0-9]{3}\Z", error="code_shaped"), nullable=False),
        "channel text": text(pa.Check.isin(["Online", "Store"], error="channel_known")),
        "pieces text": text(reads("pieces_readable", r"-?\d+\Z"), nullable=False),
        "price text": text(reads("price_readable", MONEY_TEXT)),
        "list_price text": text(reads("list_price_readable", MONEY_TEXT)),
        "total text": text(reads("total_readable", MONEY_TEXT), nullable=False),
        "ordered text": text(a_day("ordered_readable", "%Y-%m-%d")),
        "shipped text": text(a_day("shipped_readable", "%Y-%m-%d %H:%M:%S")),
        "pieces": value(
            "Int64",
            pa.Check.not_equal_to(0, error="pieces_not_zero"),
            pa.Check.in_range(-5, 5, error="pieces_few"),
        ),
        "price": value("Int64", pa.Check.greater_than(0, error="price_positive")),
        "list_price": value("Int64", pa.Check.in_range(5_000, 25_000, error="list_price_usual")),
        "total": value("Int64"),
        "ordered": value("datetime64[ns]"),
        "shipped": value(
            "datetime64[ns]", pa.Check.greater_than_or_equal_to(pd.Timestamp(2000, 1, 1), error="shipped_since_2000")
        ),
    },
    checks=[
        wide("price_not_above_list", lambda rows: rows["price"] <= rows["list_price"]),
        wide(
            "total_matches",
            lambda rows: (rows["pieces"] * rows["price"] - rows["total"]).abs() <= 100 + 50 * rows["pieces"].abs(),
        ),
        wide(
            "shipped_in_time",
            lambda rows: (rows["shipped"] - rows["ordered"]).dt.days.astype("Int64").between(0, 3),
        ),
    ],
    unique=[f"{name} text" for name in NAMES],
    report_duplicates="exclude_first",
)


def as_pandera_sees(lines: Sequence[Line]) -> pd.DataFrame:
    """The texts, and what they mean, without this platform's reading of them."""
    texts = {
        f"{name} text": pd.Series([line[at].text for line in lines], dtype=object) for at, name in enumerate(NAMES)
    }
    values = {
        name: pd.Series([line[NAMES.index(name)].value for line in lines], dtype=column.dtype.type)
        for name, column in SCHEMA.columns.items()
        if name in NAMES
    }
    return pd.DataFrame(texts | values)


def broken_for_pandera(lines: Sequence[Line]) -> set[tuple[int, str]]:
    """Place of the row, and the rule it breaks."""
    try:
        SCHEMA.validate(as_pandera_sees(lines), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.itertuples()
        return {(int(case.index), rule_of(str(case.column), str(case.check))) for case in cases}
    return set()


@cache
def pandera_says() -> list[set[tuple[int, str]]]:
    """Its judgement of each frame, made once for all engines: it takes far longer than theirs."""
    return [broken_for_pandera(lines) for lines in generated()]


def rule_of(column: str, check: str) -> str:
    """The rule that a failure of Pandera's speaks of."""
    if check == "not_nullable":
        return column.replace(" text", "_present")
    return "line_unique" if check == "multiple_fields_uniqueness" else check


# The comparison


def broken_here(engine: Engine, every: Sequence[Sequence[Line]]) -> list[set[tuple[int, str]]]:
    """All frames at once, each as a file: place of the row, and the rule it breaks, per frame."""
    raw = []
    for number, lines in enumerate(every):
        texts = [dict(zip(NAMES, (cell.text for cell in line), strict=True)) for line in lines]
        raw += raw_rows(CONTRACT, [{"frame": str(number), **line} for line in texts], f"{number}.csv")
    staged = staged_frame(engine, CONTRACT, raw)
    found: list[set[tuple[int, str]]] = [set() for _ in every]
    for rows, rules in (
        (engine.collect(staged), CONTRACT.row_rules),
        (engine.collect(exclusions(staged, CONTRACT, None)), [CONTRACT.own_rules[-1]]),
    ):
        for row in rows.to_pylist():
            place = row[SOURCE_ROW] - FIRST_LINE
            broken = {(place, rule.id) for rule in rules if row[broken_flag(rule)]}
            found[int(row[SOURCE_FILE].removesuffix(".csv"))] |= broken
    return found


def test_on_200_generated_frames_the_same_rows_break_the_same_rules_as_for_pandera(engine: Engine) -> None:
    every = generated()

    here = broken_here(engine, every)

    for lines, found, expected in zip(every, here, pandera_says(), strict=True):
        assert found == expected, [[cell.text for cell in line] for line in lines]


def test_the_frames_try_every_rule_both_ways_and_have_rows_that_break_several() -> None:
    rows = sum(map(len, generated()))
    broken = Counter(rule for found in pandera_says() for _, rule in found)
    several = Counter(times for found in pandera_says() for times in Counter(place for place, _ in found).values())

    assert len(pandera_says()) == FRAMES
    assert set(broken) == {rule.id for rule in CONTRACT.rules}
    assert {rule for rule, times in broken.items() if not 20 < times < rows - 20} == set()
    assert sum(several[times] for times in several if times > 2) > 100


@pytest.mark.parametrize("kind", RowRule.__subclasses__())
def test_every_kind_of_row_rule_is_compared(kind: type[RowRule]) -> None:
    assert kind in KINDS
