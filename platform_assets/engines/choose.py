"""The engine a deployment asks for."""

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
    if (name or settings.engine) == "pandas":
        return PandasEngine()
    return DuckDBEngine(settings.home / "scratch")
