"""A second reading of sample files, with the csv module and rules written by hand, to hold the truth against.

It shares nothing with the generator: no contract, no rule, no helper.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

ALIASES = {
    "invoiceno": "transaction_id",
    "customerid": "customer_id",
    "stockcode": "product_id",
    "description": "product_name",
    "invoicedate": "transaction_date",
    "unitprice": "unit_price",
    "amount": "total_amount",
    "countryregion": "country",
    "stateprovince": "state",
}
CHANNELS = {"online", "store", "mobile", "call center", "catalog"}
CENT = Decimal("0.01")


@dataclass
class Row:
    """One parsed line: its cells as text, the place it came from, and what was found out about it."""

    file: str
    line: int
    cells: dict[str, str]
    broken: set[str] = field(default_factory=set)
    is_duplicate: bool = False


@dataclass
class Reading:
    """Everything read of one dataset."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[tuple[str, int]] = field(default_factory=list)

    def count(self) -> Counter[str]:
        """Rows per broken rule."""
        return Counter(rule for row in self.rows for rule in row.broken)


def read(folder: Path) -> Reading:
    """Parse all files of a dataset, in the order of their names."""
    result = Reading()
    for path in sorted(folder.iterdir()):
        _read_file(path, result)
    return result


def _read_file(path: Path, result: Reading) -> None:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    delimiter = ";" if text.split("\n", 1)[0].count(";") else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    catalogue = "list_price" in text.split("\n", 1)[0]
    header = [_column(cell, catalogue=catalogue) for cell in next(lines)]
    for cells in lines:
        if len(cells) != len(header):
            result.rejected.append((path.name, lines.line_num))
            continue
        read_cells = map(_with_point, cells) if delimiter == ";" else cells
        result.rows.append(Row(path.name, lines.line_num, dict(zip(header, read_cells, strict=True))))


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if cell.replace(",", "").lstrip("-").isdigit() else cell


def _column(header: str, *, catalogue: bool) -> str:
    key = header.lower().replace("_", "").replace("/", "").replace("-", "").replace(" ", "")
    plain = header.lower().replace(" ", "_").replace("-", "_")
    return plain if catalogue else ALIASES.get(key, plain)


def number(text: str) -> Decimal | None:
    """The number a cell says, nothing if it says none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def moment(text: str, style: str) -> datetime | None:
    """The moment a cell says, nothing if it says none."""
    try:
        return datetime.strptime(text, style)  # noqa: DTZ007 - the files have no zone
    except ValueError:
        return None


def mark_repeats(reading: Reading, ignored: str = "") -> None:
    """Mark rows that repeat an earlier one in every column but one."""
    seen = set()
    for row in reading.rows:
        key = tuple(sorted((name, cell) for name, cell in row.cells.items() if name != ignored))
        row.is_duplicate = key in seen
        seen.add(key)
        if row.is_duplicate:
            row.broken.add("line_unique")


def _mark_keys(reading: Reading, column: str) -> None:
    seen = set()
    for row in reading.rows:
        if row.cells[column] in seen:
            row.broken.add(f"{column}_unique")
        seen.add(row.cells[column])


def _mark_several(reading: Reading, rule: str, key: str, column: str) -> None:
    values = defaultdict(set)
    for row in reading.rows:
        values[row.cells[key].upper()].add(row.cells[column])
    for row in reading.rows:
        if len(values[row.cells[key].upper()]) > 1:
            row.broken.add(rule)


def judge_ecommerce(reading: Reading, prices: dict[str, Decimal], as_of: date) -> None:
    """Note on each row of e-commerce transactions which rules it breaks, beside the catalogue's price per product."""
    mark_repeats(reading)
    for row in reading.rows:
        cells = row.cells
        row.broken |= {f"{name}_present" for name in REQUIRED["ecommerce_transactions"] if not cells[name]}
        row.broken |= set(_unreadable(cells, ("quantity", "unit_price", "total_amount")))
        quantity, price, total = (number(cells[name]) for name in ("quantity", "unit_price", "total_amount"))
        listed = prices.get(cells["product_id"].upper())
        broken = {
            "quantity_not_zero": quantity == 0,
            "unit_price_not_negative": price is not None and price < 0,
            "unit_price_positive": price is not None and price <= 0,
            "total_amount_matches": None not in {quantity, price, total}
            and abs(Decimal(quantity or 0) * Decimal(price or 0) - Decimal(total or 0)) > CENT,
            "product_known": listed is None,
            "price_agrees_with_catalogue": price is not None
            and listed is not None
            and not listed / 2 <= price <= listed * 3 / 2,
            "customer_id_present": not cells["customer_id"],
        }
        row.broken |= {rule for rule, is_broken in broken.items() if is_broken}
        row.broken |= set(_bad_moment(cells, "transaction_date", "%Y-%m-%d %H:%M:%S", as_of))


def judge_superstore(reading: Reading, products: set[str], as_of: date) -> None:
    """Note on each row of superstore sales which rules it breaks."""
    mark_repeats(reading, ignored="row_id")
    _mark_keys(reading, "row_id")
    _mark_several(reading, "one_name_per_product", "product_id", "product_name")
    _mark_several(reading, "one_segment_per_customer", "customer_id", "segment")
    for row in reading.rows:
        cells = row.cells
        row.broken |= {f"{name}_present" for name in REQUIRED["superstore_sales"] if not cells[name]}
        row.broken |= set(_unreadable(cells, ("row_id", "sales", "quantity", "discount", "profit")))
        sales, quantity, discount = (number(cells[name]) for name in ("sales", "quantity", "discount"))
        ordered, shipped = (moment(cells[name], "%m/%d/%Y") for name in ("order_date", "ship_date"))
        assert ordered is not None
        assert shipped is not None
        assert sales is not None
        assert discount is not None
        broken = {
            "sales_not_negative": sales < 0,
            "quantity_positive": quantity is not None and quantity <= 0,
            "discount_is_rate": not 0 <= discount <= 1,
            "ship_date_after_order_date": not timedelta(0) <= shipped - ordered <= timedelta(days=30),
            "order_date_not_in_future": ordered.date() > as_of + timedelta(days=1),
            "product_known": cells["product_id"].upper() not in products,
        }
        row.broken |= {rule for rule, is_broken in broken.items() if is_broken}


def judge_catalogue(reading: Reading) -> None:
    """Note on each row of the catalogue which rules it breaks."""
    mark_repeats(reading)
    _mark_keys(reading, "product_id")
    sizes = ("weight_g", "length_cm", "width_cm", "height_cm")
    amounts = ("price", "list_price", "cost")
    for row in reading.rows:
        values = {name: number(row.cells[name]) for name in (*sizes, *amounts)}
        row.broken |= set(_unreadable(row.cells, (*sizes, *amounts)))
        row.broken |= {f"{name}_not_negative" for name in amounts if (values[name] or 0) < 0}
        row.broken |= {f"{name}_positive" for name in sizes if values[name] is not None and (values[name] or 0) <= 0}
        if (values["price"] or 0) > (values["list_price"] or 0):
            row.broken.add("price_not_above_list_price")
        row.broken |= {f"{name}_present" for name in ("product_id", "category") if not row.cells[name]}


def judge_retail(reading: Reading, customers: set[str], as_of: date) -> None:
    """Note on each retail purchase which rules it breaks."""
    mark_repeats(reading)
    for row in reading.rows:
        cells = row.cells
        row.broken |= {f"{name}_present" for name in REQUIRED["retail_analytics"] if not cells[name]}
        row.broken |= set(_unreadable(cells, ("amount_spent", "items_purchased", "avg_item_price")))
        amount, items, average = (number(cells[n]) for n in ("amount_spent", "items_purchased", "avg_item_price"))
        broken = {
            "amount_spent_not_negative": amount is not None and amount < 0,
            "items_purchased_positive": items is not None and items < 1,
            "channel_known": bool(cells["channel"]) and cells["channel"].strip().lower() not in CHANNELS,
            "customer_known": cells["customer_id"] not in customers,
            "amount_matches_items": None not in {amount, items, average}
            and abs(Decimal(items or 0) * Decimal(average or 0) - Decimal(amount or 0))
            > CENT + CENT / 2 * Decimal(items or 0),
        }
        row.broken |= {rule for rule, is_broken in broken.items() if is_broken}
        row.broken |= set(_bad_moment(cells, "purchase_date", "%Y-%m-%d %H:%M:%S", as_of))


def _unreadable(cells: dict[str, str], names: tuple[str, ...]) -> Iterator[str]:
    return (f"{name}_readable" for name in names if cells[name] and number(cells[name]) is None)


def _bad_moment(cells: dict[str, str], name: str, style: str, as_of: date) -> Iterator[str]:
    value = moment(cells[name], style)
    if value is None:
        yield f"{name}_readable"
    elif value.date() < date(1990, 1, 1):
        yield f"{name}_not_before_1990"
    elif value.date() > as_of + timedelta(days=1):
        yield f"{name}_not_in_future"


REQUIRED = {
    "ecommerce_transactions": ("transaction_id", "product_id", "transaction_date", "quantity", "unit_price"),
    "superstore_sales": ("order_id", "order_date", "customer_id", "product_id", "sales"),
    "retail_analytics": ("customer_id", "purchase_date", "channel", "amount_spent"),
}
WARNINGS = {
    "unit_price_positive", "product_known", "price_agrees_with_catalogue", "customer_id_present", "row_id_unique",
    "one_name_per_product", "one_segment_per_customer", "price_not_above_list_price", "weight_g_positive",
    "length_cm_positive", "width_cm_positive", "height_cm_positive", "category_present", "amount_matches_items",
    "customer_known",
}  # fmt: skip
AMOUNTS = {
    "ecommerce_transactions": "total_amount",
    "superstore_sales": "sales",
    "retail_analytics": "amount_spent",
}


def is_quarantined(row: Row) -> bool:
    """Whether a row is set aside: it breaks a rule of severity error and is no repeat."""
    return not row.is_duplicate and bool(row.broken - WARNINGS - {"line_unique"})


def read_all(out: Path, as_of: date) -> dict[str, Reading]:
    """Read and judge all four datasets."""
    readings = {path.name: read(path) for path in out.iterdir() if not path.name.startswith(("_", "."))}
    judge_catalogue(readings["product_catalog"])
    products = _accepted(readings["product_catalog"], "product_id", upper=True)
    judge_superstore(readings["superstore_sales"], products, as_of)
    judge_ecommerce(readings["ecommerce_transactions"], _prices(readings["product_catalog"]), as_of)
    buyers = (_accepted(readings[name], "customer_id") for name in ("superstore_sales", "ecommerce_transactions"))
    judge_retail(readings["retail_analytics"], set().union(*buyers), as_of)
    return readings


def _accepted(reading: Reading, column: str, *, upper: bool = False) -> set[str]:
    cells = {row.cells[column].removesuffix(".0") for row in reading.rows if not is_quarantined(row)} - {""}
    return {cell.upper() for cell in cells} if upper else cells


def _prices(catalogue: Reading) -> dict[str, Decimal]:
    accepted = [row.cells for row in catalogue.rows if not is_quarantined(row) and not row.is_duplicate]
    return {cells["product_id"].upper(): Decimal(cells["price"]) for cells in accepted}


def ledger(dataset: str, reading: Reading) -> dict[str, dict[str, int | Decimal]]:
    """Rows and money of each file, by where they went."""
    result: dict[str, dict[str, int | Decimal]] = defaultdict(lambda: defaultdict(int))
    for file, _ in reading.rejected:
        result[file]["rows_read"] += 1
        result[file]["rows_rejected"] += 1
    for row in reading.rows:
        part = "duplicate" if row.is_duplicate else "quarantined" if is_quarantined(row) else "loaded"
        result[row.file]["rows_read"] += 1
        result[row.file][f"rows_{part}"] += 1
        if dataset in AMOUNTS:
            result[row.file][f"amount_{part}"] += number(row.cells[AMOUNTS[dataset]]) or Decimal(0)
    return result
