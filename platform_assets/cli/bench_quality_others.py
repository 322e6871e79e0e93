"""The other tools of the quality benchmark: an environment of their own, made when they are first measured.

The platform neither needs nor sees them: they run with their own Python from
``platform_assets_tests/benchmarks/quality``.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from platform_assets.errors import PlatformError
from platform_assets.settings import CHECKOUT

OTHERS = (
    ("pandera", "pandas"),
    ("pandera", "polars"),
    ("great_expectations", "pandas"),
    ("pointblank", "pandas"),
    ("pointblank", "polars"),
)
"""Tools, and the data frames they are given."""

_LOCK = CHECKOUT / "platform_assets_tests" / "benchmarks" / "quality" / "requirements.lock"
_ERROR_LINES = 5


def environment_of_others(home: Path, tell: Callable[[str], None]) -> Path:
    """The Python that has them, installed from its lock where it is missing or older.

    Args:
        home: The platform's home folder; the environment is ``bench`` in it.
        tell: Takes what is said to people.

    Raises:
        PlatformError: It cannot be installed.
    """
    folder = home / "bench"
    python, stamp = folder / "bin" / "python", folder / "requirements.stamp"
    wanted = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and python.exists():
        return python
    tell(f"installing the other tools into {folder} (once; about a minute)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    uv = _uv()
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    _run([uv, "pip", "sync", "--quiet", "--strict", "--require-hashes", "--python", str(python), str(_LOCK)])
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _uv() -> str:
    from uv import find_uv_bin

    return str(find_uv_bin())


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split("\n")[-_ERROR_LINES:]).strip()
        remedy = "See that the package index can be reached, or leave the other tools out with --engines."
        raise PlatformError(f"The other tools could not be installed: {said}", remedy)
