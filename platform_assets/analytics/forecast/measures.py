"""How far forecasts were off, by the definitions that are published."""

import numpy as np

from platform_assets.analytics.forecast.grains import FloatArray


def smape(actual: FloatArray, forecast: FloatArray) -> float:
    """Symmetric mean absolute percentage error of the M4 competition, 0 to 200; steps where both are 0 have none."""
    sums = np.abs(actual) + np.abs(forecast)
    return float(200 * np.mean(np.divide(np.abs(actual - forecast), sums, out=np.zeros_like(sums), where=sums > 0)))


def mase(known: FloatArray, actual: FloatArray, forecast: FloatArray, season: int) -> float | None:
    """Mean absolute error by that of the seasonal naive forecast within the known part (Hyndman and Koehler, 2006).

    Args:
        known: What the model was fitted to.
        actual: What came.
        forecast: What was forecast.
        season: The period; 1 where less than two of them are known. The M4 competition took 1 for weeks.

    Returns:
        The ratio, or ``None`` where the known part never changes.
    """
    season = season if len(known) >= 2 * season else 1
    scale = float(np.abs(known[season:] - known[:-season]).mean()) if len(known) > season else 0.0
    return float(np.abs(actual - forecast).mean()) / scale if scale else None


def wape(actual: FloatArray, forecast: FloatArray) -> float | None:
    """Sum of absolute errors by sum of absolute amounts; ``None`` where these are 0."""
    return _by_size(actual, float(np.abs(actual - forecast).sum()))


def bias(actual: FloatArray, forecast: FloatArray) -> float | None:
    """Sum of forecast minus actual by sum of absolute amounts: above 0 is too much; ``None`` where these are 0."""
    return _by_size(actual, float((forecast - actual).sum()))


def skill(actual: FloatArray, forecast: FloatArray, reference: FloatArray) -> float | None:
    """Share of a reference's absolute error that is avoided; ``None`` where the reference has none."""
    avoidable = float(np.abs(actual - reference).sum())
    return 1 - float(np.abs(actual - forecast).sum()) / avoidable if avoidable else None


def _by_size(actual: FloatArray, error: float) -> float | None:
    size = float(np.abs(actual).sum())
    return error / size if size else None
