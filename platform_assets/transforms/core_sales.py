"""core/sales: every sales dataset as lines of one kind, with lineage to file and row."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.engines.engine import INSTANT, MONEY, Engine, Frame, narwhals_type
from platform_assets.lake.snapshot import Slice, Snapshot, changed_keys
from platform_assets.lake.table import ACCEPTED, Table
from platform_assets.transforms.accepted import counting_rows
from platform_assets.transforms.forgotten import known
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW

SLICE = "_slice"
_PERSONAL = ("customer_id", "customer_name")
CONFORMED_BY = 1
"""Raise it when this module conforms the same rows otherwise, so that every file is conformed again."""

SALES_SCHEMA = pa.schema(
    [
        ("source_system", pa.string()),
        ("order_id", pa.string()),
        ("customer_id", pa.string()),
        ("product_id", pa.string()),
        ("channel", pa.string()),
        ("sold_at", INSTANT),
        ("quantity", pa.int64()),
        ("unit_price_amount", MONEY),
        ("gross_amount", MONEY),
        ("discount_amount", MONEY),
        ("net_amount", MONEY),
        ("profit_amount", MONEY),
        ("is_return", pa.bool_()),
        ("customer_name", pa.string()),
        ("segment", pa.string()),
        ("country", pa.string()),
        ("region", pa.string()),
        ("state", pa.string()),
        ("city", pa.string()),
        ("product_name", pa.string()),
        ("category", pa.string()),
        ("sub_category", pa.string()),
        (SOURCE_FILE, pa.string()),
        (SOURCE_ROW, pa.int64()),
        (SLICE, pa.string()),
    ]
)


@dataclass(frozen=True)
class Source:
    """A staged sales dataset."""

    contract: Contract
    table: Table

    @property
    def accepted(self) -> Snapshot:
        """The version that passed the gate last."""
        return self.table.snapshot(ACCEPTED)


def conformed_sales(rows: Frame, dataset: str) -> Frame:
    """Rows of one sales dataset as sale lines.

    Args:
        rows: Staged rows that count.
        dataset: Which dataset they are of.

    Returns:
        Rows of ``SALES_SCHEMA``.

    Raises:
        KeyError: The dataset is not one of sales.
    """
    given = _CONFORMED[dataset]()
    given |= {name: known(name) for name in _PERSONAL if name in given}
    given |= {"source_system": nw.lit(dataset), SOURCE_FILE: nw.col(SOURCE_FILE), SOURCE_ROW: nw.col(SOURCE_ROW)}
    given[SLICE] = nw.concat_str([nw.lit(f"{dataset}/"), nw.col(SOURCE_FILE)])
    nothing = nw.lit(None)
    return rows.select(*(_typed(given.get(field.name, nothing), field) for field in SALES_SCHEMA))


def update_sales(core: Table, sources: list[Source], engine: Engine) -> tuple[Snapshot, list[str]]:
    """Bring core/sales to the accepted versions of its sources; only files that changed are computed.

    Returns:
        The next version, not published, and the slices written.
    """
    before = core.snapshot()
    rows = {key: count for source in sources for key, count in _rows(source).items()}
    wanted = {key: identity for source in sources for key, identity in _wanted(source).items()}
    write, removed = changed_keys(wanted, before.ids)
    if not write:
        return before.with_slices({}, removed, {}), []
    segment = core.new_segment()
    frames = [frame for source in sources if (frame := _changed_rows(source, write, engine)) is not None]
    engine.write(engine.concat(frames, SALES_SCHEMA), segment, SALES_SCHEMA)
    slices = {key: Slice(wanted[key], segment.name, {"rows": rows[key]}) for key in write}
    after = before.with_slices(slices, removed, {segment.name: tuple(write)})
    return _compacted(after, core, engine), write


def sales_rows(core: Table, snapshot: Snapshot, engine: Engine, keys: list[str] | None = None) -> Frame:
    """The sale lines of a version, or of some of its slices."""
    return engine.scan(core.parts(snapshot, keys), SALES_SCHEMA, SLICE)


def _wanted(source: Source) -> Mapping[str, str]:
    pieces = source.accepted.attributes.get("pieces", {})
    return {
        f"{source.contract.dataset}/{name}": hashlib.sha256(f"{CONFORMED_BY}:{piece['id']}".encode()).hexdigest()[:32]
        for name, piece in pieces.items()
    }


def _rows(source: Source) -> Mapping[str, int]:
    pieces = source.accepted.attributes.get("pieces", {})
    return {f"{source.contract.dataset}/{name}": piece["rows"] for name, piece in pieces.items()}


def _changed_rows(source: Source, write: list[str], engine: Engine) -> Frame | None:
    prefix = f"{source.contract.dataset}/"
    names = [key.removeprefix(prefix) for key in write if key.startswith(prefix)]
    if not names:
        return None
    rows = counting_rows(source.table, source.accepted, source.contract, engine, names)
    return conformed_sales(rows, source.contract.dataset)


def _compacted(snapshot: Snapshot, core: Table, engine: Engine) -> Snapshot:
    if not core.is_fragmented(snapshot):
        return snapshot
    segment = core.new_segment()
    engine.write(sales_rows(core, snapshot, engine), segment, SALES_SCHEMA)
    slices = {key: replace(piece, segment=segment.name) for key, piece in snapshot.slices.items()}
    return snapshot.with_slices(slices, (), {segment.name: tuple(sorted(slices))})


def _typed(value: nw.Expr, field: pa.Field) -> nw.Expr:
    return value.cast(narwhals_type(field.type)).alias(field.name)


def _columns(*names: str) -> dict[str, nw.Expr]:
    return {name: nw.col(name) for name in names}


def _ecommerce() -> dict[str, nw.Expr]:
    same = _columns("customer_id", "product_id", "channel", "quantity", "country", "product_name")
    return {
        **same,
        "order_id": nw.col("transaction_id"),
        "sold_at": nw.col("transaction_date"),
        "unit_price_amount": nw.col("unit_price"),
        "gross_amount": nw.col("total_amount"),
        "net_amount": nw.col("total_amount"),
        "is_return": nw.col("quantity") < 0,
    }


def _superstore() -> dict[str, nw.Expr]:
    """The gross amount is unknown: the sheet rounds what it shows, so it cannot be computed back exactly."""
    place = ("customer_name", "segment", "country", "region", "state", "city")
    same = _columns(
        "order_id", "customer_id", "product_id", "quantity", "product_name", "category", "sub_category", *place
    )
    return {
        **same,
        "sold_at": nw.col("order_date"),
        "net_amount": nw.col("sales"),
        "profit_amount": nw.col("profit"),
        "is_return": nw.lit(value=False),
    }


def _retail() -> dict[str, nw.Expr]:
    return {
        **_columns("customer_id", "channel"),
        "sold_at": nw.col("purchase_date"),
        "quantity": nw.col("items_purchased"),
        "unit_price_amount": nw.col("avg_item_price"),
        "net_amount": nw.col("amount_spent"),
        "is_return": nw.lit(value=False),
    }


_CONFORMED = {"ecommerce_transactions": _ecommerce, "superstore_sales": _superstore, "retail_analytics": _retail}
SALES_DATASETS = tuple(_CONFORMED)
