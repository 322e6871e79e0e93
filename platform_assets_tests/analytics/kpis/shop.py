"""A made-up shop: its sale lines as plain data, the same in PostgreSQL, and its figures added up by hand in Python."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any

from psycopg2 import extensions
from psycopg2.extras import execute_values

from platform_assets.warehouse.loads import CalendarLoad
from platform_assets.warehouse.star.calendar_settings import CalendarSettings

Line = Mapping[str, Any]
FIRST, LAST = date(2023, 11, 20), date(2024, 7, 10)
CUSTOMERS = ("ann", "bob", "cid", "dee", "eva", "fay")
PRODUCTS = {"P1": "Toys", "P2": "Toys", "P3": "Games", "P4": None}
CHANNELS = ("Online", "Store")
COUNTRIES = ("France", "Spain")
CURRENCIES = {"shop": "EUR", "market": "USD"}
_DAYS = (LAST - FIRST).days
QUIET: Line = {
    **dict.fromkeys(("order_id", "customer", "product", "channel", "country", "gross", "discount", "cost")),
    "source_system": "market",
    "source_file": "a.csv",
    "is_return": False,
    "quantity": 1,
    "currency": "USD",
}
"""A sale line of which little is known; day, row and net amount are to be added."""


def made_up_lines(count: int = 260, seed: int = 6) -> list[Line]:
    """Sale lines of two datasets, where any of what a source need not say is missing at times."""
    chance = random.Random(seed)
    return [_line(chance, row) for row in range(1, count + 1)]


def _line(chance: random.Random, row: int) -> Line:
    def rarely_missing(values: Sequence[Any], share: float = 0.15) -> Any:
        return None if chance.random() < share else chance.choice(values)

    system, is_return = chance.choice(list(CURRENCIES)), chance.random() < 0.12
    gross = Decimal(chance.randrange(100, 20000)) / 100
    discount = rarely_missing([Decimal(0), gross / 10, gross / 4], 0.3)
    quantity = rarely_missing([1, 2, 3, 5], 0.2)
    net = (gross - (discount or 0)).quantize(Decimal("0.0001")) * (-1 if is_return else 1)
    cost = rarely_missing([(abs(net) / 2).quantize(Decimal("0.0001"))], 0.4)
    product = rarely_missing(list(PRODUCTS))
    return {
        "source_row": row,
        "source_system": system,
        "source_file": chance.choice(["a.csv", "b.csv"]),
        "order_id": rarely_missing([f"O{n}" for n in range(40)]) if not is_return else f"R{row}",
        "customer": rarely_missing(CUSTOMERS, 0.25),
        "product": product,
        "channel": rarely_missing(CHANNELS),
        "country": rarely_missing(COUNTRIES),
        "day": FIRST + timedelta(days=min(chance.randrange(_DAYS), chance.randrange(_DAYS) + 20, _DAYS)),
        "is_return": is_return,
        "quantity": quantity if quantity is None or not is_return else -quantity,
        "gross": chance.choice([gross, None]) if not is_return else None,
        "discount": discount if not is_return else None,
        "net": net,
        "cost": cost if cost is None or not is_return else -cost,
        "currency": CURRENCIES[system],
    }


def load(connection: extensions.connection, lines: Sequence[Line]) -> None:
    """Put the shop into the star."""
    days = [line["day"] for line in lines]
    CalendarLoad(CalendarSettings(), (min(days), max(days))).apply(connection)
    people = [(n, f"id-{name}", name, f"pseudonym-{name}") for n, name in enumerate(CUSTOMERS, start=1)]
    goods = [(n, name, name, kind) for n, (name, kind) in enumerate(PRODUCTS.items(), start=1)]
    span = "'1900-01-01 00:00+00', '9999-12-31 00:00+00'"
    version = "valid_from, valid_to"
    columns = f"customer_key, customer_id, customer_name, customer_pseudonym, {version}"
    _insert(connection, f"dim_customer ({columns})", people, f"(%s, %s, %s, %s, {span})")
    columns = f"product_key, product_id, product_name, category, is_in_catalog, {version}"
    _insert(connection, f"dim_product ({columns})", goods, f"(%s, %s, %s, %s, false, {span})")
    _insert(connection, "dim_channel (channel_key, channel)", list(enumerate(CHANNELS, start=1)), "(%s, %s)")
    places = [(n, name, name) for n, name in enumerate(COUNTRIES, start=1)]
    _insert(connection, "dim_location (location_key, location_id, country)", places, "(%s, %s, %s)")
    rows = [_fact(line) for line in lines]
    _insert(connection, f"fct_sales ({', '.join(rows[0])})", [tuple(row.values()) for row in rows], None)


def _insert(connection: extensions.connection, target: str, rows: list[Any], template: str | None) -> None:
    with connection.cursor() as cursor:
        execute_values(cursor, f"INSERT INTO warehouse.{target} OVERRIDING SYSTEM VALUE VALUES %s", rows, template)
    connection.commit()


def _fact(line: Line) -> dict[str, Any]:
    def key(values: Sequence[str], value: str | None) -> int:
        return -1 if value is None else values.index(value) + 1

    day = line["day"]
    return {
        "source_row": line["source_row"],
        "source_system": line["source_system"],
        "source_file": line["source_file"],
        "order_id": line["order_id"],
        "customer_key": key(CUSTOMERS, line["customer"]),
        "product_key": key(list(PRODUCTS), line["product"]),
        "channel_key": key(CHANNELS, line["channel"]),
        "location_key": key(COUNTRIES, line["country"]),
        "sold_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "date_key": int(f"{day:%Y%m%d}"),
        "is_return": line["is_return"],
        "quantity": line["quantity"],
        "gross_amount": line["gross"],
        "discount_amount": line["discount"],
        "net_amount": line["net"],
        "cost_amount": line["cost"],
        "currency": line["currency"],
    }


# The figures by hand: nothing below knows the SQL or the registry's formulas.

Figure = Callable[[Sequence[Line], Mapping[str, date], date], Any]


def first_orders(lines: Iterable[Line]) -> dict[str, date]:
    """The day of each customer's first order."""
    firsts: dict[str, date] = {}
    for line in lines:
        name = line["customer"]
        if name is not None and not line["is_return"]:
            firsts[name] = min(firsts.get(name, line["day"]), line["day"])
    return firsts


def _sold(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if not line["is_return"]]


def _gross(line: Line) -> Decimal:
    gross: Decimal = line["net"] + (line["discount"] or 0) if line["gross"] is None else line["gross"]
    return gross


def _order(line: Line) -> tuple[Any, ...]:
    if line["order_id"] is None:
        return line["source_system"], line["source_file"], line["source_row"]
    return line["source_system"], line["order_id"]


def _known(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _gross_sales(lines: Sequence[Line]) -> Decimal:
    return sum((_gross(line) for line in _sold(lines)), Decimal(0))


def _discounts(lines: Sequence[Line]) -> Decimal:
    return sum((_gross(line) - line["net"] for line in _sold(lines)), Decimal(0))


def _returns(lines: Sequence[Line]) -> Decimal:
    return -sum((line["net"] for line in lines if line["is_return"]), Decimal(0))


def _net(lines: Sequence[Line]) -> Decimal:
    return sum((line["net"] for line in lines), Decimal(0))


def _orders(lines: Sequence[Line]) -> int:
    return len({_order(line) for line in _sold(lines)})


def _buyers(lines: Sequence[Line]) -> set[str]:
    return {line["customer"] for line in _sold(lines) if line["customer"] is not None}


def _units(lines: Sequence[Line]) -> Any:
    return _known(line["quantity"] for line in _sold(lines))


def _units_back(lines: Sequence[Line]) -> Any:
    return _known(None if line["quantity"] is None else -line["quantity"] for line in lines if line["is_return"])


def _profit(lines: Sequence[Line]) -> Any:
    return _known(None if line["cost"] is None else line["net"] - line["cost"] for line in lines)


def _net_with_profit(lines: Sequence[Line]) -> Any:
    return _known(None if line["cost"] is None else line["net"] for line in lines)


def _baskets(lines: Sequence[Line]) -> int:
    return len({(_order(line), line["product"]) for line in _sold(lines) if line["product"] is not None})


def _new(lines: Sequence[Line], firsts: Mapping[str, date], start: date) -> int:
    return sum(firsts[name] >= start for name in _buyers(lines))


def _told(lines: Iterable[Line], of: Callable[[Line], Any], amount: Callable[[Line], Decimal]) -> list[Decimal]:
    """Sums of an amount by what lines are of; lines that are of nothing count nowhere."""
    sums: dict[Any, Decimal] = {}
    for line in lines:
        if of(line) is not None:
            sums[of(line)] = sums.get(of(line), Decimal(0)) + amount(line)
    return sorted(sums.values(), reverse=True)


def _attached(lines: Sequence[Line]) -> int:
    pairs = {(_order(line), line["product"]) for line in _sold(lines) if line["product"] is not None}
    orders = [order for order, _ in pairs]
    return sum(orders.count(order) > 1 for order in set(orders))


def _median_order(lines: Sequence[Line]) -> float | None:
    values = _told(_sold(lines), _order, lambda line: line["net"])
    return float(median(values)) if values else None


def _top_decile(lines: Sequence[Line]) -> float | None:
    values = _told(lines, lambda line: line["customer"], lambda line: line["net"])
    return _per(sum(values[: -(-len(values) // 10)]), sum(values)) if values else None


def _concentration(lines: Sequence[Line]) -> float | None:
    known = _told(lines, lambda line: line["product"], lambda line: line["net"])
    values = [max(value, Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP) for value in known]
    return _per(sum(value * value for value in values), sum(values) ** 2) if values else None


def _per(top: Any, bottom: Any) -> float | None:
    return None if top is None or not bottom else float(top) / float(bottom)


BY_HAND: Mapping[str, Figure] = {
    "gross_sales": lambda lines, _f, _s: _gross_sales(lines),
    "discounts": lambda lines, _f, _s: _discounts(lines),
    "returns": lambda lines, _f, _s: _returns(lines),
    "net_sales": lambda lines, _f, _s: _net(lines),
    "orders": lambda lines, _f, _s: _orders(lines),
    "units_sold": lambda lines, _f, _s: _units(lines),
    "average_order_value": lambda lines, _f, _s: _per(_gross_sales(lines) - _discounts(lines), _orders(lines)),
    "units_per_order": lambda lines, _f, _s: _per(_units(lines), _orders(lines)),
    "products_per_order": lambda lines, _f, _s: _per(_baskets(lines), _orders(lines)),
    "attach_rate": lambda lines, _f, _s: _per(_attached(lines), _orders(lines)),
    "median_order_value": lambda lines, _f, _s: _median_order(lines),
    "top_decile_share": lambda lines, _f, _s: _top_decile(lines),
    "product_concentration": lambda lines, _f, _s: _concentration(lines),
    "discount_rate": lambda lines, _f, _s: _per(_discounts(lines), _gross_sales(lines)),
    "return_rate": lambda lines, _f, _s: _per(_returns(lines), _gross_sales(lines)),
    "unit_return_rate": lambda lines, _f, _s: _per(_units_back(lines), _units(lines)),
    "profit": lambda lines, _f, _s: _profit(lines),
    "margin_rate": lambda lines, _f, _s: _per(_profit(lines), _net_with_profit(lines)),
    "profit_coverage": lambda lines, _f, _s: _per(_net_with_profit(lines), _net(lines)),
    "customers": lambda lines, _f, _s: len(_buyers(lines)),
    "new_customers": _new,
    "returning_customers": lambda lines, f, s: len(_buyers(lines)) - _new(lines, f, s),
    "new_customer_rate": lambda lines, f, s: _per(_new(lines, f, s), len(_buyers(lines))),
    "orders_per_customer": lambda lines, _f, _s: _per(
        _orders([line for line in lines if line["customer"] is not None]), len(_buyers(lines))
    ),
    "net_sales_per_customer": lambda lines, _f, _s: _per(
        _net([line for line in lines if line["customer"] is not None]), len(_buyers(lines))
    ),
}
