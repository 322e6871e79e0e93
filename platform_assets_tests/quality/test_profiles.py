from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.contracts.rules import Dimension, KeyUnique, Severity
from platform_assets.engines.engine import Engine, Frame
from platform_assets.quality.profiles import Numbers, Reference, identifying_columns, profile_of, reference_of
from platform_assets.transforms.schemas import SOURCE_ROW, staged_schema
from platform_assets_tests.conftest import without_spark

CONTRACT = Contract(
    dataset="shop",
    title="one sale",
    owner="team:test",
    columns=(
        Column(name="line", type=ColumnType.INTEGER, description="Number of the line."),
        Column(name="invoice", type=ColumnType.IDENTIFIER, description="Number of the invoice."),
        Column(name="day", type=ColumnType.DATE, description="Day."),
        Column(name="pieces", type=ColumnType.INTEGER, description="Pieces."),
        Column(name="price", type=ColumnType.MONEY, description="Price."),
        Column(name="discount", type=ColumnType.RATE, description="Share."),
        Column(name="weight", type=ColumnType.NUMBER, description="Kilograms."),
        Column(name="segment", type=ColumnType.TEXT, description="Line of business."),
        Column(name="buyer", type=ColumnType.TEXT, description="Name.", personal=True),
    ),
    own_rules=(
        KeyUnique(
            id="line_unique", dimension=Dimension.UNIQUENESS, severity=Severity.WARN, description="x", key=("line",)
        ),
    ),
)


def rows_of(engine: Engine, lines: Sequence[Mapping[str, Any]]) -> Frame:
    schema = staged_schema(CONTRACT)
    whole = [dict.fromkeys(schema.names) | dict(line) for line in lines]
    return engine.from_arrow(pa.Table.from_pylist(whole, schema=schema))


def facts(rows: int, **missing: int) -> dict[str, object]:
    return {"rows": rows, "missing": missing}


def test_every_column_is_counted_alike_on_every_engine(engine: Engine) -> None:
    lines: list[dict[str, Any]] = [
        {"line": 1, "invoice": "a", "day": date(2024, 1, 1), "pieces": -2, "price": Decimal("0.1000")},
        {"line": 2, "invoice": "a", "pieces": 0, "price": Decimal("0.3000"), "discount": Decimal(0), "weight": 0.3},
        {"line": 3, "invoice": "b", "pieces": 5, "discount": Decimal("0.200000"), "weight": 0.1, "segment": "Home"},
        {"line": None, "invoice": None, "pieces": 5, "price": Decimal("9.9999"), "segment": "Office", "buyer": "Ann"},
        {"line": 3, "invoice": "c", "pieces": None, "weight": -1.5, "segment": "Home"},
    ]
    reference = Reference({"pieces": ["0", "5"], "price": ["0.3000", "10.0000"], "weight": ["0.1"]}, ("segment",))

    found = profile_of(rows_of(engine, lines), [facts(3, price=1), facts(2, price=1)], CONTRACT, reference, engine)

    assert found.rows == 5
    assert (found.missing["price"], found.missing["pieces"]) == (2, 0)
    assert found.numbers == {
        "pieces": Numbers(4, 1, 1, [1, 1, 2], ["0", "5"]),
        "price": Numbers(3, 0, 0, [1, 2, 0], ["0.3000", "10.0000"]),
        "discount": Numbers(2, 0, 1, [], []),
        "weight": Numbers(3, 1, 0, [1, 2], ["0.1"]),
    }
    assert found.categories == {"segment": {"Home": 2, "Office": 1}}
    assert found.distinct == {"invoice": (3, 4), "line": (3, 4)}


@without_spark
def test_bins_are_the_deciles_of_the_first_values_and_text_with_few_values_is_counted_by_value(engine: Engine) -> None:
    lines = [
        {SOURCE_ROW: place, "pieces": place, "price": Decimal(5), "segment": f"s{place % 50}", "buyer": "x"}
        for place in range(1, 102)
    ]

    found = reference_of(rows_of(engine, lines), 101, CONTRACT, Reference(), least=100, engine=engine)

    # Of the values 1 to 101, the k-th decile is the one at place 10 k, counted from 0: 11, 21 and so on.
    assert found.edges == {"pieces": ["11", "21", "31", "41", "51", "61", "71", "81", "91"], "price": ["5.0000"]}
    assert found.categories == ("segment",)


@without_spark
@pytest.mark.parametrize("values", [51, 100])
def test_text_with_more_than_fifty_values_is_not_counted_by_value(engine: Engine, values: int) -> None:
    lines = [{SOURCE_ROW: place, "segment": f"s{place % values}"} for place in range(200)]

    assert reference_of(rows_of(engine, lines), 200, CONTRACT, Reference(), least=100, engine=engine).categories == ()


@without_spark
def test_bins_that_are_fixed_stay_and_a_column_without_enough_values_gets_none(engine: Engine) -> None:
    lines = [{SOURCE_ROW: place, "pieces": place, "weight": 1.0 if place < 99 else None} for place in range(150)]
    known = Reference({"pieces": ["7"]})

    assert reference_of(rows_of(engine, lines), 150, CONTRACT, known, least=100, engine=engine) == known


def test_a_day_in_a_key_identifies_nothing_by_itself() -> None:
    assert identifying_columns(CONTRACTS["product_catalog"]) == ["product_id"]


def test_nothing_is_asked_of_the_engine_when_there_are_no_rows() -> None:
    found = profile_of(None, [facts(0)], CONTRACT, Reference(), None)  # type: ignore[arg-type]

    assert (found.rows, found.numbers, found.distinct) == (0, {}, {})
