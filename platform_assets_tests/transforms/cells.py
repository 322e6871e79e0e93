"""Cells for the tests of typing."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.readings import NumberReading, Reading
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
