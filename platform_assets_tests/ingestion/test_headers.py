"""What headers mean, and which files their headers refuse."""

from pathlib import Path

import pytest

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.headers import HeaderMatcher, normalise
from platform_assets_tests.ingestion.support import read_bytes

THINGS = Contract(
    dataset="things",
    title="one thing",
    owner="team:test",
    columns=(
        Column(name="order_id", type=ColumnType.TEXT, description="Id.", required=True, aliases=("Número",)),
        Column(name="amount", type=ColumnType.TEXT, description="Money.", required=True, aliases=("total", "spend")),
        Column(name="note", type=ColumnType.TEXT, description="Text.", aliases=("amount text",)),
        Column(name="name", type=ColumnType.TEXT, description="Text."),
    ),
    own_rules=(),
    any_of=(("note", "name"),),
)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Country/Region", "country"),
        (" Sales ", "sales"),
        ("Sub-Category", "sub_category"),
        ("ROW ID", "row_id"),
        ("Catégorie", "category"),
    ],
)
def test_case_accents_blanks_and_punctuation_do_not_matter(header: str, column: str) -> None:
    assert HeaderMatcher(CONTRACTS["superstore_sales"]).match([header]).columns == {header: column}


def test_a_header_is_compared_by_letters_and_digits_only() -> None:
    assert normalise(" Straße_N°-1 ") == normalise("STRASSE n° 1")


@pytest.mark.parametrize("dataset", sorted(CONTRACTS))
def test_no_header_means_two_columns_of_a_contract(dataset: str) -> None:
    columns = CONTRACTS[dataset].columns
    claims = [(normalise(name), c.name) for c in columns for name in {c.name, *c.aliases}]
    owners = {text: {column for other, column in claims if other == text} for text, _ in claims}
    assert {text: names for text, names in owners.items() if len(names) > 1} == {}


def test_the_exact_name_goes_before_an_alias(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, b"order_id,total,amount,name\n1,2,3,x\n", THINGS)
    assert found.cells("amount", "_extra") == [("3", '{"total":"2"}')]
    assert found.report.unknown_columns == ["total"]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("order_id,total,spend,name", "'total' and 'spend' both mean the column amount"),
        ("order_id,amount,amount,name", "has 'amount' more than once"),
        ("order_id,,amount", "header of column 2 is blank"),
        ("order_id,amount", "missing: note or name. Found: order_id, amount."),
        ("id,amont,name", r"missing: order_id, amount. Found: id, amont, name. .*amount: amont"),
    ],
)
def test_headers_that_do_not_do_refuse_the_file(tmp_path: Path, header: str, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        read_bytes(tmp_path, f"{header}\n1,2,3,4\n".encode(), THINGS)


def test_the_report_says_what_the_headers_mean(tmp_path: Path) -> None:
    found = read_bytes(tmp_path, "Número;AMOUNT;Note;Colour\n1;2;x;red\n".encode(), THINGS)
    assert found.report.headers == {"Número": "order_id", "AMOUNT": "amount", "Note": "note"}
    assert (found.report.unknown_columns, found.report.missing_optional) == (["Colour"], ["name"])
    assert found.cells("order_id", "amount", "note", "name") == [("1", "2", "x", None)]
