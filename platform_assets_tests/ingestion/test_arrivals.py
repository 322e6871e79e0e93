import os
from pathlib import Path

import pytest

from platform_assets.config import DatasetSettings
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.pandas import PandasEngine
from platform_assets.errors import PlatformError
from platform_assets.ingestion.arrivals import Arrivals, arrivals, next_cursor
from platform_assets.ingestion.landing import look
from platform_assets.lake.table import Table

RETAIL = CONTRACTS["retail_analytics"]
GOOD = "customer_id,purchase_date,channel,amount_spent\nc,2024-01-01,Store,1\n"


class Landscape:
    """One dataset's folder and its raw table."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "raw"
        self.folder.mkdir()
        self.tables = Table(root / "rows"), Table(root / "rejects")

    def write(self, name: str, text: str = GOOD) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def read(self) -> None:
        landing = look(RETAIL, self.folder, DatasetSettings(), self.tables, PandasEngine())
        landing.rejects.publish(self.tables[1])
        landing.rows.publish(self.tables[0])

    def seen(self) -> Arrivals:
        return arrivals({"retail": self.folder}, {"retail": self.tables[0]})


@pytest.fixture
def zone(tmp_path: Path) -> Landscape:
    return Landscape(tmp_path)


def test_new_changed_and_removed_files_are_news_and_read_ones_are_not(zone: Landscape) -> None:
    for name in ("same.csv", "changed.csv", "gone.csv"):
        zone.write(name)
    assert zone.seen().news == ("retail/changed.csv", "retail/gone.csv", "retail/same.csv")
    zone.read()
    assert zone.seen().news == ()

    zone.write("changed.csv", GOOD + "d,2024-01-01,Store,1\n")
    (zone.folder / "gone.csv").unlink()
    zone.write("new.csv")

    assert zone.seen().news == ("retail/changed.csv", "retail/gone.csv", "retail/new.csv")


def test_a_refused_file_is_no_news_once_it_was_looked_at(zone: Landscape) -> None:
    zone.write("bad.csv", "")
    zone.read()

    assert zone.seen().news == ()


def test_a_refused_file_that_was_taken_away_is_news(zone: Landscape) -> None:
    bad = zone.write("bad.csv", "")
    zone.read()
    bad.unlink()

    assert zone.seen().news == ("retail/bad.csv",)
    zone.read()
    assert zone.seen().news == ()


def test_a_file_that_was_only_touched_is_no_news_after_one_more_look(zone: Landscape) -> None:
    path = zone.write("a.csv")
    zone.read()
    os.utime(path, ns=(1, 1))
    assert zone.seen().news == ("retail/a.csv",)

    zone.read()

    assert zone.seen().news == ()


def test_files_on_their_way_are_not_seen(zone: Landscape) -> None:
    zone.write("a.csv.part")
    zone.write(".hidden.csv")

    assert zone.seen().news == ()


def test_the_digest_changes_with_any_file_and_with_nothing_else(zone: Landscape) -> None:
    path = zone.write("a.csv")
    first = zone.seen().digest

    assert zone.seen().digest == first
    path.write_text(GOOD + "x", encoding="utf-8")
    assert zone.seen().digest != first


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("x", encoding="utf-8")

    with pytest.raises(PlatformError):
        arrivals({"retail": tmp_path / "raw"}, {"retail": Table(tmp_path / "t")})


# What follows from a look


def run_keys(*looks: Arrivals) -> list[str]:
    """The key of the run each look starts, empty for none."""
    cursor, keys = None, []
    for seen in looks:
        decision = next_cursor(cursor, seen)
        assert decision.starts_run == bool(decision.run_key) == (not decision.reason)
        cursor = decision.cursor
        keys.append(decision.run_key)
    return keys


def state(digest: str, *news: str) -> Arrivals:
    return Arrivals(digest, news)


def test_a_run_starts_at_the_second_look_that_finds_the_same_files_and_only_once() -> None:
    new = state("x", "retail/a.csv")

    assert run_keys(new, new, new, new) == ["", "landing-x", "", ""]


def test_a_file_that_is_still_growing_starts_nothing() -> None:
    growing = [state(str(size), "retail/a.csv") for size in range(4)]

    assert run_keys(*growing, growing[-1]) == ["", "", "", "", "landing-3"]


def test_without_news_nothing_starts() -> None:
    assert run_keys(state("x"), state("x"), state("y")) == ["", "", ""]


def test_news_after_a_run_start_another() -> None:
    first, done, second = state("x", "a"), state("x"), state("y", "b")

    assert run_keys(first, first, done, second, second) == ["", "landing-x", "", "", "landing-y"]


def test_a_run_that_failed_is_not_started_over_and_over_for_the_same_files() -> None:
    same = state("x", "a")

    assert run_keys(*[same] * 6).count("landing-x") == 1


def test_the_reason_for_waiting_is_told() -> None:
    assert "completely written" in next_cursor(None, state("x", "a")).reason
    assert "nothing new" in next_cursor(None, state("x")).reason
