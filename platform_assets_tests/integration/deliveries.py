"""Small files as a test wants them: lines of which every number is known."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

ECOMMERCE, SUPERSTORE = "ecommerce_transactions", "superstore_sales"
SHOP_HEADER = "InvoiceNo,CustomerID,StockCode,Description,InvoiceDate,Quantity,UnitPrice,Country"
B2B_HEADER = (
    "Row ID,Order ID,Order Date,Ship Date,Customer ID,Segment,Product ID,Category,Sales,Quantity,Discount,Profit"
)


@dataclass(frozen=True)
class ShopLine:
    """One line of an invoice."""

    day: int
    number: int
    quantity: int = 1
    price: Decimal = Decimal("2.50")

    @property
    def amount(self) -> Decimal:
        """What the line brings in."""
        return self.quantity * self.price

    def __str__(self) -> str:
        invoice = f"I{self.day:02}{self.number:04}"
        product = f"P{self.number % 7}"
        moment = f"2024-03-{self.day:02} 10:{self.number % 60:02}:00"
        return f"{invoice},C{self.number % 11},{product},Product {product},{moment},{self.quantity},{self.price},France"


def shop_day(day: int, count: int = 120) -> list[ShopLine]:
    """The lines of a day in March 2024, no two alike."""
    return [ShopLine(day, number, quantity=1 + number % 3) for number in range(count)]


def shop_file(lines: Iterable[ShopLine]) -> str:
    """A daily file of the web shop."""
    return "\n".join([SHOP_HEADER, *map(str, lines)]) + "\n"


@dataclass(frozen=True)
class OrderLine:
    """One line of a business order."""

    month: int
    number: int
    sales: Decimal = Decimal("10.25")
    profit: Decimal = Decimal("-1.5")

    def __str__(self) -> str:
        row = self.month * 10_000 + self.number
        days = f"{self.month}/{1 + self.number % 20}/2024,{self.month}/{4 + self.number % 20}/2024"
        people = f"B{self.number % 9},Corporate"
        return f"{row},O{row},{days},{people},P{self.number % 7},Paper,{self.sales},2,0.1,{self.profit}"


def b2b_month(month: int, count: int = 120) -> list[OrderLine]:
    """The lines of a month of 2024, no two alike."""
    return [OrderLine(month, number) for number in range(count)]


def spoiled(lines: list[OrderLine], count: int) -> list[OrderLine]:
    """The lines with the sales of the first few negative, which is an error."""
    return [replace(line, sales=-line.sales) if place < count else line for place, line in enumerate(lines)]


def b2b_file(lines: Iterable[OrderLine]) -> str:
    """A monthly file of the business side."""
    return "\n".join([B2B_HEADER, *map(str, lines)]) + "\n"
