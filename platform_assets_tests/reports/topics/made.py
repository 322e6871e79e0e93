"""Pages of hand-made tables."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from platform_assets.defs.reports import REPORTS, Report
from platform_assets.reports.page import Made, Page, page_html
from platform_assets_tests.reports.parsed import Page as Parsed

DAY = date(2024, 5, 1)
MADE = Made(DAY, datetime(2024, 5, 2, 6, 30, tzinfo=UTC))
OF_NAME: dict[str, Report] = {report.name: report for report in REPORTS}
Rows = Iterable[dict[str, Any]]


def shown(schema: pa.Schema) -> pa.Schema:
    """A schema as pages see it: customers are pseudonyms."""
    names = ["customer_pseudonym" if name == "customer_id" else name for name in schema.names]
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def page(name: str, **rows: Rows) -> Page:
    """The page of a topic of tables with these rows; columns that are not given are null, other tables are empty."""
    reads = OF_NAME[name].reads
    assert rows.keys() <= reads.keys()
    tables = {table: pa.Table.from_pylist(list(rows.get(table, [])), shown(schema)) for table, schema in reads.items()}
    return OF_NAME[name].page(tables)


def html(made: Page) -> str:
    """A page as HTML without Plotly's own script."""
    whole = page_html(made, MADE)
    first = whole.index("<script nonce")
    return whole[:first] + whole[whole.index("<script nonce", first + 1) :]


def parsed(made: Page) -> Parsed:
    """A page as a browser reads it."""
    return Parsed(html(made))


def filled(schema: pa.Schema, words: str, **given: Any) -> dict[str, Any]:
    """A row without nulls, with the same words in every text that is not given."""
    return {field.name: given.get(field.name, _value(field.type, words)) for field in schema}


def _value(kind: pa.DataType, words: str) -> Any:
    if pa.types.is_string(kind):
        return words
    if pa.types.is_boolean(kind):
        return True
    if pa.types.is_timestamp(kind):
        return datetime(2024, 5, 1, 12)
    if pa.types.is_date(kind):
        return DAY
    if pa.types.is_decimal(kind):
        return Decimal("12.5")
    return 0.5 if pa.types.is_floating(kind) else 1
