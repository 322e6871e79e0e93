"""``scorecard`` in the terminal, on a scorecard of which every number is known."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from platform_assets.cli import scorecard as command
from platform_assets.errors import PlatformError
from platform_assets_tests.reports.cards import card, check, failing, row, scorecard, shut_card


def printed(show: Callable[[Console], None]) -> str:
    text = io.StringIO()
    show(Console(file=text, width=200, color_system=None))
    return text.getvalue().replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


def line_with(text: str, word: str) -> list[str]:
    (found,) = (line for line in text.splitlines() if word in line)
    return found.split()


def test_all_datasets_are_shown_with_verdict_value_change_and_trend() -> None:
    text = printed(lambda console: command._print_overview(scorecard(), console))

    assert line_with(text, "completeness")[:5] == ["retail_analytics", "✓", "open", "completeness", "✓"]
    assert line_with(text, "completeness")[5:] == ["pass", "97.5", "%", "-0.5", "pp", "▁▇▄"]
    assert line_with(text, "superstore_sales  ")[:3] == ["superstore_sales", "✕", "SHUT"]
    assert "gate shut: superstore_sales: validity is 0.72727, the threshold is 0.9." in text
    assert "Held back: 1 file with 120 lines" in text


def test_one_dataset_is_shown_with_counts_thresholds_rules_drift_and_ledger() -> None:
    text = printed(lambda console: command._print_dataset(shut_card(), console))

    for expected in (
        "7,273 of 10,000 rows",
        "warns under 95 %, fails under 90 %",
        "too few",
        "--rule sales_not_negative",
    ):
        assert expected in text
    cost = line_with(text, "set aside")
    assert cost == ["sales_not_negative", "▲", "warn", "set", "aside", "2,727", "10,000", "27.27", "%", "+2,627"]
    assert line_with(text, "customer_known")[-1] == "7"
    assert line_with(text, "may.csv") == ["may.csv", "read", "12,345", "5", "300", "40", "12,000"]
    assert line_with(text, "in money")[2:] == ["1,234,567.89", "0.00", "34,567.89", "0.00", "1,200,000.00"]


def test_a_rule_is_shown_with_its_failing_rows_as_they_stand() -> None:
    found = failing("price", row("[bold]may.csv", 1234, "price, other", price="[red]-3", name="•••"), total=50)
    shown = card(checks=(check("price", failed=50, description="price is 0 or more"),), failing=(found,))

    text = printed(lambda console: command._print_rule(shown, "price", console))

    assert "price: price is 0 or more" in text
    assert "The first 1 of 50 lines" in text
    assert line_with(text, "may.csv") == ["[bold]may.csv", "1,234", "price,", "other", "price=[red]-3", "name=•••"]


def test_a_rule_that_looks_across_rows_has_no_row_of_its_own() -> None:
    shown = card(checks=(check("customer_known", failed=3, severity="warn"),))
    text = printed(lambda console: command._print_rule(shown, "customer_known", console))
    assert "3 of 10,000 rows fail." in text
    assert "it looks across rows" in text


def test_a_rule_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(PlatformError, match="no rule 'prize'") as raised:
        printed(lambda console: command._print_rule(shut_card(), "prize", console))
    assert "sales_not_negative" in raised.value.remedy


def test_a_dataset_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(PlatformError, match="'sales'") as raised:
        command._card(scorecard(), "sales")
    assert "retail_analytics, superstore_sales" in raised.value.remedy


def test_both_files_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    html, data = tmp_path / "new" / "page.html", tmp_path / "card.json"
    view = command.View(dataset=None, rule=None, runs=10, html_file=html, json_file=data)
    command._write_files(scorecard(), view)
    assert html.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    # Money digit for digit.
    assert '"amount_read": "1234567.8900"' in data.read_text()
