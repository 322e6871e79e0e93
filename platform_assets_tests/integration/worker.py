"""What a run's process does. It is forked from a process that has imported everything, which saves seconds a run.

Belongs here: starting the command line in such a process. Does not belong here: any test, and any import of pytest.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from platform_assets.cli import main as command_line
from platform_assets.cli import outcome, report, run
from platform_assets.definitions import defs

PRELOADED = (command_line, outcome, report, run, defs())


def run_command(arguments: Sequence[str], environment: Mapping[str, str], output: Path, errors: Path) -> None:
    """Run the command line as a shell would: in a process group of its own, with its output in files."""
    os.setsid()
    for name in [name for name in os.environ if name.startswith(("PLATFORM_", "DAGSTER_"))]:
        del os.environ[name]
    os.environ.update(environment)
    with output.open("w") as stdout, errors.open("w") as stderr, redirect_stdout(stdout), redirect_stderr(stderr):
        code = command_line.main(list(arguments))
    sys.exit(code)
