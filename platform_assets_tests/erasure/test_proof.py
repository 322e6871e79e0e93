"""The proof looks for itself: what it finds was put there by hand."""

import html
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.proof import Column, Found, Person, names_in_lake, scan_home

SHOP = CONTRACTS["ecommerce_transactions"]
NUMBER = Person("17", ("Ann Lee",), "cabc")
WORD = Person("CG-1", ("Ann Lee",))


def shop_line(**cells: str) -> str:
    return ",".join(cells.get(name, "x") for name in SHOP.column_names)


def write(path: Path, **columns: list[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


@pytest.mark.parametrize(
    ("text", "column", "judged"),
    [
        ("17", Column.PERSON, True),
        (" 17.0", Column.PERSON, True),
        ("ann  lee", Column.PERSON, True),
        ("cabc", Column.PERSON, True),
        ("170", Column.PERSON, None),
        ("17", Column.OTHER, False),
        ("17 apples", Column.OTHER, None),
        (shop_line(customer_id="17"), Column.LINE, True),
        (shop_line(quantity="17"), Column.LINE, False),
        ("I1;17;broken", Column.LINE, True),
        ("I1;170;1.17;broken", Column.LINE, None),
        ("17 rows wait", Column.MESSAGE, False),
        ("a.csv was refused: Found: 17, x", Column.MESSAGE, True),
        ("Ann Lee called", Column.MESSAGE, True),
        ("JoAnn Leeds called", Column.MESSAGE, None),
        (json.dumps({"count": 17}), Column.MESSAGE, False),
        (json.dumps({"event": json.dumps({"who": "Ann Lee"})}), Column.MESSAGE, True),
    ],
)
def test_an_id_counts_where_a_person_can_stand(text: str, column: Column, judged: bool | None) -> None:
    assert NUMBER.is_named(text, column) is judged


@pytest.mark.parametrize(("text", "judged"), [("CG-1 has two segments", True), ("ACG-1, CG-11, CG-1-2", None)])
def test_an_id_with_a_letter_is_known_in_every_message(text: str, judged: bool | None) -> None:
    assert WORD.is_named(text, Column.MESSAGE) is judged


def test_every_file_of_a_home_is_looked_through(tmp_path: Path) -> None:
    write(tmp_path / "lake/raw/shop/segments/a.parquet", customer_id=["CG-1", "CG-11", "CG-1"], product_id=["CG-1"] * 3)
    write(tmp_path / "lake/raw/shop/segments/b.parquet/part.parquet", customer_id=["CG-1", None, "x"])
    write(tmp_path / "lake/odd/table/segments/c.parquet", said=[["x", "Ann Lee"], ["y"], None], customer_name=["z"] * 3)
    (tmp_path / "lake/raw/shop/versions").mkdir()
    (tmp_path / "lake/raw/shop/versions/1.json").write_text(json.dumps({"refused": {"reason": "Found: CG-1"}}))
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster/run.log").write_text("one\nAnn Lee\nCG-1 too\n")
    for folder in ("postgres", "keys", "backups"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file.txt").write_text("CG-1")

    found = set(scan_home(tmp_path, tmp_path / "backups", WORD))

    assert found == {
        Found("lake/raw/shop", "customer_id", 3, is_person=True),
        Found("lake/raw/shop", "product_id", 3, is_person=False),
        Found("lake/raw/shop", "text", 1, is_person=True),
        Found("lake/odd/table", "said", 1, is_person=True),
        Found("dagster/run.log", "text", 2, is_person=True),
    }


@pytest.mark.parametrize("name", ["Zoë O'Neil", "李明", 'Ann "Al" Lee', "Dé & Co 😀"])
@pytest.mark.parametrize(
    "written",
    [
        ("notes.json", lambda name: json.dumps({"who": [name.upper()]})),
        ("key.json", lambda name: json.dumps({name: 1})),
        ("events.jsonl", lambda name: json.dumps({"event": json.dumps({"who": f"{name} called"})})),
        ("broken.json", lambda name: "[" + json.dumps({"who": f"line\n{name}"})),
        ("run.log", lambda name: "told " + json.dumps({"who": name})),
        ("repr.log", lambda name: f"told {[name]!a}"),
        ("report.html", lambda name: f"<td>{html.escape(name)}</td>"),
        ("numbers.html", lambda name: "<td>" + "".join(f"&#{ord(letter)};" for letter in name) + "</td>"),
    ],
    ids=lambda written: written[0],
)
def test_a_name_is_found_however_a_program_writes_it(
    tmp_path: Path, name: str, written: tuple[str, Callable[[str], str]]
) -> None:
    (tmp_path / written[0]).write_text(written[1](name), encoding="utf-8")

    found = scan_home(tmp_path, tmp_path / "backups", Person("CG-1", (name,)))

    assert found == [Found(written[0], "text", 1, is_person=True)]


def test_a_name_with_quotes_is_found_in_a_line_and_in_cells(tmp_path: Path) -> None:
    name = 'Ann "Al" Lee'
    quoted = name.replace('"', '""')
    write(tmp_path / "lake/raw/shop/segments/a.parquet", _raw=[f'1,"{quoted}"'], _extra=[json.dumps({"x": name})])
    write(tmp_path / "lake/odd/table/segments/b.parquet", said=[[f"{name} called"]])

    found = set(scan_home(tmp_path, tmp_path / "backups", Person("CG-1", (name,))))

    assert found == {
        Found("lake/raw/shop", "_raw", 1, is_person=True),
        Found("lake/raw/shop", "_extra", 1, is_person=True),
        Found("lake/odd/table", "said", 1, is_person=True),
    }


def test_what_a_restore_has_moved_aside_is_left_to_people(tmp_path: Path) -> None:
    write(tmp_path / "replaced/20240301/lake/raw/shop/segments/a.parquet", customer_id=["CG-1"])
    heap = tmp_path / "replaced/20240301/postgres/base/1"
    heap.parent.mkdir(parents=True)
    with heap.open("wb") as stream:
        stream.truncate(1024**3)  # holes, no bytes

    assert scan_home(tmp_path, tmp_path / "backups", WORD) == []


def test_a_name_that_another_has_too_is_told(tmp_path: Path) -> None:
    write(
        tmp_path / "raw/superstore_sales/segments/a.parquet",
        customer_id=["CG-1", "CG-1", "CG-2", "CG-3"],
        customer_name=["Ann Lee", "A. Lee", "ann lee", "Bo"],
    )

    assert names_in_lake(tmp_path, "CG-1") == ({"Ann Lee", "A. Lee"}, {"Ann Lee"})
