"""The profile of a delivery: a few exact counts per column, the same on every engine.

Belongs here: what is counted, in one aggregate for all columns and one group-by for all categories. Does not belong
here: what the counts mean (``drift``), and which rows are a delivery (``deliveries``).

Missing cells and rows were counted when the files were staged; no row is read again for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import KeyUnique
from platform_assets.engines.engine import Engine, Frame
from platform_assets.transforms.schemas import SOURCE_ROW

BINS = 10
MOST_CATEGORIES = 50
_SAMPLE_ROWS = 100_000
_MOST_LISTED = 1_000
"""Categories that are counted by name; a delivery with more of them has the rarest left out."""

Facts: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Reference:
    """What the bins of deliveries are made by, fixed by the first good one that has enough values.

    Attributes:
        edges: Inner edges in rising order by numeric column, exact, as text.
        categories: Text columns with few values.
    """

    edges: Mapping[str, Sequence[str]] = field(default_factory=dict)
    categories: Sequence[str] = ()


@dataclass(frozen=True)
class Numbers:
    """A numeric column of a delivery.

    Attributes:
        values: How many could be read.
        negative: Those below 0.
        zero: Those that are 0.
        bins: Those per bin, from the lowest on; none without edges.
        edges: What the bins are made by.
    """

    values: int
    negative: int
    zero: int
    bins: Sequence[int] = ()
    edges: Sequence[str] = ()


@dataclass(frozen=True)
class Profile:
    """What is known about the rows of a delivery.

    Attributes:
        rows: How many could be taken apart.
        missing: Cells without a value, by column.
        numbers: By numeric column.
        categories: Rows by value, by text column with few values.
        distinct: Distinct values and values, by identifying column.
    """

    rows: int
    missing: Mapping[str, int]
    numbers: Mapping[str, Numbers]
    categories: Mapping[str, Mapping[str, int]]
    distinct: Mapping[str, tuple[int, int]]


def numeric_columns(contract: Contract) -> list[Column]:
    """Columns that measure something; a number that identifies a row does not."""
    keys = _keys(contract)
    return [column for column in contract.columns if column.type.is_numeric and column.name not in keys]


def identifying_columns(contract: Contract) -> list[str]:
    """Columns that name something."""
    keys = _keys(contract)
    # A date in a key says since when a row holds; of those, a delivery has as few as it likes.
    named = [column for column in contract.columns if column.type is ColumnType.IDENTIFIER or column.name in keys]
    return sorted(column.name for column in named if not column.type.is_temporal)


def category_columns(contract: Contract) -> list[str]:
    """Columns whose values may be few and may be told: text that says nothing about a person."""
    return [column.name for column in contract.columns if column.type is ColumnType.TEXT and not column.personal]


def reference_of(
    rows: Frame, count: int, contract: Contract, known: Reference, *, least: int, engine: Engine
) -> Reference:
    """Bins for the columns that have none yet, from a sample of every so many lines.

    Args:
        rows: Staged rows of the delivery.
        count: How many there are.
        contract: Their contract.
        known: What is fixed already, and stays.
        least: Values a column needs to be given bins.
        engine: What computes.

    Returns:
        ``known``, with deciles of numeric columns that have enough values and, before any are known, the text
        columns with few values.
    """
    numbers = [column.name for column in numeric_columns(contract) if column.name not in known.edges]
    texts = [] if known.edges or known.categories else category_columns(contract)
    if count < least or not (numbers or texts):
        return known
    sample = _sample(rows, count, [*numbers, *texts], engine)
    edges = {name: _deciles(sample[name], least) for name in numbers}
    few = [name for name in texts if _is_few(sample[name], least)]
    return Reference(
        {**known.edges, **{name: found for name, found in edges.items() if found}}, (*known.categories, *few)
    )


def profile_of(
    rows: Frame, facts: Sequence[Facts], contract: Contract, reference: Reference, engine: Engine
) -> Profile:
    """Count the rows of a delivery.

    Args:
        rows: Its staged rows.
        facts: What was counted of its files when they were staged.
        contract: Their contract.
        reference: The bins.
        engine: What computes.
    """
    count = sum(fact["rows"] for fact in facts)
    missing = {name: sum(fact["missing"].get(name, 0) for fact in facts) for name in contract.column_names}
    if not count:
        return Profile(0, missing, {}, {}, {})
    found = _aggregate(rows, contract, reference, engine)
    numbers = {
        column.name: _numbers(column.name, found, reference.edges.get(column.name, ()))
        for column in numeric_columns(contract)
    }
    distinct = {
        name: (found[f"{name} distinct"] - (found[f"{name} values"] < count), found[f"{name} values"])
        for name in identifying_columns(contract)
    }
    return Profile(count, missing, numbers, _categories(rows, reference, engine), distinct)


def _keys(contract: Contract) -> set[str]:
    return {name for rule in contract.rules if isinstance(rule, KeyUnique) for name in rule.key}


def _sample(rows: Frame, count: int, columns: list[str], engine: Engine) -> pa.Table:
    step = -(-count // _SAMPLE_ROWS)
    line = nw.col(SOURCE_ROW)
    return engine.collect(rows.filter(line - (line // step) * step == 0).select(columns))


def _deciles(values: pa.ChunkedArray, least: int) -> list[str]:
    """Edges that are values of the column, as in ``transforms.quantiles``; equal ones once."""
    present = sorted(value for value in values.to_pylist() if value is not None)
    if len(present) < least:
        return []
    places = [-(-step * (len(present) - 1) // BINS) for step in range(1, BINS)]
    return [str(value) for value in sorted({present[place] for place in places})]


def _is_few(values: pa.ChunkedArray, least: int) -> bool:
    present = values.drop_null()
    return len(present) >= least and 1 <= len(present.unique()) <= MOST_CATEGORIES


def _aggregate(rows: Frame, contract: Contract, reference: Reference, engine: Engine) -> dict[str, int]:
    """Every count of every column, in one pass."""
    flags: dict[str, nw.Expr] = {}
    for column in numeric_columns(contract):
        value = nw.col(column.name)
        flags |= {f"{column.name} values": ~value.is_null()}
        flags |= {f"{column.name} negative": value < 0, f"{column.name} zero": value == 0}
        edges = reference.edges.get(column.name, ())
        flags |= {f"{column.name} from {place}": value >= _exact(column, edge) for place, edge in enumerate(edges)}
    names = identifying_columns(contract)
    flags |= {f"{name} values": ~nw.col(name).is_null() for name in names}
    ones = [nw.when(flag).then(1).otherwise(0).cast(nw.Int64).alias(name) for name, flag in flags.items()]
    flat = rows.select(nw.lit(1).alias("_all"), *names, *ones)
    distinct = [nw.col(name).n_unique().alias(f"{name} distinct") for name in names]
    counted = flat.group_by("_all").agg(*(nw.col(name).sum().alias(name) for name in flags), *distinct)
    return {name: int(value) for name, value in engine.collect(counted).to_pylist()[0].items()}


def _exact(column: Column, edge: str) -> int | float | Decimal:
    if column.type is ColumnType.INTEGER:
        return int(edge)
    return float(edge) if column.type is ColumnType.NUMBER else Decimal(edge)


def _numbers(name: str, found: Mapping[str, int], edges: Sequence[str]) -> Numbers:
    values = found[f"{name} values"]
    reached = [values, *(found[f"{name} from {place}"] for place in range(len(edges))), 0]
    bins = [more - less for more, less in pairwise(reached)] if edges else []
    return Numbers(values, found[f"{name} negative"], found[f"{name} zero"], bins, list(edges))


def _categories(rows: Frame, reference: Reference, engine: Engine) -> dict[str, dict[str, int]]:
    """Rows by value of every column with few values, in one pass."""
    if not reference.categories:
        return {}
    stacked = [rows.select(nw.lit(name).alias("name"), nw.col(name).alias("value")) for name in reference.categories]
    pairs = nw.concat(stacked, how="vertical").group_by("name", "value").agg(nw.len().alias("times"))
    present = pairs.filter(~nw.col("value").is_null())
    most = present.sort("times", "name", "value", descending=[True, False, False]).head(_MOST_LISTED)
    counts: dict[str, dict[str, int]] = {name: {} for name in reference.categories}
    for line in engine.collect(most).to_pylist():
        counts[line["name"]][line["value"]] = int(line["times"])
    return counts
