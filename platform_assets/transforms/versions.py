"""The history of members: from what was told of them, and when, to versions that follow each other without a gap.

Belongs here: what is true of every history. Does not belong here: which attributes have one (``core_dimensions``).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import narwhals as nw

from platform_assets.engines.engine import Frame

BEGINNING = datetime(1900, 1, 1)  # noqa: DTZ001 - the lake's instants are UTC, without a zone in their type
"""Since when the first version of every member is valid."""
END = datetime(9999, 12, 31)  # noqa: DTZ001 - as above
"""Until when the newest version of every member is valid."""

VALID_FROM, VALID_TO = "valid_from", "valid_to"
_AT, _BEFORE = "_at", "_before"


def versions(observations: Frame, key: str, at: str, tracked: Sequence[str], *, carried: bool) -> Frame:
    """Each member's versions: one per stretch of time in which nothing about it changes.

    The order of the observations does not matter. Of several values at one instant the least counts, of texts the
    first in the alphabet. What is told for no instant, or for one before ``BEGINNING``, is told for ``BEGINNING``;
    what is told for ``END`` or later, for the last instant before it.

    Args:
        observations: What was told of members: rows with ``key``, ``at`` and the tracked columns.
        key: The column that names the member, never null.
        at: The column with the instant from which on it holds.
        tracked: The columns that have a history.
        carried: Whether a null says nothing, so that the value before holds on, and the first one known holds before
            it; otherwise a null is a value: unknown from then on.

    Returns:
        Rows with ``key``, ``valid_from``, ``valid_to`` (the first instant no longer in it) and the tracked columns.
        The versions of a member cover ``[BEGINNING, END)`` once; two that follow each other differ.
    """
    told = _told(observations, key, at, tracked)
    if carried:
        told = _filled(_filled(told, key, tracked, "forward"), key, tracked, "backward")
    before = [_neighbour(name, key, 1).alias(f"_before_{name}") for name in tracked]
    told = told.with_columns(_neighbour(_AT, key, 1).alias(_BEFORE), *before)
    news = told.filter(nw.any_horizontal(nw.col(_BEFORE).is_null(), *map(_differs, tracked), ignore_nulls=True))
    since = nw.when(~nw.col(_BEFORE).is_null()).then(nw.col(_AT)).fill_null(BEGINNING)
    ended = news.with_columns(since.alias(VALID_FROM), _neighbour(_AT, key, -1).alias(VALID_TO))
    return ended.with_columns(nw.col(VALID_TO).fill_null(END)).select(key, VALID_FROM, VALID_TO, *tracked)


def is_current() -> nw.Expr:
    """Whether a version is its member's newest."""
    return nw.col(VALID_TO) == END


def _told(observations: Frame, key: str, at: str, tracked: Sequence[str]) -> Frame:
    """One row per member and instant at which something was told of it."""
    columns = [key, _AT, *tracked]
    different = observations.with_columns(_within_time(at).alias(_AT)).select(columns).unique(columns)
    # Only where something differs: on pandas, the least of texts is looked for in Python, group by group.
    counted = different.with_columns(nw.len().over(key, _AT).alias("_told"))
    least = [nw.col(name).min().alias(name) for name in tracked]
    several = counted.filter(nw.col("_told") > 1).group_by(key, _AT).agg(*least)
    return nw.concat([counted.filter(nw.col("_told") == 1).select(columns), several.select(columns)], how="vertical")


def _within_time(at: str) -> nw.Expr:
    instant = nw.col(at).cast(nw.Datetime("us")).fill_null(BEGINNING)
    return instant.clip(BEGINNING, END - timedelta(microseconds=1))


def _filled(told: Frame, key: str, columns: Sequence[str], way: Literal["forward", "backward"]) -> Frame:
    """The frame with nulls replaced by the member's nearest value before or after them, where there is one."""
    return told.with_columns(nw.col(*columns).fill_null(strategy=way).over(key, order_by=_AT))


def _neighbour(column: str, key: str, places: int) -> nw.Expr:
    return nw.col(column).shift(places).over(key, order_by=_AT)


def _differs(column: str) -> nw.Expr:
    """Whether a value is another than the one before; two that are missing are the same."""
    now, before = nw.col(column), nw.col(f"_before_{column}")
    return (now.is_null() != before.is_null()) | (now != before)
