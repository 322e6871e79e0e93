"""The rows of a staged version that count: neither set aside nor repeated."""

from collections.abc import Collection

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.snapshot import Part, Snapshot
from platform_assets.lake.table import Table
from platform_assets.transforms.exclusions import exclusions_schema
from platform_assets.transforms.schemas import QUARANTINED, SOURCE_FILE, SOURCE_ROW, staged_schema

EXCLUSIONS = "exclusions"
COLUMNS = "columns"
_PLACE = pa.schema([(SOURCE_FILE, pa.string()), (SOURCE_ROW, pa.int64())])


def counting_rows(
    table: Table, snapshot: Snapshot, contract: Contract, engine: Engine, keys: Collection[str] | None = None
) -> Frame:
    """Rows of a version, or of some of its files, that what follows may use.

    Args:
        table: The staged table.
        snapshot: The version, assessed.
        contract: The dataset's contract.
        engine: What computes.
        keys: Files; ``None`` for all.

    Returns:
        Rows of ``staged_schema``.
    """
    schema = staged_schema(contract)
    rows = engine.scan(table.parts(snapshot, keys), _known_then(schema, snapshot)).filter(~nw.col(QUARANTINED))
    rows = _with_new_columns(rows, schema, snapshot, engine)
    name = snapshot.attributes.get(EXCLUSIONS)
    if name is None:
        return rows
    excluded = engine.scan([Part(table.segments / name, None)], _PLACE)
    return rows.join(excluded, on=_PLACE.names, how="anti")


def _known_then(schema: pa.Schema, snapshot: Snapshot) -> pa.Schema:
    """The columns that the contract had when the version was staged: one behind a shut gate may be of an older one."""
    known = snapshot.attributes.get(COLUMNS, schema.names)
    return pa.schema([field for field in schema if field.name in known])


def _with_new_columns(rows: Frame, schema: pa.Schema, snapshot: Snapshot, engine: Engine) -> Frame:
    """Rows with the columns that the contract has had only since, all empty."""
    known = _known_then(schema, snapshot).names
    new = [field for field in schema if field.name not in known]
    if not new:
        return rows
    # Joined to nothing: a literal without a value has no type on pandas.
    nothing = engine.from_arrow(pa.schema([*_PLACE, *new]).empty_table())
    return rows.join(nothing, on=_PLACE.names, how="left").select(schema.names)


def excluded_rows(table: Table, snapshot: Snapshot, contract: Contract, engine: Engine) -> Frame | None:
    """Rows that the version sets aside because of others, of ``exclusions_schema``; ``None`` when there are none."""
    name = snapshot.attributes.get(EXCLUSIONS)
    if name is None:
        return None
    return engine.scan([Part(table.segments / name, None)], exclusions_schema(contract))
