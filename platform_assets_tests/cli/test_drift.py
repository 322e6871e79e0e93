from dataclasses import replace
from pathlib import Path

import pytest

from platform_assets.cli.main import EXIT_ERROR, main
from platform_assets.lake.table import Table
from platform_assets.quality.deliveries import History, Metric, history_of, with_history
from platform_assets_tests.quality.profiling import history_of_profiles, profile

FOUND = Metric(
    family="nulls_as_usual",
    column="region",
    name="missing_share",
    value=0.5,
    low=0.0,
    high=0.125,
    is_outside=True,
    text="region: 500 of 1,000 cells are empty (50.0%); usually 0.0% to 12.5%",
)
USUAL = Metric(family="volume_as_usual", column="", name="rows", value=1000, low=900, high=1100)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """The deliveries of a dataset: one good, then one with too many empty cells."""
    history = history_of_profiles([profile(1000), profile(1000)])
    last = replace(history.deliveries[1], metrics=(FOUND, USUAL))
    table = Table(tmp_path / "lake" / "deliveries" / "superstore_sales")
    table.publish(with_history(table.snapshot(), History(deliveries=(history.deliveries[0], last))))
    return table


def drift(home: Path, *words: str) -> int:
    return main(["drift", "--home", str(home), *words])


def test_without_a_dataset_what_is_not_as_usual_is_shown(
    tmp_path: Path, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drift(tmp_path) == 0

    told = capsys.readouterr().out
    assert table.snapshot().version == 1
    assert FOUND.text in told
    assert "volume_as_usual" not in told
    assert "product_catalog: no deliveries yet" in told


def test_a_dataset_is_shown_in_full_with_value_band_and_verdict(
    tmp_path: Path, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drift(tmp_path, "superstore_sales") == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table.snapshot().version == 1
    assert ["nulls_as_usual", "region", "missing_share", "50.0%", "0.0%", "to", "12.5%", "warn"] in lines
    assert ["volume_as_usual", "rows", "1,000", "900", "to", "1,100", "pass"] in lines


def test_accepting_keeps_the_reason(tmp_path: Path, table: Table) -> None:
    assert drift(tmp_path, "accept", "superstore_sales", "--why", "regions were dropped") == 0

    last = history_of(table.snapshot()).deliveries[-1]
    assert (last.is_incident, last.accepted_why) == (False, "regions were dropped")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("nonsense",), "There is no dataset nonsense."),
        (("accept",), "drift accept needs one dataset."),
        (("accept", "nonsense", "--why", "x"), "There is no dataset nonsense."),
        (("accept", "superstore_sales", "--why", " "), "An accepted delivery needs a reason."),
        (("accept", "product_catalog", "--why", "x"), "There is no delivery that was unlike those before it."),
        (("superstore_sales", "--why", "x"), "drift takes --why with accept only."),
        (("superstore_sales", "product_catalog"), "drift takes one dataset, not 2."),
    ],
)
def test_what_cannot_be_done_is_an_error_that_says_why(
    tmp_path: Path, table: Table, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], problem: str
) -> None:
    assert drift(tmp_path, *words) == EXIT_ERROR

    assert f"error: {problem}" in capsys.readouterr().err
    assert table.snapshot().version == 1
