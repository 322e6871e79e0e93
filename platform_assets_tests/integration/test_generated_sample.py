"""The generated sample through the whole platform: what was injected is found, and nothing besides."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.samples.generate import generate
from platform_assets.samples.plan import DEFAULT_ROWS
from platform_assets.transforms.core_sales import SALES_DATASETS
from platform_assets_tests.conftest import ENGINES
from platform_assets_tests.integration.dumps import ask, differences, dump
from platform_assets_tests.integration.running import Home, Homes, Result

pytestmark = pytest.mark.integration


class Sample:
    """A sample, its truth, and the home and result of one run on each engine."""

    def __init__(self, homes: Homes, folder: Path, rows: int, seed: int, spark_url: str) -> None:
        generate(folder, rows=rows, seed=seed)
        self.truth: dict[str, Any] = json.loads((folder / "_truth" / "truth.json").read_text(encoding="utf-8"))
        self.homes: dict[str, Home] = {engine: homes.make(folder, SPARK_REMOTE=spark_url) for engine in ENGINES}
        runs = {engine: home.start("--engine", engine) for engine, home in self.homes.items()}
        self.results: dict[str, Result] = {engine: run.result().succeeded() for engine, run in runs.items()}


@pytest.fixture(scope="module", params=[(DEFAULT_ROWS, 42), (1500, 20240229)], ids=["default", "another-seed"])
def sample(
    request: pytest.FixtureRequest, homes: Homes, tmp_path_factory: pytest.TempPathFactory, spark_url: str
) -> Sample:
    rows, seed = request.param
    return Sample(homes, tmp_path_factory.mktemp("sample") / "raw", rows, seed, spark_url)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_rule_finds_what_was_injected_for_it_and_nothing_else(sample: Sample, engine: str) -> None:
    def broken(dataset: str, rule: str) -> int:
        check = sample.results[engine].checks(dataset)[rule]
        # Files that have just arrived have time until what they refer to is there, too.
        rows: int = check["rows_failed"] + check["rows_pending"]
        return rows

    rules = sample.truth["rules"]
    assert {dataset: {rule: broken(dataset, rule) for rule in rules[dataset]} for dataset in rules} == rules


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dataset", CONTRACTS)
def test_the_ledger_of_every_file_says_what_was_written(sample: Sample, engine: str, dataset: str) -> None:
    lines = sample.results[engine].ledger(dataset)
    truth = sample.truth["ledger"][dataset]
    del lines[""]
    assert lines.keys() == truth.keys()
    wrong = {
        (file, name): (value, lines[file][name])
        for file, entry in truth.items()
        for name, value in entry.items()
        if Decimal(value) != Decimal(lines[file][name])
    }
    assert wrong == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_warehouse_holds_what_the_ledger_says_was_loaded(sample: Sample, engine: str) -> None:
    held = ask(
        sample.homes[engine].dsn,
        "SELECT source_system, source_file, count(*), sum(net_amount) FROM warehouse.fct_sales GROUP BY 1, 2",
    )
    truth = {
        (dataset, file, entry["rows_loaded"], Decimal(entry["amount_loaded"]))
        for dataset in SALES_DATASETS
        for file, entry in sample.truth["ledger"][dataset].items()
        if entry["rows_loaded"]
    }
    assert set(held) == truth


@pytest.mark.parametrize("engine", ENGINES)
def test_every_line_that_was_not_loaded_is_in_quarantine_or_a_duplicate(sample: Sample, engine: str) -> None:
    held = dict(ask(sample.homes[engine].dsn, "SELECT dataset, count(*) FROM quality.quarantine GROUP BY 1"))
    truth = {
        dataset: sum(entry["rows_quarantined"] + entry["rows_rejected"] for entry in files.values())
        for dataset, files in sample.truth["ledger"].items()
    }
    assert held == truth


@pytest.mark.parametrize("engine", ENGINES)
def test_quarantine_names_the_lines_that_were_broken(sample: Sample, engine: str) -> None:
    held = ask(
        sample.homes[engine].dsn,
        "SELECT source_file, source_row FROM quality.quarantine"
        " WHERE dataset = 'ecommerce_transactions' AND reasons LIKE '%quantity_not_zero%'",
    )
    truth = {(file, line) for file, line in sample.truth["where"]["ecommerce_transactions"]["quantity_not_zero"]}
    assert set(held) == truth


def test_all_engines_end_in_the_same_warehouse(sample: Sample) -> None:
    first, *others = (dump(sample.homes[engine].dsn) for engine in ENGINES)
    assert [differences(first, other) for other in others] == [{}] * len(others)
    assert all(first.values())
