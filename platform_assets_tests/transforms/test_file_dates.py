from datetime import date

import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.engines.engine import Engine
from platform_assets.transforms.file_dates import date_in_name, file_dates
from platform_assets_tests.conftest import without_spark


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("products_2024-06-01.csv", date(2024, 6, 1)),
        ("products_20240630.csv", date(2024, 6, 30)),
        ("2024_06_15 products.xlsx", date(2024, 6, 15)),
        ("products_2024-06.csv", date(2024, 6, 1)),
        ("products2024_12.csv", date(2024, 12, 1)),
        ("v2_2024-06-01_3.csv", date(2024, 6, 1)),
        ("products_2024-02-29.csv", date(2024, 2, 29)),
        ("1990-01-01.csv", date(1990, 1, 1)),
        ("2100-12-31.csv", date(2100, 12, 31)),
        ("20249901_2024-06-02.csv", date(2024, 6, 2)),
        ("2023-01-01/products_2024-06.csv", date(2024, 6, 1)),
    ],
)
def test_the_date_in_a_name_is_found(name: str, expected: date) -> None:
    assert date_in_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "products.csv",
        "products_2024.csv",
        "products_2023-02-29.csv",
        "products_2024-06-31.csv",
        "products_2024_13.csv",
        "products_2024-06-1.csv",
        "products_1989-12-31.csv",
        "products_2101-01-01.csv",
        "products_120240601.csv",
        "products_202406011.csv",
        "products_20240601123000.csv",
        "products_202406.csv",
        "products_2024-0601.csv",
        "2024-06-01/products.csv",
        "products_\u0662\u0660\u0662\u0664-06-01.csv",
    ],
)
def test_what_is_no_real_date_of_its_own_is_none(name: str) -> None:
    assert date_in_name(name) is None


@without_spark
def test_only_a_contract_that_asks_for_them_is_given_the_dates_of_its_files(engine: Engine) -> None:
    found = file_dates(["b.csv", "2024-06.csv"], CONTRACTS["product_catalog"], engine)

    assert found is not None
    rows = engine.collect(found).to_pylist()
    assert {row["_source_file"]: row["_file_date"] for row in rows} == {"b.csv": None, "2024-06.csv": date(2024, 6, 1)}
    assert file_dates(["2024-06.csv"], CONTRACTS["superstore_sales"], engine) is None
