import pytest

from platform_assets.config import Config, DatasetSettings
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.quality.results import CheckResult, Kind, Verdict
from platform_assets_tests.conftest import without_spark
from platform_assets_tests.deliveries import Deliveries
from platform_assets_tests.frames import Row

RETAIL = CONTRACTS["retail_analytics"]
ROW: Row = {"customer_id": "c1", "purchase_date": "2024-01-01", "channel": "Store", "amount_spent": "10"}
in_memory = pytest.mark.parametrize("engine", ["pandas"], indirect=True, scope="session")
"""For tests of what is judged in Python, from what was found when a file was read."""


def schema(deliveries: Deliveries, config: Config | None = None) -> CheckResult:
    return deliveries.process(RETAIL, config=config).assessment.result("schema_known")


@in_memory
def test_files_with_the_columns_of_the_contract_pass(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [ROW])

    result = schema(deliveries)

    assert (result.verdict, result.kind, result.rows_checked, result.rows_failed) == (Verdict.PASS, Kind.FILES, 1, 0)
    assert result.note == ""


@in_memory
def test_a_new_column_warns_with_the_difference_and_its_rows_are_loaded(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [ROW])
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "b.csv", [{**ROW, "customer_id": "c2", "Loyalty Tier": "gold"}])

    result = schema(deliveries)

    assert (result.verdict, result.rows_checked, result.rows_failed) == (Verdict.WARN, 2, 1)
    assert result.note == "not in the contract: 'Loyalty Tier' (1 file); new since the delivery before: Loyalty Tier"
    assert result.examples == ("b.csv: Loyalty Tier",)
    assert len(deliveries.counting(RETAIL)) == 2


@in_memory
def test_a_column_that_is_ignored_is_no_news_however_it_is_written(deliveries: Deliveries) -> None:
    config = Config(datasets={RETAIL.dataset: DatasetSettings(ignored_columns=("loyalty_tier",))})
    deliveries.deliver(RETAIL, "a.csv", [{**ROW, "Loyalty Tier": "gold", "Comment": "x"}])

    result = schema(deliveries, config)

    assert result.note == "not in the contract: 'Comment' (1 file)"


@in_memory
def test_an_optional_column_that_is_no_longer_delivered_is_named(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [{**ROW, "items_purchased": "3"}])
    deliveries.process(RETAIL)
    deliveries.deliver(RETAIL, "a.csv", [ROW])

    result = schema(deliveries)

    assert result.note == "no longer delivered: items_purchased"
    assert result.verdict is Verdict.PASS


@in_memory
def test_a_lost_required_column_refuses_the_file_and_is_told_with_candidates(deliveries: Deliveries) -> None:
    lost = {("customer_nr" if name == "customer_id" else name): cell for name, cell in ROW.items()}
    deliveries.deliver(RETAIL, "a.csv", [ROW])
    deliveries.deliver(RETAIL, "b.csv", [lost])

    result = schema(deliveries)

    assert (result.verdict, result.rows_checked, result.rows_failed) == (Verdict.WARN, 2, 1)
    assert "b.csv was refused: Required columns are missing: customer_id. Found: customer_nr, " in result.note
    assert "rename (customer_id: customer_nr)" in result.note


@without_spark
def test_a_column_of_another_type_is_set_aside_and_named_with_an_example(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [ROW])
    wrong = [{**ROW, "customer_id": f"c{place}", "amount_spent": "high, very"} for place in range(3)]
    deliveries.deliver(RETAIL, "b.csv", [*wrong, {**ROW, "amount_spent": "12"}])

    result = schema(deliveries)

    assert result.rows_failed == 1
    assert result.note == "b.csv: 3 of 4 values of amount_spent cannot be read as money, for example 'high, very'"
    assert len(deliveries.quarantine(RETAIL)) == 3


@in_memory
def test_few_cells_that_cannot_be_read_are_no_change_of_type(deliveries: Deliveries) -> None:
    rows = [{**ROW, "customer_id": f"c{place}"} for place in range(3)]
    deliveries.deliver(RETAIL, "a.csv", [{**ROW, "amount_spent": "high"}, *rows])

    assert schema(deliveries).verdict is Verdict.PASS


@in_memory
def test_the_example_is_looked_up_once_and_forgotten_with_its_file(deliveries: Deliveries) -> None:
    deliveries.deliver(RETAIL, "a.csv", [{**ROW, "amount_spent": "high"}])
    first = schema(deliveries)
    snapshot = deliveries.table("deliveries", RETAIL).snapshot()
    again = schema(deliveries)

    assert list(snapshot.attributes["examples"].values()) == ["high"]
    assert again == first
    deliveries.deliver(RETAIL, "a.csv", [ROW])
    schema(deliveries)
    assert deliveries.table("deliveries", RETAIL).snapshot().attributes["examples"] == {}


@in_memory
def test_a_dataset_without_files_has_a_result(deliveries: Deliveries) -> None:
    result = schema(deliveries)

    assert (result.verdict, result.rows_checked, result.score) == (Verdict.PASS, 0, None)
