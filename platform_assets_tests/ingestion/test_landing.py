import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from platform_assets.config import DatasetSettings
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.pandas import PandasEngine
from platform_assets.errors import PlatformError
from platform_assets.ingestion import chunks as chunks_module
from platform_assets.ingestion import landing as landing_module
from platform_assets.ingestion.discovery import content_hash
from platform_assets.ingestion.landing import REFUSED, Landing, look
from platform_assets.ingestion.reading import read_file
from platform_assets.lake.table import Table

RETAIL = CONTRACTS["retail_analytics"]
ENGINE = PandasEngine()
HEADER = "customer_id,purchase_date,channel,amount_spent\n"


class Zone:
    """A dataset's folder and the two tables that reading it fills."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "raw"
        self.folder.mkdir()
        self.tables = Table(root / "rows"), Table(root / "rejects")

    def write(self, name: str, *amounts: str, text: str | bytes | None = None) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = HEADER + "".join(f"c,2024-01-01,Store,{amount}\n" for amount in amounts)
        content = lines if text is None else text
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def look(self, settings: DatasetSettings | None = None) -> Landing:
        landing = look(RETAIL, self.folder, settings or DatasetSettings(), self.tables, ENGINE)
        landing.rejects.publish(self.tables[1])
        landing.rows.publish(self.tables[0])
        return landing

    def rows(self) -> list[tuple[str, str]]:
        return sorted((row["_source_file"], row["amount_spent"]) for row in self._live(self.tables[0]))

    def rejects(self) -> list[tuple[str, int]]:
        return sorted((row["_source_file"], row["_source_row"]) for row in self._live(self.tables[1]))

    @staticmethod
    def _live(table: Table) -> Iterator[dict[str, Any]]:
        for part in table.parts(table.snapshot()):
            for row in pq.read_table(part.path).to_pylist():
                if part.keep is None or row["_source_file"] in part.keep:
                    yield row


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    return Zone(tmp_path)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content was hashed."""
    names: list[str] = []

    def counting(path: Path) -> str:
        names.append(path.name)
        return content_hash(path)

    monkeypatch.setattr(landing_module, "content_hash", counting)
    monkeypatch.setattr(chunks_module, "content_hash", counting)
    return names


def test_every_file_is_read_once_with_its_lines(zone: Zone) -> None:
    zone.write("a.csv", "1", "2")
    zone.write("2024/b.csv", "3")

    landing = zone.look()

    assert (landing.read, landing.unchanged) == ({"a.csv": 2, "2024/b.csv": 1}, 0)
    assert zone.rows() == [("2024/b.csv", "3"), ("a.csv", "1"), ("a.csv", "2")]


def test_an_unchanged_file_is_neither_read_nor_hashed_again(zone: Zone, hashed: list[str]) -> None:
    zone.write("a.csv", "1")
    zone.look()
    hashed.clear()

    landing = zone.look()

    assert (landing.read, landing.unchanged, landing.rows.is_news, landing.rejects.is_news) == ({}, 1, False, False)
    assert hashed == []


def test_a_file_that_was_only_touched_is_told_by_its_content_and_hashed_once(zone: Zone, hashed: list[str]) -> None:
    path = zone.write("a.csv", "1")
    before = zone.look().rows.snapshot.ids
    os.utime(path, ns=(1, 1))

    touched = zone.look()
    hashed.clear()
    again = zone.look()

    assert (touched.read, touched.unchanged, touched.rows.snapshot.ids) == ({}, 1, before)
    assert (again.unchanged, again.rows.is_news, hashed) == (1, False, [])
    assert zone.rows() == [("a.csv", "1")]


def test_a_new_file_beside_known_ones_is_read_alone(zone: Zone, hashed: list[str]) -> None:
    zone.write("a.csv", "1")
    zone.look()
    hashed.clear()
    zone.write("b.csv", "2")

    landing = zone.look()

    assert (landing.read, landing.unchanged, set(hashed)) == ({"b.csv": 1}, 1, {"b.csv"})
    assert zone.rows() == [("a.csv", "1"), ("b.csv", "2")]


def test_a_changed_file_replaces_exactly_its_rows(zone: Zone) -> None:
    zone.write("a.csv", "1", "2")
    zone.write("b.csv", "3")
    zone.look()
    zone.write("a.csv", "10")

    landing = zone.look()

    assert landing.read == {"a.csv": 1}
    assert zone.rows() == [("a.csv", "10"), ("b.csv", "3")]


def test_a_change_that_keeps_size_and_time_of_writing_is_seen(zone: Zone) -> None:
    path = zone.write("a.csv", "1")
    status = path.stat()
    zone.look()
    zone.write("a.csv", "2")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert zone.look().read == {"a.csv": 1}
    assert zone.rows() == [("a.csv", "2")]


def test_a_removed_file_takes_its_rows_and_rejects_along(zone: Zone) -> None:
    zone.write("a.csv", "1")
    gone = zone.write("b.csv", "2", text=HEADER + "c,2024-01-01,Store,2\nonly,three,cells\n")
    zone.look()
    assert zone.rejects() == [("b.csv", 3)]
    gone.unlink()

    landing = zone.look()

    assert (landing.removed, landing.read) == (("b.csv",), {})
    assert (zone.rows(), zone.rejects()) == ([("a.csv", "1")], [])


def test_a_renamed_file_is_the_same_rows_under_another_name(zone: Zone) -> None:
    zone.write("a.csv", "1").rename(zone.folder / "z.csv")
    zone.look()
    (zone.folder / "z.csv").rename(zone.folder / "a.csv")

    landing = zone.look()

    assert (landing.removed, landing.read) == (("z.csv",), {"a.csv": 1})
    assert zone.rows() == [("a.csv", "1")]


def test_a_refused_file_is_noted_with_its_reason_and_not_read_again(zone: Zone, hashed: list[str]) -> None:
    zone.write("a.csv", "1")
    zone.write("bad.csv", text="customer_id,when\nc,now\n")
    landing = zone.look()
    assert list(landing.refused) == ["bad.csv"]
    assert "purchase_date" in landing.refused["bad.csv"]
    hashed.clear()

    again = zone.look()

    assert (again.refused, again.unchanged, again.rows.is_news, hashed) == ({}, 2, False, [])
    assert list(again.rows.snapshot.attributes[REFUSED]) == ["bad.csv"]
    assert zone.rows() == [("a.csv", "1")]


def test_a_refused_file_that_was_corrected_is_read(zone: Zone) -> None:
    zone.write("a.csv", text="")
    zone.look()
    zone.write("a.csv", "1")

    landing = zone.look()

    assert (landing.read, landing.rows.snapshot.attributes[REFUSED]) == ({"a.csv": 1}, {})


def test_a_refused_file_that_is_gone_is_forgotten(zone: Zone) -> None:
    path = zone.write("a.csv", text="")
    zone.look()
    path.unlink()

    landing = zone.look()

    assert (landing.rows.is_news, landing.rows.snapshot.attributes[REFUSED]) == (True, {})


def test_a_good_file_that_becomes_a_wrong_one_loses_its_rows(zone: Zone) -> None:
    zone.write("a.csv", "1")
    zone.look()
    zone.write("a.csv", text=b"\x00\x01\x02\x03" * 100)

    landing = zone.look()

    assert list(landing.refused) == ["a.csv"]
    assert zone.rows() == []


def test_a_link_that_leads_out_of_the_folder_is_refused_unopened(zone: Zone, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(HEADER + "c,2024-01-01,Store,1\n", encoding="utf-8")
    (zone.folder / "link.csv").symlink_to(secret)

    landing = zone.look()

    assert list(landing.refused) == ["link.csv"]
    assert zone.rows() == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_of_another_encoding_gives_the_same_rows(zone: Zone, encoding: str) -> None:
    zone.write("a.csv", text=(HEADER + "Müller,2024-01-01,Café,“5”\n").encode(encoding))

    landing = zone.look()

    (piece,) = landing.rows.snapshot.slices.values()
    (part,) = zone.tables[0].parts(zone.tables[0].snapshot())
    (row,) = pq.read_table(part.path).to_pylist()
    assert (row["customer_id"], row["channel"]) == ("Müller", "Café")
    assert piece.facts["encoding"]


def test_another_date_format_in_the_settings_reads_the_dataset_again(zone: Zone) -> None:
    zone.write("a.csv", text=HEADER + "c,03/04/2024,Store,1\n")
    refused = zone.look()
    assert "purchase_date" in refused.refused["a.csv"]

    landing = zone.look(DatasetSettings(date_formats={"purchase_date": "mdy/4"}))

    assert landing.read == {"a.csv": 1}
    facts = landing.rows.snapshot.slices["a.csv"].facts
    assert facts["readings"]["purchase_date"]["order"] == "mdy"


def test_what_is_known_about_a_file_is_kept_beside_it(zone: Zone) -> None:
    path = zone.write("a.csv", text="Customer;Date;sales_channel;spend;mood\nc;31.12.2023;Store;1,5;good\nx;y\n")

    facts = zone.look().rows.snapshot.slices["a.csv"].facts

    assert (facts["rows_read"], facts["rows_rejected"], facts["rows"]) == (2, 1, 1)
    assert facts["columns"] == ["amount_spent", "channel", "customer_id", "purchase_date"]
    assert (facts["unknown_columns"], facts["delimiter"]) == (["mood"], ";")
    assert facts["readings"]["amount_spent"]["decimal"] == ","
    assert (facts["bytes"], facts["arrived_ns"]) == (path.stat().st_size, path.stat().st_mtime_ns)


def test_a_file_that_changes_while_it_is_read_keeps_its_old_rows_until_the_next_look(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.write("a.csv", "1")
    zone.look()
    zone.write("a.csv", "2")

    def read_while_written(file: Any, *more: Any) -> Any:
        reader = read_file(file, *more)
        with file.path.open("a") as stream:
            stream.write("c,2024-01-01,Store,3\n")
        return reader

    with monkeypatch.context() as patched:
        patched.setattr(chunks_module, "read_file", read_while_written)
        landing = zone.look()

    assert (landing.unfinished, landing.read) == (("a.csv",), {})
    assert zone.rows() == [("a.csv", "1")]
    assert zone.look().read == {"a.csv": 2}
    assert zone.rows() == [("a.csv", "2"), ("a.csv", "3")]


@pytest.mark.parametrize("text", ["", HEADER + "c,2024-01-01,Store,2\n"], ids=["refused", "read"])
def test_a_file_that_goes_away_while_it_is_read_is_left_to_the_next_look(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    zone.write("a.csv", "1")
    zone.look()
    zone.write("a.csv", text=text)

    def hash_and_lose(path: Path) -> str:
        found = content_hash(path)
        path.unlink()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(chunks_module, "content_hash", hash_and_lose)
        landing = zone.look()

    assert (landing.unfinished, landing.read, landing.refused) == (("a.csv",), {}, {})
    assert zone.rows() == [("a.csv", "1")]
    assert zone.look().removed == ("a.csv",)


def test_a_folder_that_does_not_exist_is_an_empty_one(tmp_path: Path) -> None:
    tables = Table(tmp_path / "rows"), Table(tmp_path / "rejects")

    landing = look(RETAIL, tmp_path / "nowhere", DatasetSettings(), tables, ENGINE)

    assert (landing.rows.is_news, landing.unchanged) == (False, 0)


def test_something_that_is_no_folder_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("x", encoding="utf-8")
    tables = Table(tmp_path / "rows"), Table(tmp_path / "rejects")

    with pytest.raises(PlatformError, match="is not a folder"):
        look(RETAIL, tmp_path / "raw", DatasetSettings(), tables, ENGINE)


def test_progress_is_told_before_each_file(zone: Zone) -> None:
    zone.write("a.csv", "1")
    zone.write("b.csv", "1")
    told: list[tuple[str, int, int]] = []

    look(RETAIL, zone.folder, DatasetSettings(), zone.tables, ENGINE, on_file=lambda *what: told.append(what))

    assert told == [("a.csv", 0, 2), ("b.csv", 1, 2)]


def test_a_look_that_is_never_published_leaves_no_trace(zone: Zone) -> None:
    zone.write("a.csv", "1")
    look(RETAIL, zone.folder, DatasetSettings(), zone.tables, ENGINE)

    assert zone.rows() == []
    assert zone.look().read == {"a.csv": 1}


def test_a_run_killed_between_rejects_and_rows_is_made_up_for_by_the_next(zone: Zone) -> None:
    zone.write("a.csv", text=HEADER + "c,2024-01-01,Store,1\nshort,line\n")
    landing = look(RETAIL, zone.folder, DatasetSettings(), zone.tables, ENGINE)
    landing.rejects.publish(zone.tables[1])

    zone.look()

    assert (zone.rows(), zone.rejects()) == ([("a.csv", "1")], [("a.csv", 3)])
