"""Products on the generated sample, against what the generator says it did: prints figures; see ``main``."""

import argparse
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from platform_assets.analytics.products.affinity import affinity, product_baskets
from platform_assets.analytics.products.prices import PriceRules, _usual_prices, sale_price_changes
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import Frame, conformed
from platform_assets.lake.table import ACCEPTED
from platform_assets.samples.generate import TRUTH, generate
from platform_assets.transforms.accepted import counting_rows
from platform_assets.transforms.core_sales import SALES_SCHEMA, conformed_sales
from platform_assets_tests.deliveries import Deliveries

DATASET = "ecommerce_transactions"
AS_OF = date(2024, 12, 31)
CURRENCIES = {DATASET: "GBP"}


def main() -> None:
    """Generate, stage and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        home = Path(folder)
        generate(home / "raw", rows=options.rows, seed=options.seed)
        engine = DuckDBEngine(home / "scratch")
        sales = _sales(Deliveries(home, engine))
        truth = pq.read_table(home / "raw" / TRUTH / "products.parquet").to_pylist()
        _prices(sales, truth, engine)
        _affinity(sales, engine)


def _sales(deliveries: Deliveries) -> Frame:
    contract = CONTRACTS[DATASET]
    deliveries.look(contract)
    staged = deliveries.stage(contract)
    assert staged is not None
    table = deliveries.table("staging", contract)
    rows = counting_rows(table, table.snapshot(ACCEPTED), contract, deliveries.engine)
    frame = conformed(conformed_sales(rows, DATASET), SALES_SCHEMA)
    return deliveries.engine.from_arrow(deliveries.engine.collect(frame))


def _prices(sales: Frame, truth: list[dict[str, Any]], engine: DuckDBEngine) -> None:
    started = time.perf_counter()
    found = sale_price_changes(sales, CURRENCIES, AS_OF, engine).to_pylist()
    taken = time.perf_counter() - started
    planted = {one["product_id"]: [(c["date"], c["factor"]) for c in one["price_changes"]] for one in truth}
    right = [row for row in found if _is_planted(row, planted)]
    sold = {row["product_id"] for row in found}
    print(f"price changes found: {len(found)} of {len(sold)} products in {taken:.1f} s")  # noqa: T201
    print(f"planted within the days seen, same size to 1.5 points: {len(right)} = {len(right) / len(found):.3f}")  # noqa: T201
    visible = _visible(planted, sales, engine)
    spans = {(row["product_id"], row["last_seen_before_date"], row["changed_date"]) for row in found}
    seen = [one for one in visible if any(one[0] == name and first < one[1] <= last for name, first, last in spans)]
    print(f"planted and visible (three days with sales on either side): {len(visible)}, found {len(seen)}")  # noqa: T201


def _visible(
    planted: dict[str, list[tuple[date, float]]], sales: Frame, engine: DuckDBEngine
) -> list[tuple[str, date]]:
    """Planted changes with three days with sales between them and the changes before and after."""
    days: dict[str, list[date]] = {}
    for row in engine.collect(_usual_prices(sales, CURRENCIES, AS_OF)).to_pylist():
        days.setdefault(row["product_id"], []).append(row["_day"])
    visible = []
    for name, changes in planted.items():
        ends = [date.min, *(day for day, _ in changes), date.max]
        for before, day, after in zip(ends, ends[1:], ends[2:], strict=False):
            sold = days.get(name, [])
            if min(sum(before <= d < day for d in sold), sum(day <= d < after for d in sold)) >= PriceRules().days:
                visible.append((name, day))
    return visible


def _is_planted(row: dict[str, Any], planted: dict[str, list[tuple[date, float]]]) -> bool:
    """Whether planted changes between the two prices, or the promotion, explain the change."""
    first, last = row["last_seen_before_date"], row["changed_date"]
    factor = 1.0
    for day, size in planted.get(row["product_id"], []):
        factor *= size if first < day <= last else 1.0
    near = [factor, factor * 0.8, factor / 0.8]
    return any(abs(1 + row["change_rate"] - one) < 0.015 for one in near if abs(one - 1) > 0.001)


def _affinity(sales: Frame, engine: DuckDBEngine) -> None:
    started = time.perf_counter()
    found = affinity(product_baskets(sales, AS_OF), "product", engine)
    taken = time.perf_counter() - started
    significant = sum(found.pairs["is_significant"].to_pylist())
    print(  # noqa: T201
        f"affinity: {found.baskets} baskets, {found.items} items, {found.tests} tests, {len(found.pairs)} pairs, "
        f"{significant} significant (the sample plants none) in {taken:.1f} s"
    )


if __name__ == "__main__":
    main()
