"""Pages of topics in a browser: what is chosen is drawn, what is not is hidden."""

from pathlib import Path

import pytest

from platform_assets.reports.page import page_html
from platform_assets_tests.reports.browsers import in_browser
from platform_assets_tests.reports.topics.made import MADE, page
from platform_assets_tests.reports.topics.test_forecast import ahead

pytestmark = pytest.mark.integration


def test_a_browser_draws_the_first_choice_and_hides_the_others(tmp_path: Path) -> None:
    toys = {"scope": "category", "member": "Toys"}
    made = page("forecast", revenue_forecasts=[ahead(1, 10), ahead(2, 11), ahead(1, 4, **toys), ahead(2, 4, **toys)])
    drawn = in_browser(page_html(made, MADE), tmp_path)

    choices = ["hidden" in one for _, one in drawn.page.elements if "data-choice" in one]
    plots = ["js-plotly-plot" in str(one.get("class")) for _, one in drawn.page.elements if "data-plot" in one]
    assert choices == [False, True]
    assert plots == [True, False]
    assert drawn.complaints == []


def test_a_browser_draws_cells_and_bands_in_the_colours_of_the_page(tmp_path: Path) -> None:
    customer = {"customer_pseudonym": "cx", "recency_score": 5, "frequency_score": 5, "orders": 1}
    drawn = in_browser(page_html(page("customers", customer_360=[customer]), MADE), tmp_path)
    assert ["js-plotly-plot" in str(one.get("class")) for _, one in drawn.page.elements if "data-plot" in one] == [True]
    assert drawn.complaints == []
