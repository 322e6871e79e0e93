"""The main job as a person starts it: a process of its own with the embedded PostgreSQL."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from platform_assets.samples.generate import generate
from platform_assets.settings import CHECKOUT

pytestmark = pytest.mark.integration


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PLATFORM_", "DAGSTER_"))}
    program = [sys.executable, "-m", "platform_assets.cli", *arguments]
    return subprocess.run(program, cwd=CHECKOUT, env=given, capture_output=True, text=True, check=False)


def test_one_command_fills_a_warehouse_that_another_can_query(tmp_path: Path) -> None:
    generate(tmp_path / "raw", 1000, 3)
    truth = json.loads((tmp_path / "raw" / "_truth" / "truth.json").read_text(encoding="utf-8"))
    home = ("--home", str(tmp_path / "home"))
    ran = command("run", *home, "--raw", str(tmp_path / "raw"), "--json", str(tmp_path / "result.json"))
    assert ran.returncode == 0, ran.stderr
    for title in ("Scorecard", "Row ledger", "Warehouse", "Customer segments", "Time", "Where to look next"):
        assert title in ran.stdout
    assert "staging/ecommerce_transactions" in ran.stderr

    asked = "select source_system, count(*) as lines from warehouse.fct_sales group by 1 order by 1"
    answered = command("sql", *home, asked, "--format", "json")
    assert answered.returncode == 0, answered.stderr
    loaded = {
        dataset: sum(file["rows_loaded"] for file in files.values())
        for dataset, files in truth["ledger"].items()
        if dataset != "product_catalog"
    }
    assert {line["source_system"]: line["lines"] for line in json.loads(answered.stdout)} == loaded

    told = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert told["tables"]["warehouse.fct_sales"] == sum(loaded.values())
    assert told["gates"]["superstore_sales"] == {"open": True, "reasons": []}


def test_a_folder_that_does_not_exist_is_named_before_anything_is_done(tmp_path: Path) -> None:
    ran = command("run", "--home", str(tmp_path / "home"), "--json", str(tmp_path / "nowhere" / "result.json"))
    assert ran.returncode == 1
    assert "nowhere" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "home").exists()
