from datetime import date
from decimal import Decimal
from typing import Any

from platform_assets.reports.page import Page, Plot
from platform_assets_tests.reports.topics.made import page, parsed


def customer(name: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "customer_pseudonym": name,
        "currency": "EUR",
        "orders": 2,
        "net_revenue_amount": Decimal(1000),
        "recency_score": 5,
        "frequency_score": 4,
        "rfm_segment": "Champions",
        "value_amount": Decimal(500),
        "value_basis": "revenue",
        "value_horizon_days": 365,
        "churn_rate": 0.2,
        "churn_horizon_days": 91,
        "value_at_stake_amount": Decimal(100),
        "stake_rank": 1,
    }
    return {**given, **more}


UNKNOWN = (
    "net_revenue_amount",
    "recency_score",
    "frequency_score",
    "value_amount",
    "churn_rate",
    "value_at_stake_amount",
    "stake_rank",
)
EVERYONE = (
    customer("cx1"),
    customer("cx2", churn_rate=0.5, value_at_stake_amount=Decimal(250), stake_rank=2),
    customer("cx3", recency_score=1, frequency_score=1, rfm_segment="Lost", churn_rate=0.9, stake_rank=3),
    customer("cx4", orders=0, rfm_segment="Prospects", **dict.fromkeys(UNKNOWN)),
)


def headlines(made: Page) -> dict[str, Any]:
    return {one.label: one.value for one in made.headlines}


def test_headlines_are_counted_over_all_customers() -> None:
    found = headlines(page("customers", customer_360=EVERYONE))
    assert found == {
        "Customers": 4,
        "Net revenue (EUR)": Decimal(3000),
        "Expected value (EUR)": Decimal(1500),
        "Customers at risk": 2,
        "Value at stake (EUR)": Decimal(450),
    }


def test_nobody_is_at_risk_is_not_the_same_as_not_known() -> None:
    unknown = [customer("cx1", churn_rate=None, churn_horizon_days=None, churn_reason="too few orders")]
    made = page("customers", customer_360=unknown)
    assert headlines(made)["Customers at risk"] is None
    assert "too few orders" in parsed(made).text


def test_the_grid_has_a_cell_per_pair_of_scores() -> None:
    heat = page("customers", customer_360=EVERYONE).plots["grid"]["data"][0]
    counts = dict(zip(heat["y"], heat["z"], strict=True))
    assert heat["x"] == ["F1", "F2", "F3", "F4", "F5"]
    assert counts["R5"] == [0, 0, 0, 2, 0]
    assert counts["R1"] == [1, 0, 0, 0, 0]
    assert sum(map(sum, counts.values())) == 3


def test_the_first_of_each_segment_are_named_by_pseudonym_most_at_stake_first() -> None:
    many = [customer(f"cx{number}", stake_rank=number) for number in range(1, 6)]
    text = parsed(page("customers", customer_360=many)).text
    assert [name in text for name in ("cx1", "cx2", "cx3", "cx4")] == [True, True, True, False]


def test_the_finding_is_the_share_of_the_segment_that_brings_most() -> None:
    segments = [
        {"segment": "Champions", "customers": 1, "customer_share": 0.25, "revenue_amount": 600, "revenue_share": 0.6},
        {"segment": "Loyal", "customers": 3, "customer_share": 0.75, "revenue_amount": 400, "revenue_share": 0.4},
    ]
    made = page("customers", customer_360=EVERYONE, rfm_segments=segments)
    said = "Champions are 25.0 % of customers with orders and brought 60.0 % of their revenue lately."
    assert said in parsed(made).text


def test_prospects_are_no_segment_that_brings_anything() -> None:
    segments = [{"segment": "Prospects", "customers": 3, "revenue_amount": 0}]
    only = parsed(page("customers", customer_360=EVERYONE, rfm_segments=segments)).text
    champions = {"segment": "Champions", "customers": 1, "customer_share": 1.0, "revenue_amount": -5}
    both = parsed(page("customers", customer_360=EVERYONE, rfm_segments=[*segments, champions])).text

    assert "No known customer has ordered in this currency: 3 prospects." in only
    assert "Champions are 100.0 % of customers with orders and brought no revenue lately." in both
    assert "Prospects are" not in only + both


def test_money_of_the_window_and_of_all_time_are_told_apart() -> None:
    """Of the same two customers 600 came in the window, and 2,000 ever."""
    segments = [
        {"segment": "Champions", "customers": 2, "customer_share": 1.0, "revenue_amount": 600, "revenue_share": 1.0},
    ]
    made = page("customers", customer_360=EVERYONE[:2], rfm_segments=segments)
    hints = "".join(made.plots["grid"]["data"][0]["text"][0]) + str(made.plots["grid"]["data"][0])
    bars = str(made.plots["segments"]["data"])

    assert "revenue of all time 2,000" in hints
    assert "revenue in the window 600" in bars
    assert "Days with an order in the window, each" in parsed(made).text


def test_who_moved_is_counted_among_those_whom_both_runs_know() -> None:
    days = {"before_date": date(2024, 4, 1), "after_date": date(2024, 5, 1)}
    moves = [
        {**days, "from_segment": "Loyal", "to_segment": "At Risk", "customers": 3},
        {**days, "from_segment": "Loyal", "to_segment": "Loyal", "customers": 7},
        {**days, "from_segment": "(not known)", "to_segment": "New", "customers": 5},
    ]
    text = parsed(page("customers", rfm_migration=moves)).text
    assert "3 of 10 customers (30.0 %) changed their segment since the run of 2024-04-01." in text


def test_a_first_run_has_nothing_to_compare_with() -> None:
    moves = [{"from_segment": "(not known)", "to_segment": "New", "customers": 5}]
    assert "no run before this has segments of the same sales" in parsed(page("customers", rfm_migration=moves)).text


def test_the_histogram_holds_every_customer_with_a_value() -> None:
    figure = page("customers", customer_360=EVERYONE).plots["value"]
    assert sum(figure["data"][0]["y"]) == 3


def test_calibration_is_drawn_with_its_interval() -> None:
    bins = [
        {
            "score": "active",
            "bin": 1,
            "customers": 50,
            "expected_churn_rate": 0.2,
            "churn_rate": 0.25,
            "churn_low_rate": 0.15,
            "churn_high_rate": 0.45,
        }
    ]
    used = [
        {
            "score": "active",
            "customers": 50,
            "churn_rate": 0.25,
            "expected_churn_rate": 0.2,
            "area_under_curve": 0.81,
            "is_used": True,
            "horizon_days": 91,
        }
    ]
    made = page("customers", churn_calibration=bins, churn_evaluation=used)
    points = made.plots["calibration"]["data"][1]
    assert (points["x"], points["y"]) == ([0.2], [0.25])
    assert (points["error_y"]["array"], points["error_y"]["arrayminus"]) == ([0.2], [0.1])
    assert "area under the curve of 0.81" in parsed(made).text
    assert "The history is too short to choose: the first model and its own score are used." in parsed(made).text


def test_the_days_that_chose_the_churn_score_are_told() -> None:
    used = {
        "score": "active",
        "model": "bg_nbd",
        "is_used": True,
        "horizon_days": 91,
        "customers": 50,
        "choice_date": date(2024, 1, 31),
        "split_date": date(2024, 5, 1),
        "area_above_recency": 0.0123,
    }
    text = parsed(page("customers", churn_evaluation=[used])).text
    assert "Model (BG/NBD) and score were chosen by the 91 days after 2024-01-31. Nothing of the days" in text
    assert "All scores on the days after 2024-05-01" in text
    assert "0.0123" in text


def test_the_model_of_spend_is_told_with_what_it_supposes() -> None:
    spend = {
        "grouping": "spend",
        "fitted_group": "all",
        "model": "gamma_gamma",
        "customers": 946,
        "is_converged": True,
        "is_used": True,
        "correlation": 0.11,
    }
    values = {"p": 6.25, "q": 3.74, "v": 15.44}
    rows = [{**spend, "parameter": name, "value": value, "standard_error": 0.5} for name, value in values.items()]

    text = parsed(page("customers", lifetime_groups=rows)).text
    unsure = parsed(page("customers", lifetime_groups=[{**row, "is_converged": False} for row in rows])).text
    other = parsed(page("customers", lifetime_groups=[{**spend, "grouping": "cohort", "parameter": "r"}])).text

    assert "Gamma-Gamma, fitted to 946 customers who came back." in text
    assert "their correlation is 0.11, and a check warns where that is far from 0." in text
    assert "p 6.25 0.50 q 3.74 0.50 v 15.44 0.50" in text
    assert "not found" not in text
    assert "Its parameters were not found" in unsure
    assert "Money per order is not modelled: too few customers" in other


def test_actions_say_who_is_held_out_and_whether_an_effect_can_be_seen() -> None:
    measured = [
        {"action": "call", "customers": 30, "held_out": 3, "value_at_stake_amount": 900, "is_measurable": True},
        {"action": "mail", "customers": 10, "held_out": 1, "value_at_stake_amount": 100, "is_measurable": False},
    ]
    everyone = [customer("cx1", next_best_action="call", next_best_action_title="Call them")]
    made = page("customers", retention_measurement=measured, customer_360=everyone)
    text = parsed(made).text
    assert "36 customers are proposed for 2 actions; 4 are held out at random" in text
    assert "1 of 2 could be" in text
    assert "Call them 30 3 900" in text


def test_the_orders_that_came_are_drawn_beside_those_expected() -> None:
    model = {"customers": 9, "holdout_days": 91, "split_date": date(2024, 1, 31), "orders": 100}
    models = [
        {**model, "model": "bg_nbd", "expected_orders": 90.0, "bias_rate": -0.1, "deviance": 5.0, "is_chosen": True},
        {
            **model,
            "model": "pareto_nbd",
            "expected_orders": 80.0,
            "bias_rate": -0.2,
            "deviance": 6.0,
            "is_chosen": False,
        },
    ]
    made = page("customers", lifetime_models=models)
    bars = made.plots["models"]["data"][0]
    assert dict(zip(bars["y"], bars["x"], strict=True)) == {"BG/NBD": 90.0, "Pareto/NBD": 80.0, "what came": 100}
    assert any(isinstance(block, Plot) for block in made.sections[4].blocks)
    assert (
        "BG/NBD is in use: it expected 90 orders in the 91 days after 2024-01-31, and 100 came (-10.0 %)."
        in parsed(made).text
    )
