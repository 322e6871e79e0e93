from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.analytics.largest import OTHERS, in_last_year, with_largest
from platform_assets.engines.engine import INSTANT, MONEY, Engine

AS_OF = date(2024, 12, 31)
NOW = datetime(2024, 12, 31, 12)
LONG_AGO = datetime(2024, 1, 1) - timedelta(microseconds=1)  # 2024 has 366 days: this is the 367th one back
SCHEMA = pa.schema(
    [("shop", pa.string()), ("kind", pa.string()), ("way", pa.string()), ("sold_at", INSTANT), ("net_amount", MONEY)]
)
Line = tuple[str, str | None, str | None, datetime, int]


def named(engine: Engine, lines: list[Line], most: int) -> list[tuple[Any, ...]]:
    given = [dict(zip(SCHEMA.names, (*line[:4], Decimal(line[4])), strict=True)) for line in lines]
    frame = engine.from_arrow(pa.Table.from_pylist(given, SCHEMA))
    counts = in_last_year(AS_OF)
    found = engine.collect(with_largest(frame, ("kind", "way"), engine, by="shop", counts=counts, most=most))
    assert found.column_names == SCHEMA.names
    rows = found.to_pylist()
    return sorted(((row["shop"], row["kind"], row["way"], int(row["net_amount"])) for row in rows), key=str)


def test_the_largest_of_the_last_year_keep_their_names_in_each_shop(engine: Engine) -> None:
    lines: list[Line] = [
        ("a", "tea", "web", NOW, 5),
        ("a", "tea", None, NOW, 5),
        ("a", "toys", "web", NOW, 9),
        ("a", "books", "web", NOW, 8),
        ("a", "books", "web", LONG_AGO, 90),
        ("a", None, "web", NOW, 99),
        ("b", "books", "web", NOW, 1),
    ]

    assert named(engine, lines, 2) == sorted(
        [
            ("a", "tea", "web", 5),
            ("a", "tea", None, 5),
            ("a", "toys", "web", 9),
            ("a", OTHERS, "web", 8),
            ("a", OTHERS, "web", 90),
            ("a", None, "web", 99),
            ("b", "books", "web", 1),
        ],
        key=str,
    )


def test_of_equally_large_ones_the_first_by_name_stays(engine: Engine) -> None:
    found = named(engine, [("a", name, "web", NOW, 1) for name in ("c", "b", "a")], 1)

    assert [row[1] for row in found] == [OTHERS, OTHERS, "a"]


@pytest.mark.parametrize(("at", "counted"), [(datetime(2024, 1, 2), True), (datetime(2024, 1, 1, 23), False)])
def test_the_last_year_is_of_365_days(engine: Engine, at: datetime, *, counted: bool) -> None:
    found = named(engine, [("a", "old", "web", at, 9), ("a", "new", "web", NOW, 5)], 1)

    assert ("a", "old" if counted else OTHERS, "web", 9) in found


def test_no_more_than_the_most_are_left_as_they_are(engine: Engine) -> None:
    lines: list[Line] = [("a", name, "web", NOW, 1) for name in ("a", "b")]

    assert named(engine, lines, 2) == [("a", "a", "web", 1), ("a", "b", "web", 1)]


def test_without_rows_there_are_none(engine: Engine) -> None:
    assert named(engine, [], 1) == []
