"""The page that leads to the others says what they say."""

from pathlib import Path
from urllib.request import urlopen

from platform_assets.reports.index_page import index_html, write_index
from platform_assets.reports.page import PAGES, Page, page_html
from platform_assets.reports.writing import write_report
from platform_assets.services.reports_server import serving_reports
from platform_assets_tests.reports.parsed import EVIL, loaded
from platform_assets_tests.reports.parsed import Page as Parsed
from platform_assets_tests.reports.topics.made import MADE


def test_it_says_what_the_pages_say_and_which_are_missing(tmp_path: Path) -> None:
    write_report(page_html(Page("forecast", f"It will rain. {EVIL}", (), ()), MADE), tmp_path / "forecast.html")
    found = Parsed(index_html(tmp_path))
    assert f"It will rain. {EVIL}" in " ".join(found.words)
    assert "made 2024-05-02 06:30 UTC" in found.text
    # All others, and the scorecard.
    assert found.text.count("There is none yet: a run makes it.") == len(PAGES)
    assert not any(tag == "img" for tag, _ in found.elements)
    assert loaded(found) == set()


def test_it_is_written_beside_the_pages(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    write_index(folder, tmp_path / "run" / "reports.lock")
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_it_is_what_the_server_gives_first_once_it_is_there(tmp_path: Path) -> None:
    write_report("<p>scores</p>", tmp_path / "scorecard.html")
    with serving_reports(tmp_path, 0) as port:
        before = urlopen(f"http://127.0.0.1:{port}/").read().decode()
        write_index(tmp_path, tmp_path / "reports.lock")
        after = urlopen(f"http://127.0.0.1:{port}/").read().decode()
    assert before == "<p>scores</p>"
    assert "<h1>Reports</h1>" in after
