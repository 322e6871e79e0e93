"""The one entry point that Dagster loads. It collects what is in ``defs`` and decides nothing itself."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Load every definition below ``platform_assets/defs``."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
