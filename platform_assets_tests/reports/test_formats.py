from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from platform_assets.reports import formats
from platform_assets.reports.drawing import plain as as_json


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "?")


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (formats.whole, 1234567, "1,234,567"),
        (formats.amount, Decimal("-1234.56"), "-1,235"),
        (formats.cents, Decimal("1234.5"), "1,234.50"),
        (formats.signed_amount, 1999.6, "+2,000"),
        (formats.signed_amount, -0.2, "±0"),
        (formats.percent, 0.1234, "12.3 %"),
        (formats.signed_percent, -0.5, "-50.0 %"),
        (formats.points, 0.025, "+2.5 pp"),
        (formats.fine, 0.00001, "<0.0001"),
        (formats.fine, 0.05, "0.05"),
        (formats.fine, 0.0, "0"),
        (formats.day, date(2024, 5, 1), "2024-05-01"),
        (formats.day, datetime(2024, 5, 1, 23, 59), "2024-05-01"),
        (formats.yes, False, "no"),
        (formats.words, "price_level", "price level"),
        (formats.model, "mbg_nbd", "MBG/NBD"),
        (formats.model, "own_model", "own model"),
        (formats.text, "", "?"),
    ],
)
def test_a_figure_is_written_as_people_read_it(form: formats.Format, value: Any, text: str) -> None:
    assert plain(form(value)) == text


@pytest.mark.parametrize(
    "form",
    [formats.whole, formats.cents, formats.percent, formats.signed_amount, formats.fine, formats.day, formats.yes],
)
def test_what_is_not_known_is_a_dash_and_no_nought(form: formats.Format) -> None:
    assert form(None) == formats.NOTHING


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert formats.listed(names) == text


def test_things_are_counted_in_singular_and_plural() -> None:
    assert formats.counted(1, "category", "categories") == "1 category"
    assert formats.counted(1200, "category", "categories") == "1,200 categories"
    assert formats.counted(0, "incident") == "0 incidents"


def test_what_plots_get_is_json() -> None:
    assert as_json([Decimal("1.25"), float("nan"), None, date(2024, 5, 1), 3]) == [1.25, None, None, "2024-05-01", 3]
