"""A contract with a rule of every kind, and one of a kind that nobody has written yet."""

from dataclasses import dataclass
from decimal import Decimal

from platform_assets.contracts.columns import Column, ColumnType, ZeroPadded
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import (
    DaysBetween,
    Matches,
    NotAbove,
    NotBefore,
    NotEqual,
    OneOf,
    Present,
    ProductOf,
    Within,
)
from platform_assets.contracts.rules import (
    AgreesWith,
    Dimension,
    KeyUnique,
    KnownIn,
    LineUnique,
    NotAfterAsOf,
    OneValuePer,
    Rule,
    Severity,
)


@dataclass(frozen=True, kw_only=True)
class Window:
    """What a rule may hold beside plain values."""

    hours: int
    of: Severity | None = None


@dataclass(frozen=True, kw_only=True)
class Unheard(Rule):
    """A kind of rule that no export knows."""

    column: str
    tolerance: Decimal
    exactly: Decimal
    window: Window
    words: frozenset[str]
    pairs: tuple[tuple[str, int], ...]
    nothing: int | None = None


K, U, V = Dimension.CONSISTENCY, Dimension.UNIQUENESS, Dimension.VALIDITY
ERROR, WARN = Severity.ERROR, Severity.WARN

UNHEARD = Unheard(
    id="unheard",
    dimension=K,
    severity=WARN,
    description="nobody | knows *this*",
    column="price",
    tolerance=Decimal("0.005"),
    exactly=Decimal("0.12345678901234567890123"),
    window=Window(hours=24, of=ERROR),
    words=frozenset({"b", "a"}),
    pairs=(("x", 1), ("y", 2)),
)

EVERYTHING = Contract(
    dataset="everything",
    title="one of everything",
    owner="ada@example.org",
    version=7,
    any_of=(("name", "colour"),),
    amount="total",
    event_at="sold_at",
    columns=(
        Column(name="shop", type=ColumnType.IDENTIFIER, description="Which shop.", nullable=False, required=True),
        Column(name="line", type=ColumnType.INTEGER, description="Number in the shop.", nullable=False),
        Column(name="code", type=ColumnType.IDENTIFIER, description="A | code.", upper=True, aliases=("a|b", "no.")),
        Column(name="name", type=ColumnType.TEXT, description="Who.", personal=True, null_markers=frozenset({"", "?"})),
        Column(name="colour", type=ColumnType.TEXT, description="Its colour.", vocabulary=("Red", "Blue")),
        Column(name="quantity", type=ColumnType.INTEGER, description="Pieces.", default="1"),
        Column(name="price", type=ColumnType.MONEY, description="Of a piece."),
        Column(name="total", type=ColumnType.MONEY, description="Of all.", default_product=("quantity", "price")),
        Column(name="share", type=ColumnType.RATE, description="Given up."),
        Column(name="weight", type=ColumnType.NUMBER, description="In grams."),
        Column(name="sold_at", type=ColumnType.TIMESTAMP, description="When."),
        Column(name="sent_on", type=ColumnType.DATE, description="When it left."),
        Column(
            name="zip",
            type=ColumnType.IDENTIFIER,
            description="Where.",
            zero_padded=ZeroPadded(digits=5, where="name", values=frozenset({"us"})),
        ),
    ),
    own_rules=(
        Present(id="name_given", dimension=Dimension.COMPLETENESS, severity=WARN, description="has one", column="name"),
        Within(id="share_is_rate", dimension=V, severity=ERROR, description="0 to 1", column="share", low=0, high=1),
        Within(
            id="share_is_small", dimension=V, severity=ERROR, description="less", column="share", high=Decimal("0.5")
        ),
        Within(id="weight_some", dimension=V, severity=WARN, description="more", column="weight", low=0),
        Within(id="price_some", dimension=V, severity=ERROR, description="> 0", column="price", low=0, exclusive=True),
        NotEqual(id="quantity_some", dimension=V, severity=ERROR, description="not 0", column="quantity", value=0),
        OneOf(
            id="known_colour", dimension=V, severity=ERROR, description="list", column="colour", values=("Red", "Blue")
        ),
        Matches(id="code_form", dimension=V, severity=WARN, description="form", column="code", pattern="[A-Z]|x"),
        ProductOf(
            id="total_adds_up",
            dimension=K,
            severity=WARN,
            description="to 0.01",
            product="total",
            factor="quantity",
            price="price",
            fixed=Decimal("0.01"),
        ),
        NotAbove(id="price_within", dimension=K, severity=WARN, description="below", column="price", limit="total"),
        DaysBetween(
            id="sent_after",
            dimension=K,
            severity=ERROR,
            description="later",
            earlier="sold_at",
            later="sent_on",
            low=0,
            high=9,
        ),
        NotBefore(id="sold_lately", dimension=V, severity=ERROR, description="1990", column="sold_at", year=1990),
        NotAfterAsOf(id="sold_already", dimension=V, severity=ERROR, description="past", column="sold_at"),
        LineUnique(id="line_once", dimension=U, severity=ERROR, description="once", ignored=("zip",)),
        KeyUnique(id="number_once", dimension=U, severity=ERROR, description="once", key=("shop", "line")),
        KeyUnique(id="code_once", dimension=U, severity=ERROR, description="once", key=("code",)),
        KeyUnique(id="zip_once", dimension=U, severity=WARN, description="once", key=("zip",)),
        OneValuePer(id="one_name", dimension=K, severity=WARN, description="one", key="code", column="name"),
        KnownIn(
            id="code_known",
            dimension=K,
            severity=WARN,
            description="known",
            column="code",
            references=(("product_catalog", "product_id"), ("superstore_sales", "product_id")),
        ),
        AgreesWith(
            id="price_agrees",
            dimension=K,
            severity=WARN,
            description="not far",
            key="code",
            column="price",
            reference=("product_catalog", "product_id", "list_price"),
            tolerance=Decimal("0.5"),
        ),
        UNHEARD,
    ),
)
