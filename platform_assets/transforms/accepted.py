"""The rows of a staged version that count: neither set aside nor repeated."""

from collections.abc import Collection

import narwhals as nw

from platform_assets.contracts.contract import Contract
from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.snapshot import Part, Snapshot
from platform_assets.lake.table import Table
from platform_assets.transforms.exclusions import exclusions_schema
from platform_assets.transforms.schemas import QUARANTINED, SOURCE_FILE, SOURCE_ROW, staged_schema

EXCLUSIONS = "exclusions"


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
    rows = engine.scan(table.parts(snapshot, keys), staged_schema(contract)).filter(~nw.col(QUARANTINED))
    excluded = excluded_rows(table, snapshot, contract, engine)
    if excluded is None:
        return rows
    return rows.join(excluded.select(SOURCE_FILE, SOURCE_ROW), on=[SOURCE_FILE, SOURCE_ROW], how="anti")


def excluded_rows(table: Table, snapshot: Snapshot, contract: Contract, engine: Engine) -> Frame | None:
    """Rows that the version sets aside because of others, of ``exclusions_schema``; ``None`` when there are none."""
    name = snapshot.attributes.get(EXCLUSIONS)
    if name is None:
        return None
    return engine.scan([Part(table.segments / name, None)], exclusions_schema(contract))
