"""What all assets that are tables in PostgreSQL have in common."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa

from platform_assets.presentation.metadata import column_schema

DATA_TEAM = "team:data"


def warehouse_table(
    layer: str,
    name: str,
    schema: pa.Schema | None = None,
    *,
    table: str | None = None,
    owner: str = DATA_TEAM,
    **more: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """An asset whose load the warehouse's IO manager applies; loads wait for each other in one pool.

    Args:
        layer: First part of its key, and its group.
        name: Second part of its key.
        schema: Columns of its rows, where they come as a frame.
        table: The table it fills; by default the one named after its key.
        owner: Who answers for it.
        more: What else ``dagster.asset`` takes.
    """
    columns = column_schema(schema) if schema is not None else {}
    made: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        key=[layer, name],
        io_manager_key="warehouse",
        group_name=layer,
        kinds={"postgres", "table"},
        owners=[owner],
        pool="postgres",
        metadata={"table": table or f"{layer}.{name}", **columns},
        **more,
    )
    return made
