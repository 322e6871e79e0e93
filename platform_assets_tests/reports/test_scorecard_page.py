"""The page: it says what the scorecard says, shows text as text, and needs nothing from anywhere."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from plotly.graph_objects import Figure

from platform_assets.quality.results import Verdict
from platform_assets.quality.scorecard import Scorecard
from platform_assets.reports.plots import figures
from platform_assets.reports.scorecard_page import scorecard_page, spark_points
from platform_assets.reports.writing import ReportError, write_report
from platform_assets_tests.reports.browsers import in_browser
from platform_assets_tests.reports.cards import card, check, failing, row, score, scorecard, shut_card
from platform_assets_tests.reports.parsed import EVIL, Page, loaded, without_roles


def page(*, of: Scorecard | None = None) -> Page:
    return Page(scorecard_page(of or scorecard()))


def test_the_page_says_per_dataset_scores_thresholds_verdicts_rules_ledger_and_failing_rows() -> None:
    text = page().text
    for expected in (
        "1 of 2 gates open",
        "97.5 %",
        "9,750 of 10,000 cells",
        "-0.5 pp",
        "warns under 95 %, fails under 90 %",
        "validity is 0.72727, the threshold is 0.9",
        "Held back: 1 file with 120 lines; what is published reaches to 2024-04-30.",
        "2,727 of 10,000 rows (27.27 %), +2,627 since the run before",
        "12 of 10,000 rows (0.12 %) , 7 pending".replace(" ,", ","),
        "12,345",
        "1,234,567.89",
        "34,567.89",
        "may.csv 7 sales_not_negative",
        "too few",
        "Generated 2024-05-03 07:30 UTC, last run 0f1e2d3c",
    ):
        assert expected in text


def test_where_nothing_was_judged_yet_the_page_says_what_has_to_run() -> None:
    text = page(of=replace(scorecard(), datasets=())).text
    assert "No dataset was judged yet: the assets of the groups staging and quality have to run first." in text


def test_a_verdict_is_a_word_and_a_sign_besides_its_colour() -> None:
    text = page().text
    assert "✕ fail" in text
    assert "✓ pass" in text
    assert "▲ warn" in text


def test_no_text_of_the_data_becomes_markup() -> None:
    evil = shut_card()
    found = failing(EVIL, row(EVIL, 3, EVIL, sales=EVIL))
    costly = check(EVIL, failed=3, description=EVIL, note=EVIL)
    spoiled = card(
        reasons=(EVIL,),
        gate_is_open=False,
        title=EVIL,
        contract_version=EVIL,
        checks=(costly, check(EVIL, kind="drift", note=EVIL)),
        failing=(found,),
        scores=(score("validity", 0.5, 0.6, verdict=Verdict.FAIL, note=EVIL),),
    )
    clean, dirty = page(of=scorecard(card(), evil)), page(of=scorecard(spoiled, evil))

    assert EVIL in " ".join(dirty.words)
    assert not any(tag == "img" for tag, _ in dirty.elements)
    assert not any(name.startswith("on") for _, attributes in dirty.elements for name in attributes)
    count = [sum(tag == "script" for tag, _ in one.elements) for one in (clean, dirty)]
    assert count == [3, 3]
    assert not any("alert('x')</script>" in script for script in dirty.scripts)


def test_what_stands_in_plots_is_escaped_too_because_plotly_reads_tags() -> None:
    drawn = json.dumps(figures(card(checks=(check(EVIL, failed=3, description=EVIL),))))
    assert "<script" not in drawn
    assert "<img" not in drawn


def test_the_page_loads_nothing() -> None:
    found = page()
    assert loaded(found) == set()
    (policy,) = (one["content"] for tag, one in found.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")
    assert not re.search(r"https?:", str(policy))


def test_only_the_scripts_of_the_page_itself_may_run() -> None:
    first, second = page(), page()
    nonces = {one.get("nonce") for tag, one in first.elements if tag == "script" and "type" not in one}
    (nonce,) = nonces
    (policy,) = (one["content"] for _, one in first.elements if one.get("http-equiv"))
    assert f"script-src 'nonce-{nonce}'" in str(policy)
    assert nonce not in {one.get("nonce") for tag, one in second.elements if tag == "script"}


def test_every_plot_on_the_page_has_a_figure_that_plotly_takes() -> None:
    drawn = scorecard()
    found = page(of=drawn)
    wanted = {(str(one["data-dataset"]), str(one["data-plot"])) for _, one in found.elements if "data-plot" in one}
    made = {(one.dataset, name): figure for one in drawn.datasets for name, figure in figures(one).items()}
    assert wanted == made.keys()
    for figure in made.values():
        Figure(without_roles(figure))  # raises where a property does not exist or has a wrong value


def test_the_trend_of_a_score_has_its_values_and_a_line_for_each_threshold() -> None:
    plots = figures(card(scores=(score("validity", 0.99, 0.95, 0.85, verdict=Verdict.FAIL, warn_threshold=0.97),)))
    warn, fail, values = plots["score-validity"]["data"]
    assert values["y"] == [0.99, 0.95, 0.85]
    assert values["x"] == ["2024-05-01 06:30:00", "2024-05-02 06:30:00", "2024-05-03 06:30:00"]
    assert values["marker"]["symbol"] == ["circle", "circle", "x"]
    assert (warn["y"], fail["y"]) == ([0.97, 0.97], [0.9, 0.9])


def test_the_costs_are_drawn_dearest_on_top_apart_by_what_happens_to_the_rows() -> None:
    aside, stays = figures(shut_card())["costs"]["data"]
    assert aside["y"] == ["customer_known", "sales_not_negative"]
    assert (aside["x"], stays["x"]) == ([0, 2727], [12, 0])


def test_the_ledger_is_drawn_in_rows_and_in_money_and_its_parts_make_the_whole() -> None:
    plots = figures(card())
    assert {bar["name"]: bar["x"] for bar in plots["rows"]["data"]} == {
        "loaded": [12_000],
        "duplicate": [40],
        "quarantined": [300],
        "rejected": [5],
    }
    assert sum(bar["x"][0] for bar in plots["money"]["data"]) == pytest.approx(1_234_567.89)


def test_a_sparkline_rises_with_the_score() -> None:
    heights = [float(point.split(",")[1]) for point in spark_points(score("validity", 0.8, 0.9, 1.0)).split()]
    # In SVG, up is towards 0.
    assert heights == sorted(heights, reverse=True)
    assert spark_points(score("validity", 0.8)) == ""


def test_a_page_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "reports" / "scorecard.html"
    for text in ("first", "second"):
        write_report(text, target)
    assert [path.name for path in target.parent.iterdir()] == ["scorecard.html"]
    assert target.read_text() == "second"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="Cannot write"):
        write_report("page", tmp_path / "file" / "scorecard.html")


@pytest.mark.integration
def test_a_browser_draws_the_plots_without_an_error_and_without_the_network(tmp_path: Path) -> None:
    drawn = in_browser(scorecard_page(scorecard(card(scores=(score("validity", 0.9, 0.95),)))), tmp_path)
    classes = [str(one.get("class")) for _, one in drawn.page.elements if "data-plot" in one]
    assert len(classes) == 3
    assert all("js-plotly-plot" in one for one in classes)
    assert drawn.complaints == []
    assert "http" not in " ".join(str(one.get("src")) for _, one in drawn.page.elements)
