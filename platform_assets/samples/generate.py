"""Sample data for the four datasets at any scale, with the truth beside it.

Belongs here: the one function to call, and how what it makes comes to its place. Does not belong here: what the
data is like; see the module of each dataset.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.errors import SettingsError
from platform_assets.samples import customers as people
from platform_assets.samples.catalogue import write_catalogue
from platform_assets.samples.customers import customers_table
from platform_assets.samples.ecommerce import write_ecommerce
from platform_assets.samples.plan import DEFAULT_ROWS, WORLD_END, Plan
from platform_assets.samples.products import products_table
from platform_assets.samples.retail import write_retail
from platform_assets.samples.superstore import SPEND_FACTOR, write_superstore
from platform_assets.samples.world import World

TRUTH = "_truth"
PARTIAL = ".partial"


@dataclass(frozen=True)
class SampleSummary:
    """What was written.

    Attributes:
        out: The folder that now holds one folder per dataset and the truth.
        files: Number of files of each dataset.
        lines: Number of lines of each dataset, headers not counted.
        bytes_written: Size of the datasets' files, the truth not counted.
        truth: The file with the truth.
    """

    out: Path
    files: dict[str, int]
    lines: dict[str, int]
    bytes_written: int
    truth: Path


def generate(
    out: Path, rows: int = DEFAULT_ROWS, seed: int = 42, on_progress: Callable[[str], None] | None = None
) -> SampleSummary:
    """Write sample data for all datasets and the truth about it.

    The same rows and seed give the same bytes. Files are made in a hidden folder and moved when all are complete,
    so an interrupted call leaves nothing that looks like data.

    Args:
        out: The folder that gets ``<dataset>/...`` and ``_truth/...``; it is made if missing.
        rows: Lines of e-commerce transactions to aim at; the other datasets scale with it.
        seed: Chooses one of many equally likely samples.
        on_progress: Is called with a few words now and then.

    Raises:
        SettingsError: Rows or seed are out of range, or there are files in the way.
    """
    plan = Plan(rows, seed)
    _refuse_to_mix(out)
    partial = out / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    world = World.draw(plan, partial, on_progress or _silent)
    rates = _write_datasets(world)
    _write_truth(world, rates)
    summary = _summary(world, out)
    _move_into_place(partial, out)
    return summary


def _silent(_: str) -> None:
    """Tell nobody."""


def _refuse_to_mix(out: Path) -> None:
    for name in (*CONTRACTS, TRUTH):
        if any(not path.name.startswith(".") for path in (out / name).glob("*")):
            message = f"{out / name} already holds files, and sample data would mix with them."
            raise SettingsError(message, "Choose an empty folder, or move these files away.")


def _write_datasets(world: World) -> dict[str, float]:
    write_catalogue(world)
    return {
        "superstore_sales": write_superstore(world),
        "ecommerce_transactions": write_ecommerce(world),
        "retail_analytics": write_retail(world),
    }


def _write_truth(world: World, rates: dict[str, float]) -> None:
    folder = world.folder / TRUTH
    folder.mkdir()
    world.truth.parameters |= _parameters(rates)
    about = {"rows": world.plan.rows, "seed": world.plan.seed, "as_of": WORLD_END.isoformat()}
    world.truth.write(folder / "truth.json", about)
    pq.write_table(customers_table(world.customers, rates), folder / "customers.parquet")
    pq.write_table(products_table(world.products), folder / "products.parquet")


def _parameters(rates: dict[str, float]) -> dict[str, Any]:
    return {
        "pareto_nbd": {
            "unit": "day",
            "s": people.DEATH_SHAPE,
            "beta": people.DEATH_SCALE_DAYS,
            "r": people.RATE_SHAPE,
            "alpha": {dataset: people.RATE_SHAPE / rate for dataset, rate in rates.items()},
            "note": "Purchases are Poisson in operational time, whose mean speed over the world's days is 1.",
        },
        "gamma_gamma": {
            "p": people.SPEND_SHAPE,
            "q": people.SPEND_HETEROGENEITY,
            "v": people.SPEND_SCALE,
            "note": "Exact for amount_spent in retail; baskets of the shop aim at spend in whole pieces, "
            f"business orders at {SPEND_FACTOR:g} times spend, with at most a few pieces of a product.",
        },
    }


def _summary(world: World, out: Path) -> SampleSummary:
    files = {name: sorted((world.folder / name).iterdir()) for name in CONTRACTS}
    return SampleSummary(
        out=out,
        files={name: len(paths) for name, paths in files.items()},
        lines=world.truth.lines,
        bytes_written=sum(path.stat().st_size for paths in files.values() for path in paths),
        truth=out / TRUTH / "truth.json",
    )


def _move_into_place(partial: Path, out: Path) -> None:
    """Move all files, the truth last."""
    for name in (*CONTRACTS, TRUTH):
        (out / name).mkdir(exist_ok=True)
        for path in sorted((partial / name).iterdir()):
            path.replace(out / name / path.name)
    shutil.rmtree(partial)
