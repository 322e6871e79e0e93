"""raw/*: the landing zone as tables, every cell as text. One asset per dataset."""

import time

import dagster as dg

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.register import people_of
from platform_assets.ingestion.landing import Landing, look
from platform_assets.lake.update import Update
from platform_assets.presentation.metadata import column_schema, markdown_table
from platform_assets.resources.platform import PlatformResource
from platform_assets.transforms.schemas import raw_schema

_SECONDS_BETWEEN_MESSAGES = 2.0


def raw_asset(contract: Contract) -> dg.AssetsDefinition:
    """The asset that reads what is new in a dataset's folder."""

    @dg.asset(
        key=["raw", contract.dataset],
        io_manager_key="lake",
        group_name="raw",
        kinds={"file", "parquet"},
        owners=[contract.owner],
        description=f"Raw lines of {contract.dataset}, every cell as text with its file and line. "
        "Each file is read once, by the hash of its content; a changed file replaces its rows, a removed one takes "
        "them along. Files that cannot be read are refused with their reason and stop nothing else.",
        metadata=column_schema(raw_schema(contract)),
    )
    def raw(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult[Update]:
        tables = platform.table("raw", contract.dataset), platform.table("rejects", contract.dataset)
        folder = platform.landing_folder(contract.dataset)
        settings = platform.config.dataset(contract.dataset)
        known = platform.contract(contract.dataset)
        forgotten = people_of(platform.settings)
        progress = _Progress(context)
        landing = look(known, folder, settings, tables, platform.engine, on_file=progress, forgotten=forgotten)
        landing.rejects.publish(tables[1])
        for name, reason in landing.refused.items():
            context.log.warning("%s/%s was refused: %s", contract.dataset, name, reason)
        return dg.MaterializeResult(value=landing.rows, metadata=_metadata(landing))

    return raw


class _Progress:
    """Tells how far reading has come, not more often than every two seconds."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._last = time.monotonic()

    def __call__(self, name: str, done: int, total: int) -> None:
        if time.monotonic() - self._last > _SECONDS_BETWEEN_MESSAGES:
            self._last = time.monotonic()
            self._context.log.info("file %s of %s: %s", f"{done + 1:,}", f"{total:,}", name)


def _metadata(landing: Landing) -> dict[str, dg.MetadataValue | int]:
    lines = [{"file": name, "lines": count} for name, count in sorted(landing.read.items())]
    refused = [{"file": name, "reason": reason} for name, reason in sorted(landing.refused.items())]
    return {
        "files read": len(landing.read),
        "lines read": sum(landing.read.values()),
        "files unchanged": landing.unchanged,
        "files removed": len(landing.removed),
        "files refused": len(landing.refused),
        "files still being written": len(landing.unfinished),
        **({"read": markdown_table(lines)} if lines else {}),
        **({"refused": markdown_table(refused)} if refused else {}),
    }


@dg.definitions
def defs() -> dg.Definitions:
    """One raw asset per dataset."""
    return dg.Definitions(assets=[raw_asset(contract) for contract in CONTRACTS.values()])
