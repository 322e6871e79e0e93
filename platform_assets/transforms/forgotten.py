"""What staged rows say of people who were forgotten: that there was somebody, and no more.

Belongs here: the word in the place of such a person, and making nobody of it. Does not belong here: who was forgotten,
and putting the word there (``erasure``).

A forgotten person's row keeps its rules: there was an id, so none is missing. To what follows the buyer is a guest.
"""

from collections.abc import Iterable

import narwhals as nw

from platform_assets.engines.engine import Frame

FORGOTTEN = "FORGOTTEN"
"""Stands in every personal cell of a forgotten person's rows, from ``raw`` on."""


def without_forgotten(rows: Frame, columns: Iterable[str]) -> Frame:
    """Rows in which forgotten people are nobody: null in each of some columns of text."""
    named = [known(name).alias(name) for name in columns]
    return rows.with_columns(*named) if named else rows


def known(column: str) -> nw.Expr:
    """What a column of text says of people who were not forgotten, else null."""
    return nw.when(nw.col(column) != FORGOTTEN).then(nw.col(column))
