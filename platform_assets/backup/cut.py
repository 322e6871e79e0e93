"""What of the lake belongs to a backup: the versions that pointers name, and the segments those name.

Belongs here: looking at the lake and finding the files of one look. Does not belong here: copying them (``making``).

Segments are never changed once they are written, and stay for an hour after nothing names them. Versions are changed
by an erasure only. So a look at all pointers and their versions is a look at the whole lake, if a second one finds the
same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from platform_assets.backup.faults import DamagedBackupError, MovedError
from platform_assets.backup.manifest import MadeOf
from platform_assets.lake.segments import parquet_files, segment_rows
from platform_assets.lake.table import ACCEPTED, CURRENT, Table
from platform_assets.warehouse.star.fact_slices import fact_slice_id

SALES = "core/sales"
SALES_FACTS = "warehouse.fct_sales"


@dataclass(frozen=True)
class Look:
    """The lake at one moment, if the next look is equal.

    Attributes:
        pointers: File name of the version, by table and pointer: ``core/sales/current``.
        versions: Those versions as they are written, by path in the lake.
    """

    pointers: dict[str, str]
    versions: dict[str, bytes]

    def version(self, pointer: str) -> Mapping[str, Any]:
        """The version that a pointer names.

        Raises:
            DamagedBackupError: It is not one.
        """
        path = _version_path(pointer, self.pointers[pointer])
        try:
            data: dict[str, Any] = json.loads(self.versions[path])
        except ValueError:
            problem = f"{path} of the lake is not a version of a table."
            raise DamagedBackupError(problem, "Restore the lake from a backup.") from None
        return data


def look(lake: Path) -> Look:
    """What every pointer names now.

    Raises:
        MovedError: A pointer moved on during the look.
    """
    paths = [path / name for path in sorted(lake.glob("*/*")) for name in (CURRENT, ACCEPTED)]
    pointers = {
        path.relative_to(lake).as_posix(): path.read_text(encoding="utf-8").strip() for path in paths if path.is_file()
    }
    try:
        names = {_version_path(pointer, version) for pointer, version in pointers.items()}
        return Look(pointers, {name: (lake / name).read_bytes() for name in sorted(names)})
    except FileNotFoundError as error:
        raise MovedError(f"{error.filename} is gone.", "Try again.") from None


def segment_files(lake: Path, found: Look) -> dict[str, Path]:
    """The Parquet files of all versions in a look, by path in the lake.

    Raises:
        MovedError: The lake has moved on so far that some are gone.
    """
    files: dict[str, Path] = {}
    for pointer in found.pointers:
        folder = lake / Path(pointer).parent / "segments"
        for segment in _segments(found.version(pointer)):
            files |= {file.relative_to(lake).as_posix(): file for file in parquet_files(folder / segment)}
    if gone := [name for name, path in files.items() if not path.is_file()]:
        raise MovedError(f"{len(gone)} files of the lake are gone, {gone[0]} for example.", "Try again.")
    return files


def sold_datasets(found: Look) -> list[str]:
    """The datasets that have sales in the lake."""
    return sorted({key.split("/", 1)[0] for key in _sales(found)})


def waiting_files(found: Look, ledger: Mapping[str, str], made_of: MadeOf) -> tuple[str, ...]:
    """Files whose sales the lake has in another version than the warehouse, or only one of the two has.

    Args:
        found: A look at the lake.
        ledger: Ids of the facts that the warehouse has loaded, by dataset and file.
        made_of: What else than the lake's lines those ids stand for.
    """
    wanted = {
        key: fact_slice_id(piece["id"], made_of.currencies[key.split("/", 1)[0]], made_of.facts_by)
        for key, piece in _sales(found).items()
    }
    return tuple(sorted(key for key in wanted.keys() | ledger.keys() if wanted.get(key) != ledger.get(key)))


def lake_problems(lake: Path, pointers: Mapping[str, str]) -> list[str]:
    """What is wrong with a lake that was taken out of a backup: versions and Parquet files that cannot be read."""
    problems = []
    for pointer, version in pointers.items():
        table, name = Table(lake / Path(pointer).parent), Path(pointer).name
        try:
            if (table.root / name).read_text(encoding="utf-8") != version:
                problems.append(f"lake/{pointer} does not name version {version}")
            snapshot = table.snapshot(name)
            for segment in _segments({"holds": snapshot.holds, "attributes": snapshot.attributes}):
                segment_rows(table.segments / segment)
        except (OSError, ValueError, KeyError, TypeError, IndexError, pa.ArrowException) as error:
            problems.append(f"lake/{pointer} cannot be read: {error}")
    return problems


def _sales(found: Look) -> Mapping[str, Any]:
    """The slices of the sales, by dataset and file."""
    pointer = f"{SALES}/{CURRENT}"
    slices: Mapping[str, Any] = found.version(pointer)["slices"] if pointer in found.pointers else {}
    return slices


def _version_path(pointer: str, version: str) -> str:
    return f"{Path(pointer).parent.as_posix()}/versions/{version}"


def _segments(version: Mapping[str, Any]) -> list[str]:
    return [*version["holds"], *version["attributes"].get("extra_segments", [])]
