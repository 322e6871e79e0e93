"""The lake's quarantine in the shape of the warehouse's, with what is known about its files."""

from collections.abc import Collection, Iterable

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import broken_flag
from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.table import Table
from platform_assets.quality.quarantine import QUARANTINE_SCHEMA
from platform_assets.quality.results import Assessment
from platform_assets.transforms.accepted import excluded_rows
from platform_assets.transforms.exclusions import line_rule
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW
from platform_assets.warehouse.quality.quarantine_load import FILES_SCHEMA, PLACES_SCHEMA

LOADED_SCHEMA = QUARANTINE_SCHEMA.append(pa.field("content_hash", pa.string()))


def judged_files(assessments: Iterable[Assessment]) -> pa.Table:
    """Every file as it was judged last, of ``FILES_SCHEMA``."""
    lines = [
        {
            "dataset": one.dataset,
            "source_file": line.source_file,
            "kind": "file" if line.status == "refused" else "row",
            "content_hash": line.content_hash,
            "contract_version": one.contract_version,
            "why": None if one.gate_is_open else f"the gate is shut: {'; '.join(one.reasons)}",
        }
        for one in assessments
        for line in one.ledger
    ]
    return pa.Table.from_pylist(lines, schema=FILES_SCHEMA)


def loaded_rows(set_aside: Frame, files: pa.Table, engine: Engine) -> Frame:
    """Lines of ``QUARANTINE_SCHEMA`` with the hash of their file's content."""
    hashes = engine.from_arrow(files.select(["dataset", "source_file", "content_hash"]))
    return set_aside.join(hashes, on=["dataset", "source_file"], how="left").select(LOADED_SCHEMA.names)


def duplicate_places(staging: Table, contract: Contract, files: Collection[str], engine: Engine) -> Frame:
    """The lines of some files that only repeat another, of ``PLACES_SCHEMA``."""
    excluded = excluded_rows(staging, staging.snapshot(), contract, engine)
    rule = line_rule(contract)
    if excluded is None or rule is None:
        return engine.from_arrow(PLACES_SCHEMA.empty_table())
    rows = excluded.filter(nw.col(broken_flag(rule)) & nw.col(SOURCE_FILE).is_in(sorted(files)))
    return rows.select(
        nw.lit(contract.dataset).alias("dataset"),
        nw.col(SOURCE_FILE).alias("source_file"),
        nw.col(SOURCE_ROW).alias("source_row"),
    )
