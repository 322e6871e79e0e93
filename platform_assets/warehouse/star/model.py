"""The star: which dimensions and facts there are, how they hang together, and who may write them at a time.

Belongs here: what loads of dimensions and loads of facts must know of each other. Does not belong here: how either is
loaded (``dimensions``, ``slices``), and columns that nothing but the rows' own load speaks of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC

from psycopg2 import extensions, sql

from platform_assets.transforms.versions import BEGINNING, END
from platform_assets.warehouse.loading.transaction import hold, table_identifier

FIRST = sql.Literal(BEGINNING.replace(tzinfo=UTC))
"""Where the first version of every member begins; it holds for what happened before, too."""
LAST = sql.Literal(END.replace(tzinfo=UTC))
"""Where the current version of every member ends; it holds for what happens after, too."""


@dataclass(frozen=True)
class Dimension:
    """A table of members.

    Attributes:
        table: Schema and name.
        surrogate: Column of its surrogate key; the facts' columns have the same name.
        natural: Column of its natural key.
        has_versions: Whether a member has a row per version, each from ``valid_from`` to ``valid_to``.
        measures: Columns of facts that follow from the version: the SQL of the value, of ``fact`` and ``valid``.
        from_version: Columns of the versions these measures are made of.
    """

    table: str
    surrogate: str
    natural: str
    has_versions: bool = False
    measures: Mapping[str, str] = field(default_factory=dict)
    from_version: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A table of facts.

    Attributes:
        table: Schema and name.
        happened_at: Column of the instant that decides which version of a member holds.
        dimensions: The dimensions it has keys of, besides the calendar.
    """

    table: str
    happened_at: str
    dimensions: tuple[Dimension, ...]


CHANNEL = Dimension("warehouse.dim_channel", "channel_key", "channel")
CUSTOMER = Dimension("warehouse.dim_customer", "customer_key", "customer_id", has_versions=True)
LOCATION = Dimension("warehouse.dim_location", "location_key", "location_id")
PRODUCT = Dimension(
    "warehouse.dim_product",
    "product_key",
    "product_id",
    has_versions=True,
    # A cost in one currency is none of a sale in another.
    measures={
        "cost_amount": "CASE WHEN fact.currency = valid.price_currency THEN fact.quantity * valid.cost_amount END"
    },
    from_version=("cost_amount", "price_currency"),
)
DIMENSIONS = (CHANNEL, CUSTOMER, LOCATION, PRODUCT)

INTERACTIONS = Fact("warehouse.fct_customer_interactions", "interacted_at", (CHANNEL, CUSTOMER))
SALES = Fact("warehouse.fct_sales", "sold_at", DIMENSIONS)
FACTS = (INTERACTIONS, SALES)

DIM_DATE = "warehouse.dim_date"
"""The days, which every fact refers to by ``date_key``."""


def facts_of(dimension: Dimension) -> list[Fact]:
    """The facts that refer to a dimension."""
    return [fact for fact in FACTS if dimension in fact.dimensions]


def lock_members(cursor: extensions.cursor) -> None:
    """Keep loads of dimensions away until the transaction ends: the versions facts are given stay the valid ones.

    Whoever writes dimensions and facts locks dimensions before facts, and each in the order in which they stand here:
    two who wait for each other is what cannot be then.
    """
    for table in (*(dimension.table for dimension in DIMENSIONS), DIM_DATE):
        hold(cursor, table)


def lock_facts(cursor: extensions.cursor, dimension: Dimension) -> None:
    """Keep loads of the facts that refer to a dimension away until the transaction ends."""
    for fact in facts_of(dimension):
        hold(cursor, fact.table)


def is_used(dimension: Dimension, member: str) -> sql.Composed:
    """Whether any fact refers to any version of a member; ``member`` is the alias of a row with its natural key."""
    facts = sql.SQL(" OR ").join(
        sql.SQL("EXISTS (SELECT FROM {} AS fact WHERE fact.{key} = version.{key})").format(
            table_identifier(fact.table), key=sql.Identifier(dimension.surrogate)
        )
        for fact in facts_of(dimension)
    )
    return sql.SQL("EXISTS (SELECT FROM {} AS version WHERE version.{natural} = {}.{natural} AND ({}))").format(
        table_identifier(dimension.table),
        sql.Identifier(member),
        facts,
        natural=sql.Identifier(dimension.natural),
    )


def is_used_day(day: str) -> sql.Composed:
    """Whether any fact refers to a day; ``day`` is the alias of a row of the calendar."""
    facts = [
        sql.SQL("EXISTS (SELECT FROM {} AS fact WHERE fact.date_key = {}.date_key)").format(
            table_identifier(fact.table), sql.Identifier(day)
        )
        for fact in FACTS
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(facts))
