"""``sql`` and ``psql``: what a statement's result looks like, and what happens to a wrong statement."""

import csv
import io
import json
import subprocess
import sys

import pytest

from platform_assets.cli.main import main
from platform_assets.settings import Settings

pytestmark = pytest.mark.integration

ROWS = """
select * from (values
    (1, 2297200.8603, 'a, "b"', true, date '2011-12-09', null::int),
    (20, 0.10, '[red]x[/red]', false, date '2011-12-10', 7)) as t(number, amount, words, flag, day, gap)
"""


def run(settings: Settings, *arguments: str) -> int:
    return main([*arguments, "--home", str(settings.home)])


def test_json_keeps_every_digit_and_every_type(shared_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shared_settings, "sql", ROWS, "--format", "json") == 0
    text = capsys.readouterr().out
    assert '"amount": 2297200.8603,' in text
    assert '"amount": 0.10,' in text
    assert json.loads(text)[0] == {
        "number": 1,
        "amount": 2297200.8603,
        "words": 'a, "b"',
        "flag": True,
        "day": "2011-12-09",
        "gap": None,
    }


@pytest.mark.parametrize("value", ["'NaN'::numeric", "'NaN'::float8", "'-Infinity'::float8"])
def test_json_has_null_for_what_it_has_no_number_for(
    shared_settings: Settings, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert run(shared_settings, "sql", f"select {value} as x", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [{"x": None}]


def test_json_of_no_rows_is_an_empty_list(shared_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shared_settings, "sql", "select 1 where false", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_csv_can_be_read_back(shared_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shared_settings, "sql", ROWS, "--format", "csv") == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["number", "amount", "words", "flag", "day", "gap"],
        ["1", "2297200.8603", 'a, "b"', "True", "2011-12-09", ""],
        ["20", "0.10", "[red]x[/red]", "False", "2011-12-10", "7"],
    ]


def test_a_table_shows_values_as_they_are_and_counts_the_rows(
    shared_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shared_settings, "sql", ROWS) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "(2 rows)"
    assert "[red]x[/red]" in lines[-2]
    assert "2297200.8603" in lines[-3]
    assert "null" in lines[-3]


def test_a_table_in_a_pipe_is_as_wide_as_its_values(
    shared_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shared_settings, "sql", "select repeat('x', 300) as a, repeat('y', 300) as b") == 0
    assert f"{'x' * 300}   {'y' * 300}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("select * from warehouse.no_such_table", ["does not exist", "./platform run"]),
        ("selekt 1", ["syntax error"]),
        ("create table made_by_sql (a int)", ["read-only transaction", "./platform psql"]),
    ],
)
def test_a_refused_statement_is_explained_and_the_exit_code_is_1(
    shared_settings: Settings, capsys: pytest.CaptureFixture[str], statement: str, told: list[str]
) -> None:
    assert run(shared_settings, "sql", statement) == 1
    output = capsys.readouterr()
    assert output.out == ""
    for part in told:
        assert part in output.err


def platform(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "platform_assets.cli", *arguments, "--home", str(settings.home)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_psql_opens_the_warehouse_and_takes_its_own_options(shared_settings: Settings) -> None:
    done = platform(shared_settings, "psql", "-At", "-c", "select current_database()")
    assert (done.returncode, done.stdout) == (0, "retail\n")
    done = platform(shared_settings, "psql", "-At", "-d", "dagster", "-c", "select current_database()")
    assert (done.returncode, done.stdout) == (0, "dagster\n")


def test_psqls_exit_code_is_passed_on(shared_settings: Settings) -> None:
    assert platform(shared_settings, "psql", "-c", "selekt").returncode == 1


def test_a_reader_that_has_seen_enough_ends_the_output_quietly(shared_settings: Settings) -> None:
    home = str(shared_settings.home)
    statement = "select repeat('x', 1000) as x from generate_series(1, 5000)"
    command = [sys.executable, "-m", "platform_assets.cli", "sql", statement, "--format", "csv", "--home", home]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"x\n"
        process.stdout.close()
        assert process.stderr.read() == b""
