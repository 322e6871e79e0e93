"""The barest script: a yardstick is of no use when it loads other rows than the platform, or none."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from platform_assets.cli.barest import main
from platform_assets.settings import Settings
from platform_assets_tests.cli.scratch import execute, scratch_warehouse

ECOMMERCE = """\
InvoiceNo,CustomerID,StockCode,Description,InvoiceDate,Quantity,UnitPrice,Amount,Country,Channel
E1,C1,p1,Lamp,2024-02-28 10:00:00,3,2.50,7.50,France,Store
E1,,p2,Desk,2024-02-28 10:00:00,1,9.00,9.00,France,Store
E2,C1,p1,Lamp,2024-02-29 11:00:00,-1,2.50,-2.50,France,Store
"""
ECOMMERCE_ELSEWHERE = """\
transaction_id,customer_id,product_id,product_name,transaction_date,quantity,unit_price,total_amount,country
T1,C2,P1,Lamp,2024-03-01 12:00:00,2,2.50,5.00,Spain
"""
SUPERSTORE = """\
Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country/Region,City,State/Province,\
Postal Code,Region,Product ID,Category,Sub-Category,Product Name,Sales,Quantity,Discount,Profit
1,S1,03/02/2024,03/04/2024,Slow,C3,Ann Example,Consumer,Canada,Vancouver,British Columbia,V6B,West,P2,Furniture,Desks,\
Desk,18.00,2,0,1.25
"""
RETAIL = """\
customer_id,purchase_date,channel,amount_spent,items_purchased,avg_item_price
C1,2024-03-03 09:00:00,Online,12.00,4,3.00
"""
CATALOG = """\
product_id,product_name,category,sub_category,brand,description,price,list_price,cost,weight_g
P1,Lamp,Light,Lamps,Lux,A lamp,2.50,3.00,1.10,100
P3,Unsold,Light,Lamps,Lux,A lamp,5.00,6.00,2.00,100
"""


@pytest.fixture(scope="module")
def dsn(shared_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a warehouse that the script has filled."""
    raw = tmp_path_factory.mktemp("barest")
    with scratch_warehouse(shared_settings) as urls:
        main(landing_zone(raw), urls.dsn)
        yield urls.dsn


def landing_zone(raw: Path) -> Path:
    files = {
        "ecommerce_transactions/2024-02.csv": ECOMMERCE,
        "ecommerce_transactions/2024-03.csv": ECOMMERCE_ELSEWHERE,
        "superstore_sales/2024-03.csv": SUPERSTORE,
        "retail_analytics/2024-03.csv": RETAIL,
        "product_catalog/products.csv": CATALOG,
    }
    for name, text in files.items():
        (raw / name).parent.mkdir(exist_ok=True)
        (raw / name).write_text(text, encoding="utf-8")
    return raw


def test_every_sale_has_the_cost_of_its_product_and_the_profit_that_follows(dsn: str) -> None:
    sales = execute(dsn, "SELECT net_amount, order_id, cost_amount, profit_amount FROM warehouse.fct_sales ORDER BY 1")

    assert sales == [
        (Decimal("-2.50"), "E2", Decimal("-1.10"), Decimal("-1.40")),
        (Decimal("5.00"), "T1", Decimal("2.20"), Decimal("2.80")),
        (Decimal("7.50"), "E1", Decimal("3.30"), Decimal("4.20")),
        (Decimal("9.00"), "E1", None, None),
        (Decimal("12.00"), None, None, None),
        (Decimal("18.00"), "S1", None, Decimal("1.25")),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("customer_id FROM warehouse.dim_customer WHERE is_current", ["C1", "C2", "C3", "unknown"]),
        ("product_id FROM warehouse.dim_product WHERE is_current", ["P1", "P2", "P3", "unknown"]),
        ("product_id FROM warehouse.dim_product WHERE is_inferred", ["P2"]),
        ("channel FROM warehouse.dim_channel", ["Online", "Store", "unknown"]),
        ("city FROM warehouse.dim_location WHERE country = 'Canada'", ["Vancouver"]),
        ("date FROM warehouse.dim_date WHERE date >= '2024-03-01'", [date(2024, 3, day) for day in (1, 2, 3)]),
        ("min(date) FROM warehouse.dim_date", [date(2024, 2, 28)]),
        ("weekday_name FROM warehouse.dim_date WHERE date = '2024-02-29'", ["Thursday"]),
        ("amount FROM warehouse.fct_customer_interactions WHERE items = 4", [Decimal(12)]),
        ("count(*) FROM warehouse.fct_sales WHERE customer_key = -1", [1]),
        ("count(*) FROM warehouse.fct_sales WHERE location_key = -1", [1]),
        ("sum(frequency) FROM analytics.rfm_scores", [4]),
    ],
)
def test_every_table_has_what_the_files_say(dsn: str, query: str, expected: list[Any]) -> None:
    assert [value for (value,) in execute(dsn, f"SELECT {query} ORDER BY 1")] == expected
