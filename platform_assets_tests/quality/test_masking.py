import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.quality.masking import MASK, shown_cells

SUPERSTORE = CONTRACTS["superstore_sales"]
CATALOG = CONTRACTS["product_catalog"]


def line(**cells: str) -> str:
    quoted = {name: '"' + text.replace('"', '""') + '"' for name, text in cells.items()}
    return ",".join(quoted.get(name, "") for name in SUPERSTORE.column_names)


def test_cells_about_a_person_are_masked_and_the_others_are_as_they_stood() -> None:
    cells, hidden = shown_cells(line(customer_name='O"Hara, Mary\nAnn', sales="1.234,56"), "row", SUPERSTORE)
    assert dict(cells) == {"customer_name": MASK, "sales": "1.234,56"}
    assert hidden == ""


def test_a_row_of_another_contract_shows_nothing_because_its_cells_have_moved() -> None:
    cells, hidden = shown_cells("Mary,1.50", "row", SUPERSTORE)
    assert cells == ()
    assert "earlier contract" in hidden


def test_a_line_that_cannot_be_taken_apart_is_shown_only_where_nothing_is_personal() -> None:
    cells, hidden = shown_cells('broken;"line', "line", SUPERSTORE)
    assert cells == ()
    assert "personal" in hidden
    assert shown_cells('broken;"line', "line", CATALOG) == ((("line", 'broken;"line'),), "")


@pytest.mark.parametrize("kind", ["row", "file"])
def test_without_a_text_there_is_nothing_to_hide(kind: str) -> None:
    assert shown_cells(None, kind, SUPERSTORE) == ((), "")
