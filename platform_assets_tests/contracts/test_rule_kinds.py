"""Every kind of rule, whether a contract uses it or not: verdicts and counts worked out by hand, on every engine."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
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
from platform_assets.contracts.rules import (
    Dimension,
    KeyUnique,
    LineUnique,
    NotAfterAsOf,
    OneValuePer,
    Rule,
    Severity,
    broken_flag,
)
from platform_assets.engines.engine import Engine
from platform_assets.transforms.counting import counts_by
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.deliveries import Deliveries
from platform_assets_tests.frames import raw_rows, staged_frame

Cells = str | None | tuple[str | None, ...]

AGAINST_OTHER_DATASETS = {"KnownIn", "AgreesWith"}
"""Their numbers take two datasets, and time: they are in quality/test_cross_rows.py."""


@dataclass(frozen=True)
class Fixture:
    """A rule, the types of the columns it looks at, and rows of raw text that keep or break it."""

    rule: RowRule
    types: tuple[ColumnType, ...]
    kept: Sequence[Cells]
    broken: Sequence[Cells]

    @property
    def rows(self) -> list[dict[str, str | None]]:
        every = [cells if isinstance(cells, tuple) else (cells,) for cells in (*self.kept, *self.broken)]
        return [dict(zip(self.rule.columns, cells, strict=True)) for cells in every]

    @property
    def verdicts(self) -> list[bool]:
        return [False] * len(self.kept) + [True] * len(self.broken)


def rule(kind: type[Rule], name: str, **fields: Any) -> Any:
    about = {"dimension": Dimension.VALIDITY, "severity": Severity.ERROR, "description": name}
    return kind(**{"id": name, **about, **fields})


MONEY, INTEGER, TEXT = ColumnType.MONEY, ColumnType.INTEGER, ColumnType.TEXT
FIXTURES = [
    Fixture(
        rule(Present, "present", column="there"),
        (TEXT,),
        kept=["x", "0", "--", "null and void"],
        broken=[None, "", "   ", "NULL", "n/a", "-"],
    ),
    Fixture(
        rule(Present, "number_present", column="number_there"),
        (INTEGER,),
        kept=["0", "7", "seven"],  # what cannot be read is there: it breaks "readable" alone
        broken=[None, " ", "nan"],
    ),
    Fixture(
        rule(Readable, "readable", column="read"),
        (INTEGER,),
        kept=["0", "-12", "2.0", "999999999999999999", None, "", "n/a"],
        broken=["x", "1.5", "1e3", "12 pieces", "--1"],
    ),
    Fixture(
        rule(Readable, "day_readable", column="day_read"),
        (ColumnType.DATE,),
        kept=["2024-02-29", None],
        broken=["2023-02-29", "2024-13-01", "soon"],
    ),
    Fixture(
        rule(Within, "within", column="inside", low=Decimal("0.01"), high=5),
        (MONEY,),
        kept=["0.01", "5", "5.0000", "3", None, "x"],
        broken=["0.0099", "0", "-3", "5.0001", "99999999999999.9999"],
    ),
    Fixture(
        rule(Within, "above", column="over", low=0, high=1, exclusive=True),
        (ColumnType.RATE,),
        kept=["0.000001", "1", "100%", None],
        broken=["0", "0.0", "-0.5", "1.000001"],
    ),
    Fixture(
        rule(Within, "at_least", column="floor", low=0),
        (ColumnType.NUMBER,),
        kept=["0", "-0.0", "1e-9", "1e300", None],
        broken=["-1e-9", "-2"],
    ),
    Fixture(
        rule(Within, "at_most", column="ceiling", high=3),
        (INTEGER,),
        kept=["3", "-999999999999999999", None, "x"],
        broken=["4", "999999999999999999"],
    ),
    Fixture(
        rule(NotEqual, "not_equal", column="other", value=0),
        (INTEGER,),
        kept=["1", "-1", "10", None, "x"],
        broken=["0", "-0", "000", "0.0"],
    ),
    Fixture(
        rule(OneOf, "one_of", column="listed", values=("Online", "Call Center")),
        (TEXT,),
        kept=["Online", " Online ", "Call Center", None, ""],
        broken=["online", "Onlin", "OnlineX", "Call  Center", "Store"],
    ),
    Fixture(
        rule(Matches, "matches", column="shaped", pattern=r"[A-Z]{2}-\d{4}|none-\w+"),
        (TEXT,),
        kept=["AB-0123", " AB-0123 ", "none-x_1", None, ""],
        broken=[
            "ab-0123",
            "AB-012",
            "AB-01234",
            "xAB-0123",
            "AB-0123|",
            "ÄB-0123",
            "AB-\uff11\uff12\uff13\uff14",
            "none-é",
        ],
    ),
    Fixture(
        rule(
            ProductOf,
            "product_of",
            product="total",
            factor="times",
            price="each",
            fixed=Decimal("0.01"),
            per_factor=Decimal("0.005"),
        ),
        (MONEY, INTEGER, MONEY),
        # 3 pieces: 0.01 and 3 x 0.005 are 0.025
        kept=[
            ("30", "3", "10"),
            ("30.025", "3", "10"),
            ("29.975", "3", "10"),
            ("-30.025", "-3", "10"),
            ("0.01", "0", "10"),
            (None, "3", "10"),
            ("30", None, "10"),
            ("30", "3", "x"),
        ],
        broken=[
            ("30.0251", "3", "10"),
            ("29.9749", "3", "10"),
            ("-30.0251", "-3", "10"),
            ("30", "-3", "10"),
            ("0.0101", "0", "10"),
            ("99999999999999.9999", "999999999999999999", "99999999999999.9999"),
        ],
    ),
    Fixture(
        rule(NotAbove, "not_above", column="price", limit="list_price"),
        (MONEY, MONEY),
        kept=[("10", "10.0000"), ("-1", "0"), ("9.9999", "10"), (None, "1"), ("1", None), ("x", "0")],
        broken=[("10.0001", "10"), ("0", "-0.0001")],
    ),
    Fixture(
        rule(DaysBetween, "days_between", earlier="ordered", later="shipped", low=0, high=2),
        (ColumnType.TIMESTAMP, ColumnType.DATE),
        kept=[
            ("2024-02-28 23:59:59", "2024-02-28"),
            ("2024-02-28 23:59:59", "2024-03-01"),  # over the 29th of February
            ("2023-02-28", "2023-03-02"),
            (None, "2024-01-01"),
            ("2024-01-01", None),
            ("x", "2024-01-01"),
        ],
        broken=[
            ("2024-02-28 00:00:00", "2024-02-27"),
            ("2024-02-28 23:59:59", "2024-03-02"),
            ("2023-02-28 00:00:00", "2023-03-03"),
            ("0001-01-01", "9999-12-31"),
        ],
    ),
    Fixture(
        rule(NotBefore, "not_before", column="happened", year=2000),
        (ColumnType.TIMESTAMP,),
        kept=["2000-01-01", "9999-12-31 23:59:59", None, "x"],
        broken=["1999-12-31 23:59:59.999999", "0001-01-01"],
    ),
]


SUPERSTORE, CATALOG = CONTRACTS["superstore_sales"], CONTRACTS["product_catalog"]


ORDER = {
    "row_id": "1",
    "order_id": "o",
    "order_date": "2024-01-01",
    "customer_id": "c",
    "product_id": "P1",
    "product_name": "Chair",
    "sales": "5",
}
OF_A_VERSION: dict[type[Rule], tuple[int, int]] = {
    LineUnique: (2, 10),
    KeyUnique: (2, 8),
    NotAfterAsOf: (1, 10),
    OneValuePer: (3, 9),
}
"""Rows that break the first rule of each kind among ten order lines, and rows that it is asked of."""


def trial() -> Contract:
    """A dataset in which each fixture has columns of its own."""
    columns = {
        name: Column(name=name, type=kind, description=name)
        for fixture in FIXTURES
        for name, kind in zip(fixture.rule.columns, fixture.types, strict=True)
    }
    rules = tuple(fixture.rule for fixture in FIXTURES)
    return Contract(
        dataset="trial", title="", owner="team:tests", columns=tuple(columns.values()), own_rules=rules, amount=None
    )


def kinds(of: type[Rule]) -> Iterator[type[Rule]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


# Every kind has a fixture


def test_every_kind_of_rule_has_hand_counted_rows() -> None:
    made = {
        kind for kind in kinds(Rule) if kind.__module__.startswith("platform_assets.") and not kind.__subclasses__()
    }
    counted = {type(fixture.rule) for fixture in FIXTURES} | set(OF_A_VERSION)

    assert {kind.__name__ for kind in made - counted} <= AGAINST_OTHER_DATASETS


# Rules that a row keeps or breaks by itself


@pytest.fixture(scope="module")
def staged(engine: Engine) -> pa.Table:
    """All fixtures as one dataset: a file for each, named like its rule, in which all other columns are empty."""
    contract = trial()
    rows = [row for fixture in FIXTURES for row in raw_rows(contract, fixture.rows, fixture.rule.id)]
    return engine.collect(staged_frame(engine, contract, rows)).sort_by(
        [(SOURCE_FILE, "ascending"), (SOURCE_ROW, "ascending")]
    )


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda one: one.rule.id)
def test_rows_break_the_rule_or_not_as_worked_out_by_hand(staged: pa.Table, fixture: Fixture) -> None:
    rows = [row for row in staged.to_pylist() if row[SOURCE_FILE] == fixture.rule.id]

    verdicts = [row[broken_flag(fixture.rule)] for row in rows]

    assert list(zip(fixture.rows, verdicts, strict=True)) == list(zip(fixture.rows, fixture.verdicts, strict=True))


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda one: one.rule.id)
def test_a_missing_value_breaks_no_rule_but_that_there_be_one(staged: pa.Table, fixture: Fixture) -> None:
    empty = [row for row in staged.to_pylist() if row[SOURCE_FILE] != fixture.rule.id]

    broken = {row[broken_flag(fixture.rule)] for row in empty}

    assert broken == {isinstance(fixture.rule, Present)}


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda one: one.rule.id)
def test_pandera_comes_to_the_same_verdicts(staged: pa.Table, fixture: Fixture) -> None:
    frame = staged.to_pandas(types_mapper=pd.ArrowDtype)
    frame = frame[frame[SOURCE_FILE] == fixture.rule.id]
    # Staging keeps the judgement on text in the flag that it makes for the column.
    columns = {
        f"_unreadable_{name}": frame[f"_breaks_{name}_readable"]
        for name in fixture.rule.columns
        if f"_breaks_{name}_readable" in frame
    }

    kept = fixture.rule.pandera_check()(frame.assign(**columns)).check_output

    expected = fixture.verdicts
    if fixture.rule.id == "number_present":
        # Pandera sees rows once they are typed: it cannot tell what cannot be read from what is not there.
        expected = [
            broken or row == {"number_there": "seven"} for row, broken in zip(fixture.rows, expected, strict=True)
        ]
    assert [not one for one in kept] == expected


def test_counts_are_those_of_the_rows_made_to_break_each_rule(engine: Engine, staged: pa.Table) -> None:
    flags = {
        fixture.rule.id: fixture.rule.broken()
        for fixture in FIXTURES
        if not isinstance(fixture.rule, (Readable, Present))
    }

    counted = engine.collect(counts_by(engine.from_arrow(staged), SOURCE_FILE, flags)).to_pylist()

    found = {line[SOURCE_FILE]: (line["rows"], {name: line[name] for name in flags if line[name]}) for line in counted}
    assert found == {
        "present": (10, {}),
        "number_present": (6, {}),
        "readable": (12, {}),
        "day_readable": (5, {}),
        "within": (11, {"within": 5}),
        "above": (8, {"above": 4}),
        "at_least": (7, {"at_least": 2}),
        "at_most": (6, {"at_most": 2}),
        "not_equal": (9, {"not_equal": 4}),
        "one_of": (10, {"one_of": 5}),
        "matches": (13, {"matches": 8}),
        "product_of": (14, {"product_of": 6}),
        "not_above": (8, {"not_above": 2}),
        "days_between": (10, {"days_between": 4}),
        "not_before": (6, {"not_before": 2}),
    }


# Rules that take other rows to judge


def test_rules_of_a_version_count_the_rows_made_to_break_them(deliveries: Deliveries) -> None:
    lines = [
        ORDER,
        {**ORDER, "row_id": "2"},  # the line of before: the number of a line does not count
        {**ORDER, "row_id": "3"},  # and again
        {**ORDER, "row_id": "4", "sales": "6", "product_id": "P2", "product_name": "Lamp"},
        {**ORDER, "row_id": "4", "sales": "7", "product_id": "P2", "product_name": "Lamp"},  # number 4 again
        {**ORDER, "row_id": "4", "sales": "8", "product_id": "P2", "product_name": "LAMP"},  # again; another name of P2
        {**ORDER, "row_id": "", "sales": "9", "product_id": "P2", "product_name": ""},  # no number, and no name
        {**ORDER, "row_id": "", "sales": "10"},
        {**ORDER, "row_id": "9", "order_date": "2024-01-03"},  # two days after
        {**ORDER, "row_id": "10", "order_date": "2024-01-02"},
    ]
    deliveries.deliver(SUPERSTORE, "a.csv", lines)

    assessment = deliveries.process(SUPERSTORE, as_of=date(2024, 1, 1)).assessment

    found = {type(one): assessment.result(one.id) for one in reversed(SUPERSTORE.rules) if type(one) in OF_A_VERSION}
    assert {kind: (result.rows_failed, result.rows_checked) for kind, result in found.items()} == OF_A_VERSION


@without_spark  # transforms/test_exclusions.py has it there
def test_a_key_of_severity_error_sets_aside_the_lines_after_the_first(deliveries: Deliveries) -> None:
    rows = [
        {"product_id": "A", "price": "1"},
        {"product_id": "A", "price": "1"},  # a repeated line, and so no second description
        {"product_id": "a", "price": "2"},  # codes are in upper case
        {"product_id": "A", "price": "3"},
        {"product_id": "B", "price": "3"},
        {"product_id": "", "price": "4"},
        {"product_id": "", "price": "5"},
    ]
    deliveries.deliver(CATALOG, "a.csv", [{**row, "category": "Lamps"} for row in rows])

    assessment = deliveries.process(CATALOG).assessment

    assert assessment.result("line_unique").rows_failed == 1
    assert assessment.result("product_id_unique").rows_failed == 2


# Patterns


TEXTS = [
    "a",
    "a\n",
    "\na",
    "b",
    "a\r",
    "",
    "aa",
    "a.c",
    "abc",
    "a\nc",
    "a\u2028c",
    "\U0001f600",
    "é",
    "A",
    "1",
    "\u0661",
    " ",
    "\t",
    "\x0b",
    "_",
    "-",
    "]",
    "^",
    "{2}",
    "\\",
    "a b",
    None,
]
PATTERNS = {
    "a": ["a"],
    "a.c": ["a.c", "abc", "a\nc", "a\u2028c"],
    r"a\.c": ["a.c"],
    ".": ["a", "b", "\U0001f600", "é", "A", "1", "\u0661", " ", "\t", "\x0b", "_", "-", "]", "^", "\\"],
    r"\w": ["a", "b", "A", "1", "_"],
    r"\d": ["1"],
    r"[^\w\n]": ["\U0001f600", "é", "\u0661", " ", "\t", "\x0b", "-", "]", "^", "\\"],
    r"a\n|\na": ["a\n", "\na"],
    r"(?:a|b)+": ["a", "b", "aa"],
    "a|b": ["a", "b"],
    "(a|b);?": ["a", "b"],
    "": [""],
    "a{2}": ["aa"],
    r"\{2\}": ["{2}"],
    r"[\]\^\\-]": ["-", "]", "^", "\\"],
    "[À-ÿ]": ["é"],
    "(|a)+": ["a", "", "aa"],
}


def matches(pattern: str) -> Matches:
    made: Matches = rule(Matches, "matches", column="text", pattern=pattern)
    return made


def test_a_pattern_means_the_same_on_every_engine(engine: Engine) -> None:
    frame = engine.from_arrow(pa.table({"place": range(len(TEXTS)), "text": TEXTS}))
    flags = [matches(pattern).broken().alias(f"pattern_{place}") for place, pattern in enumerate(PATTERNS)]

    found = engine.collect(frame.select("place", *flags)).sort_by("place")

    for place, (pattern, whole) in enumerate(PATTERNS.items()):
        broken = found[f"pattern_{place}"].to_pylist()
        kept = [text for text, is_broken in zip(TEXTS, broken, strict=True) if not is_broken]
        assert kept == [*whole, None], pattern


@pytest.mark.parametrize("pattern", PATTERNS)
def test_python_reads_a_pattern_as_the_engines_do(pattern: str) -> None:
    kept = matches(pattern).kept(pd.DataFrame({"text": pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.string()))}))

    assert [text for text, keeps in zip(TEXTS, kept, strict=True) if keeps] == [*PATTERNS[pattern], None]


def random_pattern(chance: random.Random, depth: int = 3) -> str:
    """Pieces that each engine's own reading could differ in, put together at random."""
    if depth == 0:
        return chance.choice(
            ["a", "b", ".", r"\d", r"\w", r"\W", "[^a]", "[a-c]", r"[-\]]", r"\n", "é", r"\.", ";", ""]
        )
    left, right = random_pattern(chance, depth - 1), random_pattern(chance, depth - 1)
    ways = [f"{left}{right}", f"{left}|{right}", f"({left})*", f"(?:{left}){{1,2}}{right}", f"({left})+?{right}"]
    return chance.choice(ways)


def test_patterns_put_together_at_random_mean_on_every_engine_what_they_mean_to_python(engine: Engine) -> None:
    chance = random.Random(7)
    patterns = [random_pattern(chance) for _ in range(60)]
    texts = ["".join(chance.choices("abc1.\n\r]é;\U0001f600-", k=chance.randrange(6))) for _ in range(150)]
    frame = engine.from_arrow(pa.table({"place": range(len(texts)), "text": texts}))
    flags = [matches(pattern).broken().alias(f"pattern_{place}") for place, pattern in enumerate(patterns)]

    found = engine.collect(frame.select("place", *flags)).sort_by("place")

    for place, pattern in enumerate(patterns):
        whole = re.compile(pattern, re.DOTALL | re.ASCII).fullmatch
        assert found[f"pattern_{place}"].to_pylist() == [whole(text) is None for text in texts], pattern


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"^a", r"written \\\^"),
        (r"a$", "matched anyway"),
        (r"\s+", r"as in \[ \\t\]"),
        (r"\bword\b", "not all engines"),
        ("(?=a)a", "not all engines"),
        ("(?<!a)b", "not all engines"),
        (r"(a)\1", "not all engines"),
        ("(?P<year>a)", "not all engines"),
        ("(?i)a", "not all engines"),
        (r"\p{L}", "not all engines"),
        (r"\x41", "not all engines"),
        ("[a&&b]", "operation on sets"),
        ("[[:alpha:]]", "not all engines"),
        ("[]a]", "not all engines"),
        ("[a-c-e]", "not all engines"),
        ("a{,3}", r"written \\\{"),
        ("a*+", "repeats a repetition"),
        ("a{2}{3}", "repeats a repetition"),
        ("a{1001}", "repetition size"),
        ("(?:a{100}){100}", "repetition size"),
        ("a)(b", "unbalanced"),
        ("(a", "missing"),
        ("[z-a]", "bad character range"),
        ("*a", "nothing to repeat"),
        ("a\\", "not all engines"),
    ],
)
def test_a_pattern_that_engines_read_differently_is_refused_when_the_rule_is_made(pattern: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        matches(pattern)
