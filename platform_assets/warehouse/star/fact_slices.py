"""By which id the ledger knows the facts that are made of a slice of sale lines.

Belongs here: what else than the lines decides what the facts are. Does not belong here: the ledger (``slices``).
"""

from platform_assets.lake.whole import fingerprint_of

FACTS_BY = 1
"""Raise it when the same sale lines make other facts, so that every file is loaded again."""


def fact_slice_id(slice_id: str, currency: str, made_by: int = FACTS_BY) -> str:
    """The id of the facts of a slice.

    Args:
        slice_id: Version of its lines.
        currency: What their amounts are in.
        made_by: ``FACTS_BY`` when they were made.
    """
    return fingerprint_of([made_by, slice_id, currency])
