import codecs
import gzip
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from platform_assets.config import DatasetSettings
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.landing import rewrite, standings
from platform_assets.errors import PlatformError
from platform_assets_tests.erasure.persons import people

SHOP = CONTRACTS["ecommerce_transactions"]
HEADER = "InvoiceNo;Kundennummer;StockCode;Description;InvoiceDate;Quantity;UnitPrice"
JSON_LINE = (
    b'{"InvoiceNo": "1", "CustomerID": "17", "StockCode": "P", "InvoiceDate": "2024-03-01",'
    b' "Quantity": 1, "UnitPrice": 2}\n'
)
NONE = DatasetSettings()
FORGOTTEN = people("17", names=("Jörg Übel",))


def line(customer: str, *, number: int = 1, product: str = "P1", text: str = "Red") -> str:
    return f"I{number};{customer};{product};{text};2024-03-01;1;2.5"


def landed(folder: Path, content: str, encoding: str = "utf-8", name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def without_cells(content: bytes, encoding: str) -> str:
    """The text with the marks taken out."""
    return re.sub(r"FORGOTTEN-[0-9a-f]{16}", "<id>", content.decode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_the_cells_of_the_person_are_other_bytes(tmp_path: Path, encoding: str, end: str) -> None:
    lines = [
        HEADER,
        line("17", text='"Größe; 17"'),
        line("170", number=2, product="17"),
        line('"17.0"', number=3, text='"zwei' + end + 'Zeilen ""17"""'),
        line("1700", number=4, text="schön"),
        line("17", number=5, text="schöner"),
    ]
    path = landed(tmp_path, end.join(lines) + end, encoding)
    os.utime(path, ns=(1_700_000_000_000_000_000, 1_700_000_000_000_000_001))
    path.chmod(0o640)
    (found,) = standings(SHOP, tmp_path, NONE, FORGOTTEN)

    rewrite(found, SHOP, NONE, FORGOTTEN)

    expected = [line.replace(";17;", ";<id>;", 1).replace(';"17.0";', ";<id>;") for line in lines]
    expected[2] = lines[2]
    assert found.lines == [2, 4, 7]
    assert without_cells(path.read_bytes(), encoding) == end.join(expected) + end
    assert path.read_bytes()[:2] == (end.join(lines)).encode(encoding)[:2]
    assert path.stat().st_mtime_ns == 1_700_000_000_000_000_001
    assert path.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_a_line_that_cannot_be_taken_apart_loses_the_words_of_the_person(tmp_path: Path) -> None:
    path = landed(tmp_path, "\n".join([HEADER, line("170"), line("17") + ";more", line("x") + ";Jörg Übel"]))
    (found,) = standings(SHOP, tmp_path, NONE, FORGOTTEN)

    rewrite(found, SHOP, NONE, FORGOTTEN)

    assert found.lines == [3, 4]
    assert path.read_text().splitlines()[1:] == [line("170"), line("FORGOTTEN") + ";more", line("x") + ";FORGOTTEN"]


def test_a_file_without_the_person_is_not_named(tmp_path: Path) -> None:
    landed(tmp_path, "\n".join([HEADER, line("170"), line("1700", product="17")]))

    assert list(standings(SHOP, tmp_path, NONE, FORGOTTEN)) == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv.gz", gzip.compress(f"{HEADER}\n{line('17')}\n".encode()), "compressed"),
        (
            "a.jsonl",
            JSON_LINE,
            "not delimited text",
        ),
        ("a.csv", codecs.BOM_UTF8 + b"17;Zelda\n18;Bo\n", "refused as a whole"),
    ],
)
def test_a_file_that_cannot_be_rewritten_says_why(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)

    (found,) = standings(SHOP, tmp_path, NONE, FORGOTTEN)

    assert found.obstacle.startswith(why)
    assert (tmp_path / name).read_bytes() == content


def test_a_file_that_would_be_read_otherwise_stays(tmp_path: Path) -> None:
    path = landed(tmp_path, "\n".join([HEADER, line("17"), line("18", number=2)]))
    before = path.read_bytes()
    (found,) = standings(SHOP, tmp_path, NONE, FORGOTTEN)

    with pytest.raises(PlatformError, match="read as something else"):
        rewrite(replace(found, rows={3: found.rows[2]}), SHOP, NONE, FORGOTTEN)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
