"""The data of the quality benchmark: one Parquet file, the rules it is judged by, and how many rows break each.

Belongs here: what is known by construction. Does not belong here: judging (``bench_quality_ours``,
``bench_quality_by_hand`` and, for other tools, ``platform_assets_tests/benchmarks/quality``).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator

from platform_assets.contracts.row_rules import Matches, OneOf, Present, RowRule, Within
from platform_assets.contracts.rules import Dimension, KeyUnique, Severity
from platform_assets.errors import SettingsError
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW

MINIMUM_ROWS = 200
CHANNELS = ("Online", "Store", "Mobile", "Call Center", "Catalog")
COUNTRIES = ("DE", "ES", "FR", "IT", "NL", "PL", "SE", "UK")
LISTS = {"channel": CHANNELS, "country": COUNTRIES}
RANGES = {"quantity": (1, 100), "unit_price": (0, 1000), "discount": (0, 1), "total": (0, 100_000), "weight": (0, 50)}
PATTERNS = {"sku": "[A-Z]{3}-[0-9]{4}"}
KEY = "order_id"

SCHEMA = pa.schema(
    [
        (KEY, pa.int64()),
        *((name, pa.string()) for name in ("customer_id", "sku", "channel", "country")),
        ("quantity", pa.int64()),
        *((name, pa.float64()) for name in ("unit_price", "discount", "total", "weight")),
    ]
)
"""What is judged. The file also says where each row came from, as every staged file of the platform does."""

LINEAGE = pa.schema([(SOURCE_FILE, pa.string()), (SOURCE_ROW, pa.int64())])
BEYOND, SHARED = f"{KEY}_unique", f"{KEY}_shared"
"""Rows beyond the first of their key, and all rows of keys that several rows have: tools count the one or the other."""

_ROWS_PER_DEFECT = 100
_FILES = 10
_PRODUCTS = 5_000
_ROW_GROUP = 100_000
_ABOUT: dict[str, Any] = {"dimension": Dimension.VALIDITY, "severity": Severity.ERROR, "description": ""}

Numbers = npt.NDArray[np.int64]


def row_rules() -> tuple[RowRule, ...]:
    """Eighteen: ten columns have a value, five lie within bounds, two in a list, one is shaped like a code."""
    return (
        *(Present(id=f"{name}_present", column=name, **_ABOUT) for name in SCHEMA.names),
        *(
            Within(id=f"{name}_within", column=name, low=low, high=high, **_ABOUT)
            for name, (low, high) in RANGES.items()
        ),
        *(OneOf(id=f"{name}_known", column=name, values=values, **_ABOUT) for name, values in LISTS.items()),
        *(Matches(id=f"{name}_shaped", column=name, pattern=pattern, **_ABOUT) for name, pattern in PATTERNS.items()),
    )


def key_rule() -> KeyUnique:
    """The nineteenth."""
    return KeyUnique(id=BEYOND, key=(KEY,), **_ABOUT)


def rules_as_json() -> dict[str, Any]:
    """The same for tools that know nothing of this platform."""
    return {"columns": SCHEMA.names, "ranges": RANGES, "lists": LISTS, "patterns": PATTERNS, "unique": KEY}


def write_orders(file: Path, rows: int, seed: int) -> dict[str, int]:
    """Write order lines of which one in a hundred is wrong, in seven columns each its own.

    Args:
        file: The Parquet file.
        rows: How many.
        seed: Which.

    Returns:
        Rows that break each rule that any row breaks; for the key both ``BEYOND`` and ``SHARED``.

    Raises:
        SettingsError: There are too few rows.
    """
    if rows < MINIMUM_ROWS:
        raise SettingsError(
            f"{rows:,} rows are too few: one in a hundred is wrong.", f"Ask for {MINIMUM_ROWS} or more."
        )
    chance = np.random.default_rng(seed)
    wrong = rows // _ROWS_PER_DEFECT
    table = pa.table({**_sound(chance, rows), **_with_defects(chance, rows, wrong), **_lineage(rows)})
    pq.write_table(table.select([*SCHEMA.names, *LINEAGE.names]), file, row_group_size=_ROW_GROUP, compression="snappy")
    broken = ("customer_id_present", "sku_shaped", "channel_known", "quantity_within", "unit_price_within")
    return {**dict.fromkeys(broken, wrong), "total_present": wrong, BEYOND: wrong, SHARED: 2 * wrong}


def _sound(chance: Generator, rows: int) -> dict[str, Any]:
    return {
        "country": _texts(chance.integers(len(COUNTRIES), size=rows), COUNTRIES),
        "discount": chance.uniform(0, 1, rows).round(2),
        "weight": chance.uniform(0, 50, rows).round(3),
    }


def _with_defects(chance: Generator, rows: int, wrong: int) -> dict[str, Any]:
    def some() -> Numbers:
        return chance.permutation(rows)[:wrong]

    key, twice = np.arange(rows) + rows, chance.permutation(rows)[: 2 * wrong]
    key[twice[:wrong]] = key[twice[wrong:]]
    sku, channel = chance.integers(_PRODUCTS, size=rows), chance.integers(len(CHANNELS), size=rows)
    sku[some()], channel[some()] = _PRODUCTS, len(CHANNELS)
    quantity, price = chance.integers(1, 101, rows), chance.uniform(0.5, 1000, rows).round(2)
    quantity[some()] = 0
    price[some()] *= -1
    customers = [f"C{number:07}" for number in range(max(rows // 20, 1))]
    return {
        KEY: key,
        "customer_id": _texts(chance.integers(len(customers), size=rows), customers, missing=some()),
        "sku": _texts(sku, [*_codes(), "no code"]),
        "channel": _texts(channel, [*CHANNELS, "Fax"]),
        "quantity": quantity,
        "unit_price": price,
        "total": pa.array(chance.uniform(0, 100_000, rows).round(2), mask=np.isin(np.arange(rows), some())),
    }


def _codes() -> list[str]:
    return [f"{chr(65 + n % 26)}{chr(65 + n // 26 % 26)}X-{n:04}" for n in range(_PRODUCTS)]


def _lineage(rows: int) -> dict[str, Any]:
    line = np.arange(rows)
    return {SOURCE_FILE: _texts(line * _FILES // rows, [f"orders_{n}.csv" for n in range(_FILES)]), SOURCE_ROW: line}


def _texts(places: Numbers, texts: Sequence[str], missing: Numbers | None = None) -> pa.Array:
    mask = None if missing is None else np.isin(np.arange(len(places)), missing)
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32(), mask=mask), pa.array(texts)).cast(pa.string())
