"""Where results are printed."""

import sys

from rich.console import Console

REPORT_WIDTH = 120


def console_of_output(width: int = REPORT_WIDTH) -> Console:
    """Standard output: as wide as the terminal, or, in a file or a pipe, as ``width`` says."""
    return Console() if sys.stdout.isatty() else Console(width=width)
