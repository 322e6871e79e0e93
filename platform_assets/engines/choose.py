"""The engine a deployment asks for."""

from pathlib import Path

from platform_assets.engines.duckdb import DuckDBEngine
from platform_assets.engines.engine import Engine
from platform_assets.engines.pandas import PandasEngine
from platform_assets.settings import EngineName, Settings


def make_engine(settings: Settings, name: EngineName | None = None) -> Engine:
    """Start an engine.

    Args:
        settings: Where state is kept.
        name: Which engine; ``None`` for the deployment's own.
    """
    scratch = settings.home / "scratch"
    wanted = name or settings.engine
    if wanted == "pandas":
        return PandasEngine()
    if wanted == "spark":
        return _spark(settings, scratch)
    return DuckDBEngine(scratch)


def _spark(settings: Settings, scratch: Path) -> Engine:
    # The service first: it says so when Spark, which is installed only for those who ask for it, is not there.
    from platform_assets.services.spark import ensure_spark  # noqa: PLC0415

    url = ensure_spark(settings)
    from platform_assets.engines.spark import SparkEngine  # noqa: PLC0415

    engine = SparkEngine(url, scratch)
    if settings.spark_remote is not None:
        engine.require_shared_storage()
    return engine
