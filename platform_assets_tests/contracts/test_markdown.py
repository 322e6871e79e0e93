"""Contracts as pages for people: the tables are read back, and held against the contract and hand-written lines."""

import re
from dataclasses import replace

import pytest

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.markdown import contract_markdown
from platform_assets.contracts.registry import CONTRACTS
from platform_assets_tests.contracts.made_up import EVERYTHING, UNHEARD

CATALOG = CONTRACTS["product_catalog"]
contracts = pytest.mark.parametrize("contract", [*CONTRACTS.values(), EVERYTHING], ids=lambda one: one.dataset)


def section(contract: Contract, title: str) -> str:
    """Return what is under a heading; under the first one without a name."""
    return contract_markdown(contract).split(f"## {title}\n" if title else "\n", 1)[1].split("\n## ", 1)[0]


def rows(contract: Contract, title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head, as a reader of Markdown splits them."""
    lines = [line for line in section(contract, title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(line) for line in cells} == {len(cells[0])}
    return cells[2:]


def row(title: str, name: str) -> list[str]:
    (found,) = [line for line in rows(EVERYTHING, title) if line[0] == f"`{name}`"]
    return found


def plain(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", cell)


@contracts
def test_every_rule_is_one_line_with_its_dimension_severity_and_sentence(contract: Contract) -> None:
    told = [[line[0], line[1], line[2], plain(line[3])] for line in rows(contract, "Rules")]

    assert told == [[f"`{rule.id}`", rule.dimension, rule.severity, rule.description] for rule in contract.rules]
    assert all(line[4] for line in rows(contract, "Rules"))


@contracts
def test_every_column_is_one_line_in_the_contracts_order(contract: Contract) -> None:
    told = [[line[0], line[1], plain(line[7])] for line in rows(contract, "Columns")]

    assert told == [[f"`{column.name}`", column.type, column.description] for column in contract.columns]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("shop", ["identifier", "yes", "no", "no", "", "", "Which shop."]),
        ("name", ["text", "no", "yes", "yes", "", "", "Who."]),
        ("quantity", ["integer", "no", "yes", "no", "1", "", "Pieces."]),
        ("total", ["money", "no", "yes", "no", "quantity × price", "", "Of all."]),  # noqa: RUF001 - "times"
        ("code", ["identifier", "no", "yes", "no", "", r"`a\|b`, `no.`", r"A \| code."]),
    ],
)
def test_a_columns_line_says_what_holds_for_it(name: str, line: list[str]) -> None:
    assert row("Columns", name)[1:] == line


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("share_is_rate", ["validity", "error", "0 to 1", "It is set aside in quarantine."]),
        ("weight_some", ["validity", "warn", "more", "It stays, and is counted."]),
        ("unheard", ["consistency", "warn", r"nobody \| knows \*this\*", "It stays, and is counted."]),
    ],
)
def test_a_rules_line_says_what_becomes_of_a_row(rule: str, line: list[str]) -> None:
    assert row("Rules", rule)[1:] == line


def test_a_sentence_of_several_lines_stays_in_its_cell() -> None:
    contract = replace(EVERYTHING, own_rules=(replace(UNHEARD, description="first\nsecond | third"),))

    assert rows(contract, "Rules")[-1][3] == r"first second \| third"


def test_the_head_says_what_it_is_about_whose_it_is_and_which_one() -> None:
    page = contract_markdown(EVERYTHING)

    assert page.startswith("# everything\n\nOne row is one of everything.\n")
    assert dict(rows(EVERYTHING, "")) == {
        "Owner": "ada@example.org",
        "Version": "7",
        "Fingerprint": f"`{fingerprint(EVERYTHING)}`",
        "Money of a row": "`total`",
        "When it happened": "`sold_at`",
        "At least one of": "`name`, `colour`",
    }


def test_a_catalogue_has_no_money_and_no_time() -> None:
    told = dict(rows(CONTRACTS["product_catalog"], ""))

    assert (told["Money of a row"], told["When it happened"]) == ("none", "not told")


def test_references_say_what_a_column_is_held_against_in_which_dataset() -> None:
    assert rows(EVERYTHING, "References to other datasets") == [
        ["`code`", "is known in `product_catalog.product_id` or `superstore_sales.product_id`", "`code_known`"],
        [
            "`price`",
            "agrees with `product_catalog.list_price` where `code` is `product_catalog.product_id`",
            "`price_agrees`",
        ],
    ]
    assert section(CONTRACTS["product_catalog"], "References to other datasets").startswith("\nNone.\n")


@pytest.mark.parametrize(
    "sentence",
    [
        "money: a decimal with four places; a fifth is rounded half away from zero.",
        "`name`: no value is an empty cell, `?`.",
        "`code`: put into upper case.",
        "`colour`: written as `Red`, `Blue` where only case, blanks, hyphens and underscores differ.",
        "`quantity`: a missing one is 1.",
        "`zip`: zeros lost in front are put back, to 5 digits, where `name` is one of `us`, in any case.",
    ],
)
def test_how_cells_are_read_is_said(sentence: str) -> None:
    assert f"- {sentence}\n" in section(EVERYTHING, "How cells are read") + "\n"


def test_how_dates_and_missing_values_are_read_is_said() -> None:
    said = section(CONTRACTS["superstore_sales"], "How cells are read")

    assert "an empty cell, `#n/a`, `-`, `<na>`, `n/a`, `na`, `nan`, `nil`, `none`, `null`" in said
    assert "Where several fit, `ship_date_after_order_date` or a column written alike decides" in said
    assert "`datasets.superstore_sales.date_formats`" in said


def test_a_day_that_files_names_may_give_is_said_to_come_from_there() -> None:
    given = "the date in the file's name (YYYY-MM-DD, YYYYMMDD or YYYY-MM), else 1900-01-01"

    assert f"- `valid_from`: a missing one is {given}.\n" in section(CATALOG, "How cells are read") + "\n"


def test_nothing_is_said_of_what_no_column_has() -> None:
    texts = replace(EVERYTHING, columns=(Column(name="a", type=ColumnType.TEXT, description="A."),), own_rules=())
    said = section(texts, "How cells are read")

    assert not any(word in said for word in ("Dates", "Numbers", "money", "`a`"))


@contracts
def test_a_page_is_the_same_for_the_same_contract_and_ends_in_one_line_end(contract: Contract) -> None:
    page = contract_markdown(contract)

    assert page == contract_markdown(replace(contract))
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
