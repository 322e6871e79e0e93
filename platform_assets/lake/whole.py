"""Tables that are always replaced as a whole, and only when what they are made from changed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from platform_assets.engines.engine import Engine, Frame
from platform_assets.lake.snapshot import WHOLE, Slice, Snapshot
from platform_assets.lake.table import Table
from platform_assets.lake.update import Update


def whole_update(table: Table, made_from: Any, build: Callable[[], Frame], schema: pa.Schema, engine: Engine) -> Update:
    """The next version of a table, computed only if it would differ.

    Args:
        table: The table.
        made_from: Plain data that determines the rows: versions read, parameters, code version.
        build: Computes the rows.
        schema: Their columns and types.
        engine: What computes.
    """
    identity = fingerprint_of([made_from, [str(field) for field in schema]])
    before = table.snapshot()
    if WHOLE in before.slices and before.slices[WHOLE].id == identity:
        return Update(before, is_news=False)
    segment = table.new_segment()
    rows = engine.write(build(), segment, schema)
    piece = Slice(identity, segment.name, {"rows": rows})
    return Update(before.with_slices({WHOLE: piece}, (), {segment.name: (WHOLE,)}))


def whole_rows(table: Table, snapshot: Snapshot, schema: pa.Schema, engine: Engine) -> Frame:
    """The rows of such a table."""
    return engine.scan(table.parts(snapshot), schema)


def fingerprint_of(data: Any) -> str:
    """Thirty-two hexadecimal digits that change with the data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:32]


def content_ids(snapshot: Snapshot) -> Mapping[str, str]:
    """What determines the rows of a version."""
    return dict(sorted(snapshot.ids.items()))
