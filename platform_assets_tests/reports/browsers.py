"""Pages as a browser draws them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from platform_assets.reports.writing import write_report
from platform_assets_tests.reports.parsed import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Drawn:
    """A page after its scripts have run, and what the browser said on its console."""

    page: Page
    complaints: list[str]


def in_browser(html: str, folder: Path, *, height: int = 3000) -> Drawn:
    """Open a page in a browser without a screen; the test is skipped where there is none."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"there is no browser on this machine: none of {', '.join(BROWSERS)}")
    target = folder / "page.html"
    write_report(html, target)
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"]
    more = [f"--window-size=1280,{height}", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    done = subprocess.run(
        [browser, *options, *more, "--dump-dom", target.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return Drawn(Page(done.stdout), [line for line in done.stderr.splitlines() if "CONSOLE" in line])
