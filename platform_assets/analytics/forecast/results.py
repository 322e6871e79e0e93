"""The tables of a forecast; each constant says what its columns mean and becomes a table with these comments."""

from decimal import Decimal

import pyarrow as pa

from platform_assets.engines.engine import MONEY

_KEY = [("grain", pa.string()), ("currency", pa.string()), ("scope", pa.string()), ("member", pa.string())]

SERIES_SCHEMA = pa.schema([*_KEY, ("period_start_date", pa.date32()), ("revenue_amount", MONEY)])
"""What is forecast: one row per series and step that is over.

``grain`` day or week; ``currency`` ISO 4217; ``scope`` total, category or channel; ``member`` which one;
``period_start_date`` first day of the step (Monday for weeks); ``revenue_amount`` net revenue in it, 0 without sales.
"""

FORECASTS_SCHEMA = pa.schema(
    [
        *_KEY,
        ("as_of_date", pa.date32()),
        ("period_start_date", pa.date32()),
        ("step", pa.int16()),
        ("status", pa.string()),
        ("model", pa.string()),
        ("forecast_amount", MONEY),
        ("lower_80_amount", MONEY),
        ("upper_80_amount", MONEY),
        ("lower_95_amount", MONEY),
        ("upper_95_amount", MONEY),
        ("baseline_amount", MONEY),
        ("reason", pa.string()),
    ]
)
"""What is to come: one row per series and step ahead.

``as_of_date`` last day known; ``step`` 1 for the next one; ``status`` as in ``SKILL_SCHEMA``; ``model`` what made the
forecast; ``forecast_amount`` expected net revenue, null where the series is not forecastable; ``lower_80_amount`` to
``upper_95_amount`` ends of the 80 % and 95 % intervals, null where too few errors are known to say one;
``baseline_amount`` the seasonal naive forecast, for comparison; ``reason`` why the status is what it is.
"""

BACKTEST_SCHEMA = pa.schema(
    [
        *_KEY,
        ("origin_date", pa.date32()),
        ("period_start_date", pa.date32()),
        ("step", pa.int16()),
        ("model", pa.string()),
        ("actual_amount", MONEY),
        ("forecast_amount", MONEY),
        ("lower_80_amount", MONEY),
        ("upper_80_amount", MONEY),
    ]
)
"""What would have been forecast: one row per series, origin, step ahead and model.

``origin_date`` first day that the model did not know; ``actual_amount`` what came; ``lower_80_amount`` and
``upper_80_amount`` the interval that errors of earlier origins alone give, for the combination, null before there are
enough of them.
"""

SKILL_SCHEMA = pa.schema(
    [
        *_KEY,
        ("model", pa.string()),
        ("is_used", pa.bool_()),
        ("weight_rate", pa.float64()),
        ("origins", pa.int16()),
        ("points", pa.int32()),
        ("wape_rate", pa.float64()),
        ("bias_rate", pa.float64()),
        ("mase", pa.float64()),
        ("skill_rate", pa.float64()),
        ("mean_skill_rate", pa.float64()),
        ("status", pa.string()),
        ("reason", pa.string()),
    ]
)
"""How good each model was: one row per series and model, over all origins of the backtest.

``is_used`` whether it makes the published forecast; ``weight_rate`` its share of the combination; ``wape_rate`` sum
of absolute errors by sum of absolute revenue (not capped at 1); ``bias_rate`` sum of forecast minus actual by the
same; ``mase`` mean absolute error by that of the seasonal naive forecast within the known part; ``skill_rate`` share
of the seasonal naive forecast's error that is avoided (negative: worse); ``mean_skill_rate`` the same of the recent
mean's error, which says more where much of a total is new since the season before; ``status`` of the series:
``forecastable``, ``level_only`` (a mean level: short, intermittent, or the recent mean does as well),
``not_forecastable``; ``reason`` why.
"""

COVERAGE_SCHEMA = pa.schema(
    [
        ("grain", pa.string()),
        ("nominal_rate", pa.float64()),
        ("points", pa.int32()),
        ("covered_points", pa.int32()),
        ("realised_rate", pa.float64()),
        ("width_rate", pa.float64()),
        ("is_enough", pa.bool_()),
        ("reason", pa.string()),
    ]
)
"""Whether the intervals hold: one row per grain and nominal level, over the backtest's points that have one.

Each interval is made from errors of earlier origins only. ``covered_points`` within their interval; ``realised_rate``
their share; ``width_rate`` sum of widths by sum of absolute revenue; ``is_enough`` whether there are the 200 points
that a judgement takes; ``reason`` why there is no rate.
"""

_PLACES = Decimal("0.0001")
_TOO_LARGE = 1e14


def money(value: float | None) -> Decimal | None:
    """An amount as the lake holds it, to four places; ``None`` where it is too large for that: as good as no limit."""
    if value is None or not abs(value) < _TOO_LARGE:
        return None
    return Decimal(float(value)).quantize(_PLACES)
