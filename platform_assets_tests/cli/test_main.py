"""The command line's options, messages and exit codes."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from platform_assets.cli import main as command_line
from platform_assets.cli.main import main
from platform_assets.errors import PlatformError
from platform_assets.settings import Settings


class Seen:
    """Stands where a command is, and keeps the settings it was given."""

    settings: Settings | None = None

    def __call__(self, _options: object, settings: Settings) -> int:
        self.settings = settings
        return 3


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Seen:
    seen = Seen()
    monkeypatch.setattr(command_line, "_run", seen)
    return seen


def test_options_become_the_settings_of_the_command_and_its_exit_code_is_passed_on(run: Seen, tmp_path: Path) -> None:
    options = ["--home", f"{tmp_path}/h", "--raw", f"{tmp_path}/r", "--engine", "pandas", "--as-of", "2011-12-09"]
    assert main(["run", *options]) == 3
    assert run.settings is not None
    assert run.settings.home == tmp_path / "h"
    assert run.settings.raw == tmp_path / "r"
    assert run.settings.engine == "pandas"
    assert run.settings.as_of == date(2011, 12, 9)


def test_without_options_the_environment_decides(run: Seen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path))
    main(["run"])
    assert run.settings is not None
    assert run.settings.home == tmp_path


def test_a_wrong_value_is_explained_in_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--as-of", "yesterday"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: PLATFORM_AS_OF is 'yesterday', which is not a date."
    assert "YYYY-MM-DD" in second


@pytest.mark.parametrize(("error", "code"), [(PlatformError("wrong", "do this"), 1), (KeyboardInterrupt(), 130)])
def test_an_expected_end_has_its_exit_code_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    def fail(_options: object, _settings: Settings) -> int:
        raise error

    monkeypatch.setattr(command_line, "_run", fail)
    assert main(["run"]) == code
    assert capsys.readouterr().err == ("error: wrong\ndo this\n" if code == 1 else "")


def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "_run", lambda _options, _settings: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["run"])


@pytest.mark.parametrize("arguments", [[], ["nix"], ["run", "--nix"], ["sql"], ["up", "--port", "x"]])
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: ./platform" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["run", "bench", "generate", "up", "status", "down", "sql", "scorecard", "quarantine", "drift", "contracts"],
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: ./platform {command}" in capsys.readouterr().out


def test_asking_for_help_costs_no_heavy_import() -> None:
    heavy = ["dagster", "pandas", "pyarrow", "duckdb", "sqlalchemy"]
    program = f"""
import sys
from platform_assets.cli.main import main
try:
    main(["--help"])
finally:
    print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_status_of_a_fresh_home_says_that_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--home", str(tmp_path / "home")]) == 0
    assert "not running" in capsys.readouterr().out
    assert main(["down", "--home", str(tmp_path / "home")]) == 0
    assert capsys.readouterr().out == "Nothing was running.\n"
    assert not (tmp_path / "home").exists()


def test_generate_writes_the_four_datasets_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--rows", "1000", "--seed", "1", "--out", str(tmp_path / "raw")]) == 0
    told = capsys.readouterr().out
    for dataset in ("ecommerce_transactions", "superstore_sales", "product_catalog", "retail_analytics"):
        assert dataset in told
        assert any((tmp_path / "raw" / dataset).iterdir())
