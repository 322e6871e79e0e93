from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from platform_assets_tests.reports.topics.made import DAY, page, parsed

TOTAL = {"grain": "day", "currency": "EUR", "scope": "total", "member": "total"}


def ahead(step: int, amount: int | None, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        **TOTAL,
        "as_of_date": DAY,
        "period_start_date": DAY + timedelta(days=step),
        "step": step,
        "status": "forecastable",
        "reason": "better than the seasonal naive forecast",
        "forecast_amount": amount,
        "lower_80_amount": 5,
        "upper_80_amount": 20,
        "baseline_amount": 12,
    }
    return {**given, **more}


def test_the_days_ahead_are_added_up() -> None:
    made = page("forecast", revenue_forecasts=[ahead(1, 1000), ahead(2, 2000)])
    assert made.headlines[0].label == "Revenue, next 2 days (EUR)"
    assert made.headlines[0].value == 3000
    text = parsed(made).text
    assert "From 2024-05-02 to 2024-05-03 net revenue of 3,000 EUR is expected, 1,500 a day." in text


def test_a_forecast_is_drawn_with_history_baseline_and_interval() -> None:
    known = [{**TOTAL, "period_start_date": DAY, "revenue_amount": Decimal(9)}]
    old = [{**TOTAL, "period_start_date": date(2020, 1, 1), "revenue_amount": Decimal(1)}]
    made = page("forecast", revenue_forecasts=[ahead(1, 10)], revenue_series=[*known, *old])
    drawn = {trace["name"]: trace["y"] for trace in made.plots["ahead-0"]["data"]}
    assert drawn["forecast"] == [10]
    assert drawn["known"] == [9]
    assert drawn["seasonal naive"] == [12]
    assert [trace["y"] for trace in made.plots["ahead-0"]["data"][:2]] == [[5], [20]]


def test_every_series_can_be_chosen_the_total_first() -> None:
    category = {"scope": "category", "member": "Toys"}
    made = page("forecast", revenue_forecasts=[ahead(1, 4, **category), ahead(1, 10)])
    (choice,) = made.sections[0].blocks
    assert list(choice.options) == ["Total, daily (EUR)", "Category Toys, daily (EUR)"]  # type: ignore[union-attr]


def test_what_cannot_be_forecast_has_no_number_but_a_reason() -> None:
    unable = ahead(
        1, None, status="not_forecastable", reason="the seasonal naive forecast is better", lower_80_amount=None
    )
    made = page("forecast", revenue_forecasts=[unable])
    assert made.headlines[0].value is None
    text = parsed(made).text
    assert "The daily total cannot be forecast: the seasonal naive forecast is better" in text
    assert "1 of 1 series cannot be forecast" in text


def test_skill_and_coverage_are_told_against_what_they_should_be() -> None:
    skill = [
        {
            **TOTAL,
            "model": "combination",
            "is_used": True,
            "skill_rate": 0.25,
            "mean_skill_rate": -0.07,
            "wape_rate": 0.3,
            "status": "forecastable",
        },
        {**TOTAL, "model": "seasonal_naive", "is_used": False, "skill_rate": 0.0, "wape_rate": 0.4},
    ]
    coverage = [
        {
            "grain": "day",
            "nominal_rate": 0.8,
            "realised_rate": 0.785,
            "points": 200,
            "covered_points": 157,
            "is_enough": True,
        }
    ]
    made = page("forecast", forecast_skill=skill, forecast_coverage=coverage)
    values = {one.label: one.value for one in made.headlines}
    assert values["Less error than the seasonal naive"] == 0.25
    assert values["Days within their 80 % interval"] == 0.785
    text = parsed(made).text
    assert "Against the recent mean" in text
    assert "7.0 %" in text
    assert "For 1 of 1 series the published model was better than the seasonal naive forecast." in text
    assert "The daily 80% interval held 78.5 % of the time." in text
