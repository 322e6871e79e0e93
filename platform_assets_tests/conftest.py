"""What tests of several packages share: every engine, and the real files beside the checkout."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import Engine
from platform_assets.engines.pandas import PandasEngine
from platform_assets.engines.spark import SparkEngine
from platform_assets.settings import CHECKOUT
from platform_assets_tests.deliveries import Deliveries
from platform_assets_tests.spark import SPARK

# A shell that starts the session in the background has it ignore SIGINT. Dagster then has it ignore SIGTERM, too, which
# every child inherits: nothing that is asked to end would end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ENGINES = ("duckdb", "pandas", "spark")
"""Every transformation test runs on each of these; a further engine is one name here and one line below."""

without_spark = pytest.mark.parametrize("engine", ["duckdb", "pandas"], indirect=True, scope="session")
"""For tests of what is judged in Python, from counts that other tests have seen on every engine."""


def make_test_engine(name: str, scratch: Path) -> Engine:
    """An engine by its name; those of Spark are sessions of one server, started by the first of them."""
    makers: dict[str, Callable[[], Engine]] = {
        "duckdb": lambda: DuckDBEngine(scratch),
        "pandas": PandasEngine,
        "spark": lambda: SparkEngine(SPARK.url, scratch),
    }
    return makers[name]()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case of bytes by its place: what is in them may hold a time, and all processes must agree on the names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session", autouse=True)
def _end_of_the_session() -> Iterator[None]:
    """Stop the Spark server, where a test has started one."""
    yield
    SPARK.stop()


@pytest.fixture(scope="session")
def spark_url() -> str:
    """The Spark server of this test session."""
    return SPARK.url


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Each engine in turn; one of a kind for all tests, because engines keep nothing between frames."""
    made = make_test_engine(request.param, tmp_path_factory.mktemp("scratch"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_datasets() -> Path:
    """Folder of the real and the hostile files."""
    folder = CHECKOUT.parent / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip(f"the real files are not beside the checkout: there is no {folder.name} folder in ../shared")
    return folder


@pytest.fixture
def deliveries(engine: Engine, tmp_path: Path) -> Deliveries:
    """An empty landing zone and lake of this test alone, on each engine."""
    return Deliveries(tmp_path, engine)
