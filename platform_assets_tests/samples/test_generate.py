"""The generator of sample data: what it promises about size, bytes, truth, processes and memory."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import platform_assets
from platform_assets.errors import SettingsError
from platform_assets.samples.generate import SampleSummary, generate
from platform_assets_tests.samples.reading import Reading, is_quarantined, ledger, number, read_all

ROWS = 3000
DATASETS = ("ecommerce_transactions", "superstore_sales", "product_catalog", "retail_analytics")


@dataclass(frozen=True)
class Sample:
    """A generated sample, what its truth says, and what a second reading found."""

    out: Path
    summary: SampleSummary
    truth: dict[str, Any]
    readings: dict[str, Reading]

    @classmethod
    def of(cls, out: Path, rows: int, seed: int) -> "Sample":
        """Generate and read a sample."""
        summary = generate(out, rows, seed)
        truth = json.loads(summary.truth.read_text(encoding="utf-8"))
        return cls(out, summary, truth, read_all(out, date.fromisoformat(truth["as_of"])))


@pytest.fixture(scope="module", params=[(ROWS, 7), (1000, 1)], ids=["small", "smallest"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample.of(tmp_path_factory.mktemp("sample"), *request.param)


@pytest.fixture(scope="module")
def default_sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    out = tmp_path_factory.mktemp("default")
    summary = generate(out)
    return Sample(out, summary, json.loads(summary.truth.read_text(encoding="utf-8")), {})


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    out = tmp_path_factory.mktemp("large")
    script = (
        "import resource, sys; from pathlib import Path; from platform_assets.samples.generate import generate\n"
        "generate(Path(sys.argv[1]), 200_000)\n"
        "status = Path('/proc/self/status')\n"
        # Linux lets a child inherit its parent's peak in getrusage; the high-water mark of its own memory is its own.
        "lines = status.read_text().splitlines() if status.exists() else []\n"
        "own = [int(line.split()[1]) for line in lines if line.startswith('VmHWM')]\n"
        "print(own[0] if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)  # macOS counts bytes"
    )
    checkout = Path(platform_assets.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", script, str(out)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    (out / "peak").write_text(done.stdout)
    truth = json.loads((out / "_truth" / "truth.json").read_text(encoding="utf-8"))
    lines = {name: sum(file["rows_read"] for file in truth["ledger"][name].values()) for name in DATASETS}
    return Sample(out, SampleSummary(out, {}, lines, 0, out / "_truth" / "truth.json"), truth, {})


def _digests(out: Path) -> dict[str, str]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_rows_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        generate(tmp_path / name, 1000, 5)
    assert _digests(tmp_path / "first") == _digests(tmp_path / "second")


def test_another_seed_gives_other_files(tmp_path: Path) -> None:
    for seed in (5, 6):
        generate(tmp_path / str(seed), 1000, seed)
    first, second = (_digests(tmp_path / str(seed)) for seed in (5, 6))
    assert not set(first.values()) & set(second.values())


def test_the_default_sample_has_the_promised_sizes(default_sample: Sample) -> None:
    lines = default_sample.summary.lines
    assert lines["ecommerce_transactions"] >= 5000
    assert lines["superstore_sales"] >= 3000
    assert lines["product_catalog"] >= 200
    assert lines["retail_analytics"] >= 4000


def test_files_are_daily_monthly_weekly_and_one_catalogue(default_sample: Sample) -> None:
    out = default_sample.out
    assert 170 <= len(list((out / "ecommerce_transactions").glob("2024-??-??.csv"))) <= 180
    assert len(list((out / "superstore_sales").glob("superstore_202[34]_??.csv"))) == 24
    assert [path.name for path in (out / "product_catalog").iterdir()] == ["products.csv"]
    assert len(list((out / "retail_analytics").glob("retail_2024_W??.csv"))) == 52
    assert default_sample.summary.files == {
        name: len(list((out / name).iterdir())) for name in DATASETS
    }  # fmt: skip


def test_nothing_hidden_stays_behind(default_sample: Sample) -> None:
    assert sorted(path.name for path in default_sample.out.iterdir()) == sorted([*DATASETS, "_truth"])


def test_every_kind_of_defect_is_in_the_default_sample(default_sample: Sample) -> None:
    rules = default_sample.truth["rules"]
    assert {name: sorted(rule for rule, count in rules[name].items() if count) for name in DATASETS} == {
        "ecommerce_transactions": sorted([
            "customer_id_present", "line_unique", "price_agrees_with_catalogue", "product_known", "quantity_not_zero",
            "quantity_readable", "total_amount_matches", "transaction_date_not_before_1990",
            "transaction_date_readable", "unit_price_not_negative", "unit_price_positive", "unit_price_present",
        ]),
        "superstore_sales": sorted([
            "discount_is_rate", "line_unique", "one_name_per_product", "one_segment_per_customer", "product_known",
            "quantity_positive", "quantity_readable", "row_id_unique", "sales_not_negative",
            "ship_date_after_order_date",
        ]),
        "product_catalog": sorted([
            "category_present", "cost_not_negative", "height_cm_positive", "price_not_above_list_price",
            "price_not_negative", "product_id_unique", "weight_g_positive", "weight_g_readable",
        ]),
        "retail_analytics": sorted([
            "amount_matches_items", "amount_spent_not_negative", "amount_spent_readable", "channel_known",
            "channel_present", "customer_known", "items_purchased_positive", "items_purchased_readable",
            "line_unique", "purchase_date_readable",
        ]),
    }  # fmt: skip


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_second_reading_finds_what_the_truth_says_and_nothing_besides(sample: Sample, dataset: str) -> None:
    found = sample.readings[dataset].count()
    assert found == Counter({rule: count for rule, count in sample.truth["rules"][dataset].items() if count})


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_truth_lists_the_very_places(sample: Sample, dataset: str) -> None:
    places: dict[str, list[list[Any]]] = {rule: [] for rule, found in sample.truth["where"][dataset].items() if found}
    for row in sample.readings[dataset].rows:
        for rule in row.broken & places.keys():
            places[rule].append([row.file, row.line])
    listed = {rule: found for rule, found in sample.truth["where"][dataset].items() if found}
    assert {rule: found[:1000] for rule, found in places.items()} == listed


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_truth_lists_the_rejected_lines(sample: Sample, dataset: str) -> None:
    found = [list(place) for place in sample.readings[dataset].rejected]
    assert found
    assert found == sample.truth["rejected"][dataset]


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_ledger_of_every_file_is_right_in_rows_and_money(sample: Sample, dataset: str) -> None:
    found = ledger(dataset, sample.readings[dataset])
    told = sample.truth["ledger"][dataset]
    assert found.keys() == told.keys()
    for file, entry in told.items():
        assert {name: found[file][name] for name in entry} == {name: Decimal(value) for name, value in entry.items()}


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_gates_of_the_default_thresholds_stay_open(default_sample: Sample, dataset: str) -> None:
    entries = default_sample.truth["ledger"][dataset].values()
    total = {part: sum(entry[f"rows_{part}"] for entry in entries) for part in ("read", "quarantined", "duplicate")}
    unique = total["duplicate"] + default_sample.truth["rules"][dataset].get("product_id_unique", 0)
    assert unique / total["read"] < 0.007
    assert total["quarantined"] / total["read"] < 0.02


@pytest.mark.parametrize("dataset", DATASETS)
def test_few_cells_are_empty(sample: Sample, dataset: str) -> None:
    cells = [cell for row in sample.readings[dataset].rows for cell in row.cells.values()]
    assert sum(cell == "" for cell in cells) / len(cells) < 0.02


def test_one_superstore_file_is_cp1252_and_says_so_by_its_bytes(default_sample: Sample) -> None:
    raw = (default_sample.out / "superstore_sales" / "superstore_2023_11.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    assert any(0x80 <= byte <= 0x9F for byte in raw)
    assert "\u2019" in raw.decode("cp1252")


def test_superstore_files_cannot_be_read_day_first(default_sample: Sample) -> None:
    for path in sorted((default_sample.out / "superstore_sales").iterdir()):
        delimiter = b";" if b";" in path.read_bytes().split(b"\n")[0] else b","
        dates = [line.split(delimiter)[2] for line in path.read_bytes().split(b"\n")[1:] if line.count(delimiter) >= 20]
        assert sum(int(day.split(b"/")[1]) > 12 for day in dates) > len(dates) / 4, path.name


def test_customers_and_products_are_shared(sample: Sample) -> None:
    buyers = {
        name: {row.cells["customer_id"].removesuffix(".0") for row in reading.rows} - {""}
        for name, reading in sample.readings.items()
        if name != "product_catalog"
    }
    shop, business, retail = (
        buyers[name] for name in ("ecommerce_transactions", "superstore_sales", "retail_analytics")
    )
    assert len(retail & shop) > 15
    assert retail & business
    assert retail - shop - business
    sold = {
        row.cells["product_id"].upper()
        for name in ("ecommerce_transactions", "superstore_sales")
        for row in sample.readings[name].rows
    }
    listed = {row.cells["product_id"] for row in sample.readings["product_catalog"].rows}
    assert len(sold & listed) > 100
    assert sold - listed


def test_there_are_returns_losses_promotions_and_odd_spellings(sample: Sample) -> None:
    shop, business = (sample.readings[name].rows for name in ("ecommerce_transactions", "superstore_sales"))
    returns = [row for row in shop if (number(row.cells["quantity"]) or 0) < 0]
    assert returns
    assert all(row.cells["transaction_id"].startswith("C") for row in returns)
    losses = [row for row in business if Decimal(row.cells["profit"]) < 0]
    assert 0.05 < len(losses) / len(business) < 0.5
    assert any(row.cells["product_id"].islower() for row in shop)
    assert any(row.cells["channel"].isupper() for row in sample.readings["retail_analytics"].rows)


def test_the_price_error_is_on_its_day_and_its_product(sample: Sample) -> None:
    event = next(event for event in sample.truth["events"] if event["kind"] == "price_error")
    prices: dict[bool, list[Decimal]] = {True: [], False: []}
    for row in sample.readings["ecommerce_transactions"].rows:
        price = number(row.cells["unit_price"])
        if row.cells["product_id"].upper() == event["product_id"] and price and not is_quarantined(row):
            prices[row.cells["transaction_date"].startswith(event["first"])].append(price)
    assert len(prices[True]) >= event["lines"] >= 1
    assert max(prices[True]) < min(prices[False]) / 20


def test_an_outage_and_a_promotion_show_in_the_orders(large: Sample) -> None:
    events = {event["kind"]: event for event in large.truth["events"]}
    rows = {file: entry["rows_read"] for file, entry in large.truth["ledger"]["ecommerce_transactions"].items()}
    usual = float(np.median(list(rows.values())))
    assert rows.get(f"{events['outage']['first']}.csv", 0) < usual / 5
    assert rows[f"{events['promotion']['first']}.csv"] > usual * 1.5


def test_line_counts_come_within_two_percent_of_what_is_asked(large: Sample) -> None:
    assert large.summary.lines["ecommerce_transactions"] == pytest.approx(200_000, rel=0.02)
    assert large.summary.lines["superstore_sales"] == pytest.approx(120_000, rel=0.02)
    assert large.summary.lines["retail_analytics"] == pytest.approx(160_000, rel=0.02)
    assert large.summary.lines["product_catalog"] == pytest.approx(4 * 200_000**0.5, rel=0.02)


def test_memory_stays_far_below_the_size_of_all_rows_as_objects(large: Sample) -> None:
    kilobytes = int((large.out / "peak").read_text())
    assert kilobytes < 400 * 1024


def test_lifetimes_and_rates_have_the_moments_of_the_process(large: Sample) -> None:
    customers = pq.read_table(large.out / "_truth" / "customers.parquet").to_pandas()
    assert len(customers) == pytest.approx(200_000 / 6, abs=1)
    assert customers["mu"].mean() == pytest.approx(1.5 / 400, rel=0.03)
    assert customers["mu"].var() == pytest.approx(1.5 / 400**2, rel=0.1)
    alpha = large.truth["parameters"]["pareto_nbd"]["alpha"]["retail_analytics"]
    rates = customers.loc[customers["lambda_retail_analytics"] > 0, "lambda_retail_analytics"]
    assert rates.mean() == pytest.approx(0.6 / alpha, rel=0.05)
    assert rates.var() == pytest.approx(0.6 / alpha**2, rel=0.1)
    assert (customers["lifetime_days"] * customers["mu"]).mean() == pytest.approx(1, rel=0.03)


def test_spend_is_heavy_tailed(large: Sample) -> None:
    spend = np.sort(pq.read_table(large.out / "_truth" / "customers.parquet")["spend"].to_numpy())
    assert spend.mean() == pytest.approx(6 * 27.5 / 2.75, rel=0.05)
    assert spend[-len(spend) // 10 :].sum() / spend.sum() > 0.25


def test_purchases_follow_each_customers_rate_and_lifetime(large: Sample) -> None:
    customers = pq.read_table(large.out / "_truth" / "customers.parquet").to_pandas().set_index("customer_id")
    bought: Counter[str] = Counter()
    for path in (large.out / "retail_analytics").iterdir():
        bought.update(line.split(",", 1)[0] for line in path.read_text(encoding="utf-8").splitlines()[1:])
    customers["bought"] = customers.index.map(lambda name: bought[name])
    first, last = np.datetime64("2023-01-02"), np.datetime64("2024-12-30")
    birth, death = (customers[name].astype("datetime64[ns]") for name in ("birth", "death"))
    days = (death.fillna(last).clip(upper=last) - birth.clip(lower=first)).dt.days.clip(lower=0)
    expected = customers["lambda_retail_analytics"] * days
    assert not customers.loc[days <= 0, "bought"].sum() - (birth >= first).sum() > 0
    busy = expected > 5
    assert busy.sum() > 1000
    assert (customers["bought"] / expected)[busy].mean() == pytest.approx(1, abs=0.12)
    assert np.corrcoef(customers["bought"][busy], expected[busy])[0, 1] > 0.95


@pytest.mark.parametrize(("rows", "seed", "what"), [(999, 1, "999 rows"), (1000, -1, "seed")])
def test_sizes_that_cannot_be_made_are_refused(tmp_path: Path, rows: int, seed: int, what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        generate(tmp_path, rows, seed)
    assert not list(tmp_path.iterdir())


def test_files_that_are_there_are_never_mixed_with(tmp_path: Path) -> None:
    (tmp_path / "superstore_sales").mkdir()
    (tmp_path / "superstore_sales" / "mine.csv").write_text("mine")
    with pytest.raises(SettingsError, match="superstore_sales already holds files"):
        generate(tmp_path, 1000)
    assert [path.name for path in tmp_path.rglob("*.csv")] == ["mine.csv"]


def test_hidden_files_and_an_interrupted_call_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "superstore_sales").mkdir()
    (tmp_path / "superstore_sales" / ".gitkeep").touch()
    (tmp_path / ".partial" / "superstore_sales").mkdir(parents=True)
    (tmp_path / ".partial" / "superstore_sales" / "half.csv").write_text("half")
    generate(tmp_path, 1000)
    assert not list(tmp_path.rglob("half.csv"))
    assert len(list((tmp_path / "superstore_sales").glob("*.csv"))) == 24


def test_progress_is_told_for_every_dataset(tmp_path: Path) -> None:
    told: list[str] = []
    generate(tmp_path, 1000, on_progress=told.append)
    assert {line.split(":")[0] for line in told} == set(DATASETS)
