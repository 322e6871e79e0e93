"""The data of the quality benchmark: one Parquet file, the rules it is judged by, and how many rows break each.

Belongs here: what is known by construction. Does not belong here: judging (``bench_quality_ours``,
``bench_quality_by_hand`` and, for other tools, ``platform_assets_tests/benchmarks``).
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator

from platform_assets.contracts.row_rules import Matches, OneOf, Present, RowRule, Within
from platform_assets.contracts.rules import Dimension, KeyUnique, Severity
from platform_assets.errors import SettingsError
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW

MINIMUM_ROWS = 200
FILES = 10
"""Raw files that the rows are said to have come from."""

CHANNELS = ("Online", "Store", "Mobile", "Call Center", "Catalog")
COUNTRIES = ("DE", "ES", "FR", "IT", "NL", "PL", "SE", "UK")
SKU = r"[A-Z]{3}-[0-9]{4}"
RANGES = {"quantity": (1, 100), "unit_price": (0, 1000), "discount": (0, 1), "total": (0, 100_000), "weight": (0, 50)}
SCHEMA = pa.schema(
    [
        ("order_id", pa.int64()),
        ("customer_id", pa.string()),
        ("sku", pa.string()),
        ("channel", pa.string()),
        ("country", pa.string()),
        ("quantity", pa.int64()),
        *((name, pa.float64()) for name in ("unit_price", "discount", "total", "weight")),
    ]
)
LINEAGE = pa.schema([(SOURCE_FILE, pa.string()), (SOURCE_ROW, pa.int64())])
_ABOUT = {"severity": Severity.ERROR, "description": ""}


def row_rules() -> tuple[RowRule, ...]:
    """Ten columns must have a value, five lie within bounds, two in a list, one looks like a code."""
    about = {"dimension": Dimension.VALIDITY, **_ABOUT}
    return (
        *(Present(id=f"{name}_present", column=name, **about) for name in SCHEMA.names),
        *(Within(id=f"{name}_within", column=name, low=low, high=high, **about) for name, (low, high) in RANGES.items()),
        OneOf(id="channel_known", column="channel", values=CHANNELS, **about),
        OneOf(id="country_known", column="country", values=COUNTRIES, **about),
        Matches(id="sku_shaped", column="sku", pattern=SKU, **about),
    )


def key_rule() -> KeyUnique:
    """The nineteenth."""
    return KeyUnique(id="order_id_unique", key=("order_id",), dimension=Dimension.UNIQUENESS, **_ABOUT)
