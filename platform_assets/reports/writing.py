"""Writing a report where people and browsers may be reading it."""

import os
from pathlib import Path

from platform_assets.errors import PlatformError


class ReportError(PlatformError):
    """A report cannot be written."""


def write_report(text: str, target: Path) -> None:
    """Write a report in one step, so that a reader never sees half of it.

    Raises:
        ReportError: The file cannot be written.
    """
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(target)
    except OSError as error:
        problem = f"Cannot write {target}: {error.strerror}."
        raise ReportError(problem, "Name a folder you can write, and see that the disk has room.") from error
