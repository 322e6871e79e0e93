"""All analyses on the engines of one machine: whichever computes, the results are the same.

That Spark reduces rows as they do is shown reduction by reduction, in the tests of ``analytics``.
"""

from pathlib import Path

import pytest

from platform_assets.samples.generate import generate
from platform_assets_tests.integration.dumps import differences, dump_analytics
from platform_assets_tests.integration.running import ALL, Homes

pytestmark = pytest.mark.integration

MAY_BE_EMPTY = {"category_changes", "gone_products", "incident_parts", "substitutes"}
"""What a sample as small as this may have none of."""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analyses") / "raw"
    generate(folder, rows=6000, seed=42)
    return folder


def test_all_engines_come_to_the_same_results(homes: Homes, raw: Path) -> None:
    one, other = homes.make(raw, ALL), homes.make(raw, ALL)
    runs = one.start("--engine", "duckdb"), other.start("--engine", "pandas")
    for run in runs:
        run.result().succeeded()
    found, again = (dump_analytics(home.dsn) for home in (one, other))
    assert differences(found, again) == {}
    assert {name for name, rows in found.items() if not rows} <= MAY_BE_EMPTY
