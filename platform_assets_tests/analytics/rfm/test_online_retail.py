"""The published values of real customers."""

import json
import tarfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv

from platform_assets.analytics.rfm.scores import FrequencyOf, customer_measures
from platform_assets.engines.engine import INSTANT, MONEY, Engine
from platform_assets_tests.conftest import without_spark

TEXT = dict.fromkeys(("InvoiceNo", "StockCode", "CustomerID", "Description", "Country"), pa.string())


@pytest.fixture(scope="module")
def purchases(shared_datasets: Path) -> pa.Table:
    """What the published values are of: lines of known customers with a price, no cancellations, none left out."""
    options = csv.ConvertOptions(column_types=TEXT, strings_can_be_null=True)
    parsing = csv.ParseOptions(newlines_in_values=True)
    with tarfile.open(shared_datasets / "online_retail" / "by-day.tar.gz") as archive:
        files = [archive.extractfile(member) for member in archive if member.name.endswith(".csv")]
        tables = [csv.read_csv(file, parse_options=parsing, convert_options=options) for file in files if file]
    table = pa.concat_tables(tables, promote_options="permissive")
    is_bought = (pc.field("Quantity") > 0) & (pc.field("UnitPrice") > 0)
    return table.filter(is_bought & pc.field("CustomerID").is_valid() & ~pc.starts_with(pc.field("InvoiceNo"), "C"))


def sale_lines(purchases: pa.Table) -> pa.Table:
    amounts = pc.multiply(purchases["Quantity"].cast(pa.int64()), purchases["UnitPrice"].cast(pa.decimal128(18, 4)))
    count = len(purchases)
    return pa.table(
        {
            "customer_id": pc.replace_substring_regex(purchases["CustomerID"], r"\.0$", ""),
            "sold_at": purchases["InvoiceDate"].cast(INSTANT),
            "net_amount": amounts.cast(MONEY),
            "is_return": pa.repeat(pa.scalar(value=False), count),
            "order_id": purchases["InvoiceNo"],
            "source_system": pa.repeat("ecommerce_transactions", count),
            "_source_file": pa.repeat("a.csv", count),
            "_source_row": pa.array(range(count)),
        }
    )


def measured(engine: Engine, purchases: pa.Table, frequency_of: FrequencyOf) -> dict[str, dict[str, Any]]:
    # The snapshot is midnight of 10 December; a day counts from its end here, so it is the end of 9 December.
    frame = customer_measures(engine.from_arrow(sale_lines(purchases)), date(2011, 12, 9), None, frequency_of)
    return {row["customer_id"]: row for row in engine.collect(frame).to_pylist()}


@without_spark
def test_online_retail_has_the_published_values_per_customer(
    engine: Engine, purchases: pa.Table, shared_datasets: Path
) -> None:
    truth = json.loads((shared_datasets / "truth.json").read_text(encoding="utf-8"))["online_retail"]
    published = truth["rfm_snapshot_2011_12_10"]

    rows = measured(engine, purchases, "orders")

    assert len(rows) == truth["notC_qpos_ppos_with_customer"]["customers"] == 4338
    for name in ("12346", "12347", "14646", "17850"):
        row = rows[name]
        got = [row["days_since_last"], row["frequency"], row["monetary_amount"]]
        assert got == [Decimal(str(value)) for value in published[name]], name
    means = [sum(row[name] for row in rows.values()) / len(rows) for name in ("days_since_last", "frequency")]
    assert means == [pytest.approx(published["R_mean"], abs=5e-4), pytest.approx(published["F_mean"], abs=5e-4)]
    total = sum(row["monetary_amount"] for row in rows.values())
    assert total == Decimal("8911407.9040")
    assert float(total / len(rows)) == pytest.approx(published["M_mean"], abs=5e-4)


@without_spark
def test_days_with_an_order_are_never_more_than_the_orders(engine: Engine, purchases: pa.Table) -> None:
    days, orders = (measured(engine, purchases, kind) for kind in ("days", "orders"))

    assert all(days[name]["frequency"] <= row["frequency"] for name, row in orders.items())
    assert sum(row["frequency"] for row in orders.values()) == 18532
