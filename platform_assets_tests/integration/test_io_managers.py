"""What an asset asks for by its annotation is what it gets, from the lake and from PostgreSQL."""

from decimal import Decimal
from pathlib import Path

import dagster as dg
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest

from platform_assets.contracts.pandas_schema import ContractBrokenError, checked
from platform_assets.contracts.registry import CONTRACTS
from platform_assets.definitions import defs
from platform_assets.lake.table import Table

pytestmark = pytest.mark.integration

LINES = """InvoiceNo,CustomerID,StockCode,InvoiceDate,Quantity,UnitPrice
1,17850.0,a1,2024-01-05 08:00:00,2,2.55
1,17850.0,a1,2024-01-05 08:00:00,2,2.55
2,,b2,2024-01-06 09:00:00,0,1.00
3,13047.0,b2,2024-01-07 10:00:00,-1,1.25
"""
KEY = dg.AssetKey(["staging", "ecommerce_transactions"])
SEEN: dict[str, object] = {}


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_pandas(rows: pd.DataFrame) -> None:
    SEEN["pandas"] = rows


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_arrow(rows: pa.Table) -> None:
    SEEN["arrow"] = rows


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_lazy(rows: nw.LazyFrame) -> None:  # type: ignore[type-arg]  # Dagster takes no parameters of a type
    SEEN["lazy"] = rows.collect(backend="pyarrow").to_native().num_rows


@dg.asset(ins={"rows": dg.AssetIn(KEY)})
def as_handle(rows: Table) -> None:
    SEEN["handle"] = sorted(rows.snapshot().slices)


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What each annotation received from one delivery: a duplicate, a row set aside, a return."""
    folder = tmp_path / "raw" / "ecommerce_transactions"
    folder.mkdir(parents=True)
    (folder / "day.csv").write_text(LINES, encoding="utf-8")
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLATFORM_RAW", str(tmp_path / "raw"))
    # Four lines with a duplicate and a bad row are under every threshold.
    config = "thresholds: {default: {completeness: 0, uniqueness: 0, validity: 0}}"
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    monkeypatch.setenv("PLATFORM_CONFIG", str(tmp_path / "config.yaml"))
    readers = [as_pandas, as_arrow, as_lazy, as_handle]
    selection = dg.AssetSelection.assets(*readers) | dg.AssetSelection.assets(KEY).upstream()
    job = dg.define_asset_job("reading", selection=selection)
    given = dg.Definitions.merge(defs(), dg.Definitions(assets=readers, jobs=[job]))
    SEEN.clear()
    with dg.DagsterInstance.ephemeral() as instance:
        assert given.resolve_job_def("reading").execute_in_process(instance=instance).success
    return dict(SEEN)


def test_an_asset_gets_the_accepted_rows_in_the_form_it_asks_for(loaded: dict[str, object]) -> None:
    rows = loaded["pandas"]
    assert isinstance(rows, pd.DataFrame)
    assert sorted(zip(rows["transaction_id"], rows["total_amount"], strict=True)) == [
        ("1", Decimal("5.1000")),
        ("3", Decimal("-1.2500")),
    ]
    assert isinstance(loaded["arrow"], pa.Table)
    assert loaded["arrow"].num_rows == 2
    assert loaded["lazy"] == 2
    assert loaded["handle"] == ["day.csv"]


def test_rows_that_break_their_contract_never_reach_pandas(loaded: dict[str, object]) -> None:
    rows = loaded["pandas"]
    assert isinstance(rows, pd.DataFrame)
    broken = rows.assign(quantity=rows["quantity"] * 0)
    with pytest.raises(ContractBrokenError, match="quantity_not_zero"):
        checked(broken, CONTRACTS["ecommerce_transactions"])
