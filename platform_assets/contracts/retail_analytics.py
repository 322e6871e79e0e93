"""Retail analytics: one row is one purchase of a customer in a channel."""

from decimal import Decimal

from platform_assets.contracts.columns import Column, ColumnType
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.row_rules import NotBefore, OneOf, ProductOf, Within
from platform_assets.contracts.rules import Dimension, KnownIn, LineUnique, NotAfterAsOf, Severity

CHANNELS = ("Online", "Store", "Mobile", "Call Center", "Catalog")

CONTRACT = Contract(
    dataset="retail_analytics",
    title="one purchase of a customer in a channel",
    owner="team:retail",
    amount="amount_spent",
    event_at="purchase_date",
    columns=(
        Column(
            name="customer_id",
            type=ColumnType.IDENTIFIER,
            description="Who bought.",
            required=True,
            nullable=False,
            aliases=("CustomerID", "Customer", "Kundennummer", "id_cliente", "id_client"),
            personal=True,
        ),
        Column(
            name="purchase_date",
            type=ColumnType.TIMESTAMP,
            description="When the purchase happened.",
            required=True,
            nullable=False,
            aliases=("date", "Datum", "fecha", "fecha_compra", "date_achat"),
        ),
        Column(
            name="channel",
            type=ColumnType.TEXT,
            description="Through which channel the customer bought.",
            required=True,
            nullable=False,
            aliases=("sales_channel", "Kanal", "canal"),
            vocabulary=CHANNELS,
        ),
        Column(
            name="amount_spent",
            type=ColumnType.MONEY,
            description="Money of the purchase.",
            required=True,
            nullable=False,
            aliases=("amount", "spend", "Betrag", "importe", "montant"),
        ),
        Column(
            name="items_purchased",
            type=ColumnType.INTEGER,
            description="Pieces.",
            aliases=("items", "quantity", "Menge", "cantidad", "quantite"),
        ),
        Column(
            name="avg_item_price",
            type=ColumnType.MONEY,
            description="Money per piece, rounded to cents.",
            aliases=("average_item_price", "average_price"),
        ),
    ),
    own_rules=(
        Within(
            id="amount_spent_not_negative",
            dimension=Dimension.VALIDITY,
            severity=Severity.ERROR,
            description="amount_spent is 0 or more",
            column="amount_spent",
            low=0,
        ),
        Within(
            id="items_purchased_positive",
            dimension=Dimension.VALIDITY,
            severity=Severity.ERROR,
            description="items_purchased is 1 or more",
            column="items_purchased",
            low=1,
        ),
        ProductOf(
            id="amount_matches_items",
            dimension=Dimension.CONSISTENCY,
            severity=Severity.WARN,
            description="avg_item_price times items_purchased is amount_spent, to 0.01 and half a cent per item",
            product="amount_spent",
            factor="items_purchased",
            price="avg_item_price",
            fixed=Decimal("0.01"),
            per_factor=Decimal("0.005"),
        ),
        OneOf(
            id="channel_known",
            dimension=Dimension.VALIDITY,
            severity=Severity.ERROR,
            description=f"channel is one of {', '.join(CHANNELS)}",
            column="channel",
            values=CHANNELS,
        ),
        NotBefore(
            id="purchase_date_not_before_1990",
            dimension=Dimension.VALIDITY,
            severity=Severity.ERROR,
            description="purchase_date is not before 1990",
            column="purchase_date",
            year=1990,
        ),
        NotAfterAsOf(
            id="purchase_date_not_in_future",
            dimension=Dimension.VALIDITY,
            severity=Severity.ERROR,
            description="purchase_date is at most one day after as_of",
            column="purchase_date",
        ),
        LineUnique(
            id="line_unique",
            dimension=Dimension.UNIQUENESS,
            severity=Severity.ERROR,
            description="no line is repeated in every column; the first stays",
        ),
        KnownIn(
            id="customer_known",
            dimension=Dimension.CONSISTENCY,
            severity=Severity.WARN,
            description="customer_id is known from another dataset",
            column="customer_id",
            references=(("ecommerce_transactions", "customer_id"), ("superstore_sales", "customer_id")),
        ),
    ),
)
