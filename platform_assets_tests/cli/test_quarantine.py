"""The file of corrected rows: what is written is read back exactly, and nothing of a faulty one is taken."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from platform_assets.cli.main import main
from platform_assets.cli.quarantine_files import CorrectionError, read_rows, write_rows
from platform_assets.cli.quarantine_plan import Plan, plan
from platform_assets.cli.quarantine_tables import print_line
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.quality.corrections import Place
from platform_assets.settings import Settings
from platform_assets.warehouse.quality.quarantine_records import Event, Line
from platform_assets_tests.deliveries import Deliveries

RETAIL = CONTRACTS["retail_analytics"]
HEADER = "_dataset,_source_file,_source_row,_kind,_reasons,_content,_raw,customer_id,amount_spent"
RAW = b"""customer_id,purchase_date,channel,amount_spent
c1,2024-01-01,Store,10
c2,2024-01-02,Store,-7
c3,2024-01-03,Store,
c4,2024-01-04
"""


def line(row: int = 3, **changes: Any) -> Line:
    values: dict[str, Any] = {
        "dataset": "retail_analytics",
        "source_file": "a.csv",
        "source_row": row,
        "kind": "row",
        "reasons": "amount_spent_not_negative",
        "raw": "c2,2024-01-02,Store,-7,,",
        "content_hash": "0123456789abcdef",
        "status": "pending",
        "attempts": 0,
        "first_seen_at": datetime(2024, 2, 1, tzinfo=UTC),
    }
    return Line(**{**values, **changes})


def edited(folder: Path, rows: Sequence[str], header: str = HEADER) -> Path:
    path = folder / "rows.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def row(place: int, amount: str = "7", *, customer: str = "c2", content: str = "", file: str = "a.csv") -> str:
    return f"retail_analytics,{file},{place},row,why,{content},,{customer},{amount}"


@dataclasses.dataclass
class Case:
    """A landed file with its lines in quarantine: 3 and 4 are rows, 5 could not be taken apart."""

    settings: Settings
    lines: dict[Place, Line]
    deliveries: Deliveries

    def plan(self, path: Path) -> Plan:
        return plan(self.settings, read_rows(path, None), self.lines)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    deliveries = Deliveries(tmp_path, DuckDBEngine(tmp_path / "scratch"))
    deliveries.deliver(RETAIL, "a.csv", RAW)
    deliveries.deliver(RETAIL, "torn.csv", b"a,b\n1,2\n")
    deliveries.process(RETAIL)
    content = deliveries.table("raw", RETAIL).snapshot().slices["a.csv"].facts["content_hash"]
    found = [Line(**{**vars(line()), **one, "content_hash": content}) for one in deliveries.quarantine(RETAIL)]
    assert sorted((one.source_row, one.kind) for one in found) == [(0, "file"), (3, "row"), (4, "row"), (5, "line")]
    settings = dataclasses.replace(Settings.from_environment({}), home=tmp_path)
    return Case(settings, {one.place: one for one in found}, deliveries)


CELLS = {
    "customer_id": "=cmd|' /C calc'!A0",
    "channel": 'a "quoted", one',
    "amount_spent": "-1.234,50 €",
    "purchase_date": "  1/2/2024 ",
    "items_purchased": "line\nend\r\nanother\rthird",
    "avg_item_price": "\u00e9\u2028\t0x",
}


def test_cells_are_written_and_read_back_exactly_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    torn = line(5, kind="line", raw='x,"y', reasons="an open quote")

    assert write_rows(path, RETAIL, [line(), torn], {("a.csv", 3): CELLS}) == 2

    found = read_rows(path, None)
    assert found.dataset == "retail_analytics"
    assert [(one.place, one.content) for one in found.rows] == [
        (("a.csv", 3), "0123456789ab"),
        (("a.csv", 5), "0123456789ab"),
    ]
    assert found.rows[0].cells == {name: CELLS[name] for name in RETAIL.column_names}
    assert set(found.rows[1].cells.values()) == {""}
    with path.open(encoding="utf-8-sig", newline="") as source:
        assert [one["_raw"] for one in csv.DictReader(source)] == ["", 'x,"y']


def test_only_its_owner_can_read_what_was_exported(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_rows(path, RETAIL, [line()], {})
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_that_a_spreadsheet_saved_with_another_delimiter_is_read(tmp_path: Path, delimiter: str) -> None:
    text = "_source_file,_source_row,amount_spent\na.csv,3,7\n".replace(",", delimiter)
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")

    (found,) = read_rows(tmp_path / "rows.csv", "retail_analytics").rows

    assert (found.place, found.cells) == (("a.csv", 3), {"amount_spent": "7"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("_dataset,amount_spent\nretail_analytics,7\n", "lacks _source_file, _source_row"),
        (f"{HEADER},_raw\n", "columns more than once: _raw"),
        (f"{HEADER}\n{row(3)},9\n", r"not 9 cells as the header has \(line 2\)"),
        (f"{HEADER}\n{row(3)}\n{row(4)}\n{row(3)}\n", r"several rows for the same line \(line 2\)"),
        (f"{HEADER}\nretail_analytics,a.csv,3.5,,,,,,\n", r"no number in _source_row \(line 2\)"),
        (f"{HEADER}\nretail_analytics,,3,,,,,,\n", r"no file in _source_file or no number in _source_row \(line 2\)"),
        (f"{HEADER}\n{row(3, 'a' + chr(0))}\n", r"cells with the character NUL \(line 2\)"),
        (f"{HEADER},amount\n{row(3)},1\n", "columns that retail_analytics does not know: 'amount'"),
        ("_source_file,_source_row\na.csv,3\n", "does not name its dataset"),
        (f"{HEADER}\n{row(3)}\n{row(4).replace('retail', 'other')}\n", "is of 2 datasets"),
        (f"{HEADER}\n{row(3).replace('retail', 'other')}\n", "There is no dataset 'other_analytics'"),
        (f'{HEADER}\n"x\n', "is not CSV"),
    ],
    ids=[
        "empty",
        "no lineage",
        "a column twice",
        "too many cells",
        "a line twice",
        "no line number",
        "no file",
        "NUL",
        "unknown column",
        "no dataset",
        "two datasets",
        "unknown dataset",
        "an open quote",
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_what_is_wrong_and_where(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match=told):
        read_rows(path, None)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(HEADER.encode() + b"\nretail_analytics,a.csv,3,,,,,\xe9,7\n")
    with pytest.raises(CorrectionError, match="is not UTF-8"):
        read_rows(tmp_path / "rows.csv", None)


def test_a_file_of_another_dataset_than_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorrectionError, match="is of retail_analytics, not of superstore_sales"):
        read_rows(edited(tmp_path, [row(3)]), "superstore_sales")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row(2)], r"not in quarantine \(line 2\)"),
        ([row(3, file="b.csv"), row(9)], r"2 faults, and nothing was changed: not in quarantine \(lines 2, 3\)"),
        ([row(0, file="torn.csv")], r"refused as a whole cannot be corrected by rows \(line 2\)"),
        ([row(3, content="000000000000")], r"the raw file has changed since the export \(line 2\)"),
        ([row(3), row(2), row(0, file="torn.csv")], r"2 faults.*in quarantine \(line 3\); a file refused"),
    ],
    ids=["a good row", "unknown rows", "a refused file", "an old export", "several"],
)
def test_rows_that_cannot_be_corrected_are_all_named_and_nothing_is_written(
    case: Case, tmp_path: Path, rows: list[str], told: str
) -> None:
    with pytest.raises(CorrectionError, match=told):
        case.plan(edited(tmp_path, rows))
    assert not (tmp_path / "lake" / "corrections" / "retail_analytics" / "current").exists()


def test_rows_of_a_raw_file_that_was_read_again_but_not_judged_are_refused(case: Case, tmp_path: Path) -> None:
    case.deliveries.deliver(RETAIL, "a.csv", RAW + b"c5,2024-01-05,Store,1\n")
    case.deliveries.look(RETAIL)
    with pytest.raises(CorrectionError, match=r"changed since it was judged: run \./platform run first \(line 2\)"):
        case.plan(edited(tmp_path, [row(3)]))


def test_cells_that_were_not_touched_stay_as_they_were_and_columns_may_be_left_out(case: Case, tmp_path: Path) -> None:
    todo = case.plan(edited(tmp_path, [row(3), row(4, "", customer="c3"), row(5, "", customer="")]))

    assert (len(todo.deeds), todo.unchanged) == (1, 2)
    assert todo.deeds[0].raw == "c2,2024-01-02,Store,7,,"


def test_a_line_that_could_not_be_taken_apart_is_corrected_cell_by_cell(case: Case, tmp_path: Path) -> None:
    header = "_dataset,_source_file,_source_row,customer_id,purchase_date,channel,amount_spent"
    todo = case.plan(edited(tmp_path, ["retail_analytics,a.csv,5,c4,2024-01-04,Store,3"], header))

    todo.update.publish(todo.table)
    (ledger,) = [one for one in case.deliveries.process(RETAIL).assessment.ledger if one.source_file == "a.csv"]

    assert (ledger.rows, ledger.rows_corrected) == ((4, 0, 2, 0, 2), 1)


def test_corrections_that_were_taken_already_are_nothing_new_also_when_the_row_has_left(
    case: Case, tmp_path: Path
) -> None:
    first = case.plan(edited(tmp_path, [row(3)]))
    first.update.publish(first.table)
    still_there = case.plan(edited(tmp_path, [row(3)]))
    case.lines.pop(("a.csv", 3))
    gone = case.plan(edited(tmp_path, [row(3)]))

    assert [(len(one.deeds), one.unchanged) for one in (first, still_there, gone)] == [(1, 0), (0, 1), (0, 1)]
    with pytest.raises(CorrectionError, match="not in quarantine"):
        case.plan(edited(tmp_path, [row(3, "8")]))


@pytest.mark.parametrize(
    ("changes", "unmask", "shown", "hidden"),
    [
        ({}, False, ["-7", "Store", "•••"], ["c2"]),
        ({}, True, ["-7", "c2"], ["•••"]),
        ({"kind": "line", "raw": "c9,torn"}, False, ["not shown"], ["c9"]),
        ({"kind": "line", "raw": "c9,torn"}, True, ["c9,torn"], []),
    ],
    ids=["row", "row unmasked", "line", "line unmasked"],
)
def test_a_line_is_shown_with_its_history_and_without_what_is_personal(
    changes: dict[str, Any], unmask: bool, shown: list[str], hidden: list[str]
) -> None:
    console = Console(width=100, file=io.StringIO(), record=True)
    moment = datetime(2024, 2, 1, 9, 30, tzinfo=UTC)
    past = Event(event_at=moment, event="discarded", reasons="x", actor="ann", why="[b]test[/b]", run_id=None)

    print_line(line(**changes), [past], RETAIL, console, unmask=unmask)

    text = console.export_text()
    for part in [*shown, "2024-02-01 09:30 UTC  discarded by ann: [b]test[/b]"]:
        assert part in text
    for part in hidden:
        assert part not in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "retail_analytics", "--row", "3"], "--row 3 of which file?"),
        (["show", "nothing"], "There is no dataset 'nothing'."),
        (["list", "nothing"], "There is no dataset 'nothing'."),
        (["discard", "retail_analytics", "--why", "x"], "Which lines?"),
        (["discard", "retail_analytics", "--reason", "x", "--why", " "], "--why is empty"),
        (["discard", "retail_analytics", "--reason", "x", "--why", "y"], "No such lines of retail_analytics"),
        (["export", "retail_analytics", "--out", "x.csv"], "No such lines of retail_analytics"),
        (["replay", "nowhere.csv"], "Cannot read nowhere.csv"),
        (["replay", "--json", "nowhere/x.json"], "There is no folder nowhere"),
    ],
)
def test_a_command_that_makes_no_sense_says_so_and_ends_with_1(
    shared_settings: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["quarantine", *arguments, "--home", str(shared_settings.home)]) == 1
    assert told in capsys.readouterr().err


def test_an_empty_quarantine_is_said_to_be_empty(shared_settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quarantine", "list", "--home", str(shared_settings.home)]) == 0
    assert "Nothing is in quarantine." in capsys.readouterr().out
