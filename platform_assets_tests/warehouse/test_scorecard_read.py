"""The scorecard as the tables have it: the latest judgement, its history, what it cost, and what was set aside."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from psycopg2 import extensions

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.quality.masking import MASK
from platform_assets.quality.results import HeldBack, Verdict
from platform_assets.quality.scorecard import DatasetCard, State
from platform_assets.warehouse.quality.scorecard_read import Extent, read_scorecard
from platform_assets_tests.warehouse.rows import query

pytestmark = pytest.mark.integration

SHOP = "ecommerce_transactions"
CHECK = (
    "INSERT INTO quality.check_results (run_id, evaluated_at, dataset, rule, kind, dimension, severity, verdict,"
    " passed, shuts_gate, rows_checked, rows_failed, rows_pending, rows_resolved, score, threshold, warn_threshold,"
    " note)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, false, %s, %s, %s, 0, %s, %s, %s, '')"
)


def judge(
    connection: extensions.connection, run: str, day: int, *, dataset: str = SHOP, reasons: tuple[str, ...] = ()
) -> None:
    held = (2, 500, date(2024, 4, 30)) if reasons else (None, None, None)
    query(
        connection,
        "INSERT INTO quality.gate_history VALUES (%s, %s, %s, %s, '1-3fa94b21', true, %s, %s, %s, %s, %s, 0.97)",
        [run, dataset, datetime(2024, 5, day, tzinfo=UTC), date(2024, 5, day), not reasons, "\n".join(reasons), *held],
    )


def add_check(
    connection: extensions.connection,
    run: str,
    day: int,
    rule: str,
    failed: int,
    *,
    dataset: str = SHOP,
    kind: str = "rule",
    pending: int = 0,
) -> None:
    """One check of 1,000 rows; a score warns under 0.99 and fails under 0.9, any broken rule warns."""
    share = 1 - failed / 1000
    limits = (0.9, 0.99) if kind == "score" else (None, 1.0)
    verdict = "fail" if limits[0] and share < limits[0] else "warn" if share < limits[1] else "pass"
    moment = datetime(2024, 5, day, tzinfo=UTC)
    values = [run, moment, dataset, rule, kind, "validity", "error", verdict, verdict == "pass", 1000, failed, pending]
    query(connection, CHECK, [*values, share, *limits])


def card(connection: extensions.connection, dataset: str = SHOP, extent: Extent | None = None) -> DatasetCard:
    found = read_scorecard(connection, CONTRACTS, extent).dataset(dataset)
    assert found is not None
    return found


def test_a_warehouse_in_which_nothing_was_judged_has_no_scorecard(connection: extensions.connection) -> None:
    assert read_scorecard(connection, CONTRACTS).datasets == ()


def test_a_score_has_its_latest_value_and_the_way_it_came(connection: extensions.connection) -> None:
    for day, failed in ((1, 0), (2, 20), (3, 200)):
        judge(connection, f"run{day}", day)
        add_check(connection, f"run{day}", day, "validity", failed, kind="score")

    (score,) = card(connection).scores

    assert (score.value, score.verdict, score.rows_checked, score.rows_failed) == (0.8, Verdict.FAIL, 1000, 200)
    assert (score.warn_threshold, score.fail_threshold) == (0.99, 0.9)
    assert [point.score for point in score.trend] == [1.0, 0.98, 0.8]
    assert [point.verdict for point in score.trend] == [Verdict.PASS, Verdict.WARN, Verdict.FAIL]
    assert score.change == pytest.approx(-0.18)


def test_the_trend_has_as_many_evaluations_as_asked_for_the_latest_ones(connection: extensions.connection) -> None:
    for day in range(1, 8):
        judge(connection, f"run{day}", day)
        add_check(connection, f"run{day}", day, "validity", day, kind="score")

    (score,) = card(connection, extent=Extent(runs=3)).scores

    assert [point.run_id for point in score.trend] == ["run5", "run6", "run7"]


def test_a_run_that_repeats_a_judgement_adds_nothing_to_the_trend(connection: extensions.connection) -> None:
    for run in ("run1", "run2"):
        judge(connection, run, 1)
        add_check(connection, run, 1, "validity", 100, kind="score")
        add_check(connection, run, 1, "price_not_negative", 100)

    found = card(connection)

    assert len(found.scores[0].trend) == 1
    assert [check.change for check in found.checks] == [None]


def test_a_load_that_judges_another_dataset_erases_nothing(connection: extensions.connection) -> None:
    judge(connection, "run1", 1)
    add_check(connection, "run1", 1, "validity", 30, kind="score")
    add_check(connection, "run1", 1, "price_not_negative", 30)
    before = card(connection)

    judge(connection, "run2", 2, dataset="product_catalog")
    add_check(connection, "run2", 2, "validity", 0, dataset="product_catalog", kind="score")

    assert card(connection) == before
    assert card(connection, "product_catalog").run_id == "run2"


def test_rules_come_dearest_first_with_the_difference_to_the_evaluation_before(
    connection: extensions.connection,
) -> None:
    for day, failed in ((1, 50), (2, 20)):
        judge(connection, f"run{day}", day)
        add_check(connection, f"run{day}", day, "quantity_not_zero", failed)
    add_check(connection, "run2", 2, "price_not_negative", 400, pending=7)
    add_check(connection, "run2", 2, "country_present", 0)

    found = card(connection)

    assert [(check.rule, check.rows_failed, check.change) for check in found.costs] == [
        ("price_not_negative", 400, None),
        ("quantity_not_zero", 20, -30),
    ]
    assert (found.costs[0].failed_share, found.costs[0].rows_pending) == (0.4, 7)


def test_a_rule_that_the_contract_no_longer_has_costs_nothing_now(connection: extensions.connection) -> None:
    judge(connection, "run1", 1)
    add_check(connection, "run1", 1, "given_up", 900)
    judge(connection, "run2", 2)
    add_check(connection, "run2", 2, "price_not_negative", 1)

    assert [check.rule for check in card(connection).costs] == ["price_not_negative"]


def test_a_shut_gate_has_its_reasons_and_what_it_holds_back(connection: extensions.connection) -> None:
    reasons = ("validity is 0.80000, the threshold is 0.9", "ledger_balances: 1 file does not balance")
    judge(connection, "run1", 1, reasons=reasons)
    add_check(connection, "run1", 1, "validity", 200, kind="score")

    found = card(connection)

    assert (found.gate_is_open, found.reasons, found.state) == (False, reasons, State.FAIL)
    assert found.held_back == HeldBack(files=2, rows=500, since=date(2024, 4, 30))


LEDGER = (
    "INSERT INTO quality.row_ledger (dataset, source_file, rows_read, rows_rejected, rows_quarantined, rows_duplicate,"
    " rows_loaded, amount_read, amount_rejected, amount_quarantined, amount_duplicate, amount_loaded, status)"
    " VALUES (%s, %s, %s, 0, %s, 0, %s, %s, 0, %s, 0, %s, 'read')"
)


def test_the_ledger_is_summed_over_all_files_and_shows_those_that_lost_most(connection: extensions.connection) -> None:
    judge(connection, "run1", 1)
    for place in range(5):
        lost = place * 10
        query(connection, LEDGER, [SHOP, f"{place}.csv", 100, lost, 100 - lost, Decimal("10.05"), 1, Decimal("9.05")])

    query(connection, "UPDATE quality.row_ledger SET rows_corrected = 3 WHERE source_file IN ('1.csv', '2.csv')")

    found = card(connection, extent=Extent(files=2)).ledger

    assert found.total.rows_corrected == 6
    assert (found.files, found.total.rows_read, found.total.rows_quarantined) == (5, 500, 0 + 10 + 20 + 30 + 40)
    assert (found.total.amount_read, found.total.amount_loaded) == (Decimal("50.25"), Decimal("45.25"))
    assert [line.source_file for line in found.lines] == ["4.csv", "3.csv"]


def raw_line(**cells: str) -> str:
    return ",".join(cells.get(name, "") for name in CONTRACTS[SHOP].column_names)


QUARANTINE = (
    "INSERT INTO quality.quarantine (dataset, source_file, source_row, kind, reasons, raw)"
    " VALUES (%s, %s, %s, %s, %s, %s)"
)


def test_failing_rows_are_found_under_each_rule_they_break_with_personal_cells_masked(
    connection: extensions.connection,
) -> None:
    judge(connection, "run1", 1)
    raw = raw_line(customer_id="17850", quantity="-3", unit_price="2.50")
    for line in range(2, 12):
        reasons = "first_rule, second_rule" if line == 5 else "first_rule"
        query(connection, QUARANTINE, [SHOP, "day.csv", line, "row", reasons, raw])

    found = card(connection, extent=Extent(rows=4))

    assert [(one.rule, one.total) for one in found.failing] == [("first_rule", 10), ("second_rule", 1)]
    assert [row.source_row for row in found.failing[0].rows] == [2, 3, 4, 5]
    (both,) = found.failing[1].rows
    assert (both.source_file, both.source_row, both.reasons) == ("day.csv", 5, "first_rule, second_rule")
    assert dict(both.cells) == {"customer_id": MASK, "quantity": "-3", "unit_price": "2.50"}


def test_lines_and_files_that_could_not_be_read_are_shown_with_their_reason_and_without_their_text(
    connection: extensions.connection,
) -> None:
    judge(connection, "run1", 1)
    query(connection, QUARANTINE, [SHOP, "day.csv", 7, "line", "3 cells, 8 expected", "17850,Smith,x"])
    query(connection, QUARANTINE, [SHOP, "bad.csv", 0, "file", "No header, none at all.", None])

    found = {one.rule: one.rows[0] for one in card(connection).failing}

    assert found["line_not_readable"].reasons == "3 cells, 8 expected"
    assert found["line_not_readable"].cells == ()
    assert "personal" in found["line_not_readable"].hidden
    assert (found["file_refused"].source_row, found["file_refused"].reasons) == (0, "No header, none at all.")


def test_rows_that_break_a_warning_are_shown_although_they_are_not_in_quarantine(
    connection: extensions.connection,
) -> None:
    judge(connection, "run1", 1)
    add_check(connection, "run1", 1, "country_known", 12)
    add_check(connection, "run1", 1, "price_not_negative", 1)
    sample = "INSERT INTO quality.failing_samples VALUES (%s, %s, 'day.csv', %s, %s)"
    query(connection, sample, [SHOP, "country_known", 7, '{"country": "Atlantis"}'])
    query(connection, sample, [SHOP, "price_not_negative", 9, '{"unit_price": "-1"}'])
    query(connection, QUARANTINE, [SHOP, "day.csv", 9, "row", "price_not_negative", raw_line(unit_price="-1.00")])

    found = {one.rule: one for one in card(connection).failing}

    assert (found["country_known"].total, found["country_known"].set_aside) == (12, False)
    assert found["country_known"].rows[0].cells == (("country", "Atlantis"),)
    # What stood in the file, rather than what became of it.
    assert found["price_not_negative"].rows[0].cells == (("unit_price", "-1.00"),)


def test_checks_evaluated_by_themselves_replace_their_own_results_and_no_others(
    connection: extensions.connection,
) -> None:
    judge(connection, "run1", 1)
    add_check(connection, "run1", 1, "price_not_negative", 5)
    add_check(connection, "run1", 1, "country_present", 3)
    add_check(connection, "checks-alone", 2, "price_not_negative", 4)

    found = card(connection)

    assert [(check.rule, check.rows_failed, check.change) for check in found.costs] == [
        ("price_not_negative", 4, -1),
        ("country_present", 3, None),
    ]
    assert found.run_id == "run1"


def test_the_views_say_what_the_scorecard_says(connection: extensions.connection) -> None:
    for day, failed in ((1, 0), (2, 150)):
        judge(connection, f"run{day}", day)
        add_check(connection, f"run{day}", day, "validity", failed, kind="score")
        add_check(connection, f"run{day}", day, "price_not_negative", failed)

    trend = query(
        connection,
        "SELECT run_id, score, score_before, verdict FROM quality.score_trend WHERE dataset = %s ORDER BY evaluated_at",
        [SHOP],
    )
    costs = query(connection, "SELECT rule, rows_failed, failed_rate, rows_failed_before FROM quality.rule_costs")

    assert trend == [("run1", 1.0, None, "pass"), ("run2", 0.85, 1.0, "fail")]
    assert costs == [("price_not_negative", 150, 0.15, 0)]
