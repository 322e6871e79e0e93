"""Options that several commands share, and how they become settings.

An option is written into the environment before the settings are read from there: so there is one way in, and the
programs that a command starts have the same settings as itself.
"""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import get_args

from platform_assets.settings import EngineName, Settings

VARIABLES = {
    "home": "PLATFORM_HOME",
    "raw": "PLATFORM_RAW",
    "as_of": "PLATFORM_AS_OF",
    "engine": "PLATFORM_ENGINE",
    "select": "PLATFORM_SELECT",
}


def add_home(parser: ArgumentParser) -> None:
    """Add ``--home``."""
    parser.add_argument("--home", metavar="DIR", type=Path, help="folder of all state (PLATFORM_HOME)")


def add_data_options(parser: ArgumentParser) -> None:
    """Add what says which data is processed, and how."""
    add_home(parser)
    parser.add_argument("--raw", metavar="DIR", type=Path, help="landing zone with the raw files (PLATFORM_RAW)")
    parser.add_argument("--as-of", metavar="DATE", help="day the results are for, YYYY-MM-DD (PLATFORM_AS_OF)")
    parser.add_argument("--engine", choices=get_args(EngineName), help="dataframe engine (PLATFORM_ENGINE)")


def settings_from(options: Namespace) -> Settings:
    """Read the settings of this process, the given options first.

    Raises:
        SettingsError: A value cannot be used.
    """
    for name, variable in VARIABLES.items():
        value = getattr(options, name, None)
        if value is not None:
            os.environ[variable] = str(value)
    return Settings.from_environment()
