from pathlib import Path

import pyarrow as pa
import pytest

from platform_assets.analytics.lifetime.histories import Histories
from platform_assets_tests.analytics.lifetime.sales import cdnow


@pytest.fixture(scope="session")
def cdnow_summaries(shared_datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """CDNOW's sample, split after 39 weeks."""
    return cdnow(shared_datasets, tmp_path_factory.mktemp("cdnow"))


@pytest.fixture(scope="session")
def cdnow_histories(cdnow_summaries: pa.Table) -> Histories:
    return Histories.of_summaries(cdnow_summaries)
