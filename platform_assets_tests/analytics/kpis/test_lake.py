"""Key figures from the lake, where DuckDB is not what PostgreSQL is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from platform_assets.analytics.kpis import lake
from platform_assets.analytics.kpis.checks import breaches
from platform_assets.analytics.kpis.lake import lake_values, sale_lines
from platform_assets.analytics.kpis.registry import CUTS
from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import MONEY
from platform_assets.transforms.core_dimensions import CATALOG
from platform_assets.warehouse.quality.quality_rows import LEDGER_SCHEMA
from platform_assets_tests.analytics.anomalies.sales import Row, products, sale, sales

SUNDAY = date(2024, 6, 30)
CURRENCIES = {"shop": "EUR", CATALOG: "EUR"}


@pytest.fixture(autouse=True)
def few_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the whole alone: all cuts take a quarter of a minute."""
    monkeypatch.setattr(lake, "CUTS", [cut for cut in CUTS if cut[1] == "total"])


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    made = DuckDBEngine(tmp_path)
    yield made
    made.close()


def values(
    engine: DuckDBEngine,
    rows: Sequence[Row],
    currencies: Mapping[str, str] = CURRENCIES,
    *,
    is_day_over: bool = True,
) -> pa.Table:
    known = products([("P1", "Toys", None, None)])
    known = known.set_column(known.schema.names.index("cost_amount"), "cost_amount", pa.array([4], MONEY))
    lines = sale_lines(engine.from_arrow(sales(rows)), engine.from_arrow(known), currencies, SUNDAY)
    return lake_values(
        lines,
        LEDGER_SCHEMA.empty_table(),
        currencies,
        as_of=SUNDAY,
        engine=engine,
        tell=lambda _: None,
        is_day_over=is_day_over,
    )


def test_products_of_any_size_have_a_concentration(engine: DuckDBEngine) -> None:
    moment = datetime(2024, 6, 1, 12)
    amounts = {"P1": "90000000000000", "P2": "30000000000000"}  # about the most that a line can hold
    rows = [sale(moment, name, net=net, order_id=name) for name, net in amounts.items()]

    found = values(engine, rows).to_pylist()

    # Shares of 3/4 and 1/4: 9/16 + 1/16.
    (whole,) = (row for row in found if (row["kpi"], row["grain"]) == ("product_concentration", "all"))
    assert whole["value"] == pytest.approx(10 / 16)


@pytest.mark.parametrize("is_day_over", [True, False])
def test_periods_that_end_with_a_day_that_is_half_over_are_not_complete(
    engine: DuckDBEngine, *, is_day_over: bool
) -> None:
    days = [SUNDAY - timedelta(days=back) for back in range(40)]

    found = values(engine, [sale(datetime(one.year, one.month, one.day, 9)) for one in days], is_day_over=is_day_over)
    rows = found.to_pylist()

    complete = {
        (row["grain"], row["period_start_date"]): row["is_complete"]
        for row in rows
        if (row["kpi"], row["dimension"]) == ("net_sales", "total")
    }
    newest = {"day": SUNDAY, "week": date(2024, 6, 24), "month": date(2024, 6, 1), "quarter": date(2024, 4, 1)}
    assert {complete[grain, start] for grain, start in newest.items()} == {is_day_over}
    assert complete["day", SUNDAY - timedelta(days=1)]
    assert complete["week", date(2024, 6, 17)]


@pytest.mark.parametrize(
    ("costs_in", "euros", "pounds"),
    [
        ("EUR", None, "not available: the catalogue's costs are in EUR, the sales in GBP"),
        (
            "USD",
            "not available: the catalogue's costs are in USD, the sales in EUR",
            "not available: the catalogue's costs are in USD, the sales in GBP",
        ),
    ],
)
def test_profit_is_not_available_where_costs_are_in_another_currency_and_says_so(
    engine: DuckDBEngine, costs_in: str, euros: str | None, pounds: str
) -> None:
    moment = datetime(2024, 6, 1, 12)
    rows = [
        sale(moment, quantity=3, net="30"),
        sale(moment, quantity=3, net="30", source_system="branch"),
        sale(moment, "uncosted", source_system="market"),
    ]

    found = values(engine, rows, {"shop": "EUR", "branch": "GBP", "market": "CHF", CATALOG: costs_in})

    whole = {(row["kpi"], row["currency"]): row for row in found.to_pylist() if row["grain"] == "all"}
    # Three pieces that cost 4 each were sold for 30.
    for kpi, value in (("profit", 18), ("margin_rate", pytest.approx(0.6)), ("profit_coverage", 1)):
        told = {money: (whole[kpi, money]["value"], whole[kpi, money]["reason"]) for money in ("EUR", "GBP", "CHF")}
        assert told["EUR"] == (None if euros else value, euros)
        assert (told["GBP"], told["CHF"]) == ((None, pounds), (None, "no source says"))
    assert whole["net_sales", "GBP"]["value"] == 30
    assert breaches(found) == []
