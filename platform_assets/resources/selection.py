"""What of the assets a run brings up to date."""

import warnings
from typing import Any

import dagster as dg
from dagster._check import CheckError
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

from platform_assets.errors import SettingsError

_UNREADABLE = (dg.DagsterError, NotImplementedError, CheckError)
"""What Dagster raises of syntax it does not know, and of what only its UI can search by."""


def selected_assets(graph: BaseAssetGraph[Any], selection: str | None) -> list[dg.AssetKey] | None:
    """The assets that a selection names, and those that the same steps make.

    Args:
        graph: All assets.
        selection: In Dagster's selection syntax, as the UI has it.

    Returns:
        Their keys; ``None`` for all.

    Raises:
        SettingsError: It cannot be read, or names no asset.
    """
    if selection is None:
        return None
    try:
        with warnings.catch_warnings():
            # Of a parameter that Dagster's own parser passes on.
            warnings.simplefilter("ignore", dg.BetaWarning)
            chosen = dg.AssetSelection.from_string(selection)
        keys = chosen.required_multi_asset_neighbors().resolve(graph)
    except _UNREADABLE as error:
        raise _unusable(selection, "cannot be read as a selection of assets") from error
    if not keys:
        raise _unusable(selection, "selects no asset")
    return sorted(keys)


def _unusable(selection: str, problem: str) -> SettingsError:
    return SettingsError(
        f"PLATFORM_SELECT (--select) is {selection!r}, which {problem}.",
        'Write it as in the UI\'s search field, for example: group:warehouse, +key:"warehouse/fct_sales", or '
        "not tag:topic=forecast.",
    )
