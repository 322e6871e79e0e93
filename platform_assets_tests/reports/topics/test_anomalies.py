from datetime import date
from decimal import Decimal
from typing import Any

from platform_assets_tests.reports.topics.made import page, parsed


def incident(name: str, impact: int, first: date, last: date | None = None, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "incident_id": name,
        "kind": "outage",
        "source_system": "web_shop",
        "dimension": "total",
        "segment": "all",
        "measure": "net_amount",
        "first_date": first,
        "last_date": last or first,
        "impact_amount": Decimal(impact),
    }
    return {**given, **more}


def day(when: date, value: float, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "source_system": "web_shop",
        "dimension": "total",
        "segment": "all",
        "measure": "net_amount",
        "sale_date": when,
        "value": value,
        "verdict": "usual",
        "is_unusual": False,
    }
    return {**given, **more}


OUTAGE = incident("i1", -5000, date(2024, 3, 5), date(2024, 3, 6))
PROMOTION = incident("i2", 2000, date(2024, 4, 30), kind="promotion")


def test_incidents_are_ranked_by_money_and_what_was_lost_is_added_up() -> None:
    days = [day(date(2024, 4, 29), 100.0), day(date(2024, 4, 30), 300.0)]
    made = page("anomalies", incidents=[PROMOTION, OUTAGE], daily_measures=days)
    values = {one.label: one.value for one in made.headlines}
    assert (values["Incidents"], values["Incidents going on"], values["Below what was expected"]) == (2, 1, -5000)
    text = parsed(made).text
    assert "the largest is the outage of 2024-03-05 to 2024-03-06 in web shop: -5,000 of net sales" in text
    assert text.index("2024-03-05 to 2024-03-06 outage") < text.index("2024-04-30 promotion")


def test_the_days_are_drawn_with_their_band_and_incidents_shaded() -> None:
    band = {"expected_value": 100.0, "lower_value": 50.0, "upper_value": 200.0}
    days = [day(date(2024, 3, 4), 90.0), day(date(2024, 3, 5), 10.0, is_unusual=True, **band)]
    made = page("anomalies", incidents=[OUTAGE], daily_measures=days)
    figure = made.plots["daily-0"]
    drawn = {trace["name"]: trace for trace in figure["data"]}
    assert drawn["net amount"]["y"] == [90.0, 10.0]
    # A day of which nothing can be said has no band.
    assert (drawn["expected band"]["x"], drawn["expected band"]["base"]) == (["2024-03-05"], [50.0])
    assert drawn["expected band"]["y"] == [150.0]
    assert drawn["unusual"]["x"] == ["2024-03-05"]
    assert (figure["layout"]["shapes"][0]["x0"], figure["layout"]["shapes"][0]["x1"]) == (
        "2024-03-05 00:00",
        "2024-03-06 23:59",
    )


def test_days_that_could_not_be_judged_say_why() -> None:
    days = [day(date(2024, 3, 4), 90.0, verdict="too few orders")]
    assert "No day of these could be judged: too few orders." in parsed(page("anomalies", daily_measures=days)).text


def test_what_contributed_is_told_for_each_incident() -> None:
    part = {
        "incident_id": "i1",
        "dimension": "channel",
        "segment": "Online",
        "impact_amount": -4000,
        "is_unusual": True,
    }
    small = {**part, "segment": "Store", "impact_amount": -1000, "is_unusual": False}
    text = parsed(page("anomalies", incidents=[OUTAGE], incident_parts=[small, part])).text
    assert text.index("channel Online") < text.index("channel Store")
    assert "-4,000 yes" in text


def test_odd_orders_say_where_they_stand() -> None:
    odd = {
        "rank": 1,
        "order_id": "O-7",
        "unit_price_amount": Decimal("0.04"),
        "usual_price_amount": Decimal("3.61"),
        "reason": "price",
        "source_file": "may.csv",
        "source_row": 21,
    }
    text = parsed(page("anomalies", order_outliers=[odd])).text
    assert "the oddest is order O-7 with 0.04 a piece where 3.61 is usual" in text
    assert "may.csv, line 21" in text
