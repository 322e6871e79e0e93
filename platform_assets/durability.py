"""What is written stays written when the machine stops."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have the system bring a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
