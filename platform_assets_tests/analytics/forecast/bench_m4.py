"""M4 weekly, all 359 series: this package with and without statsforecast beside what the competition published.

Run it with ``python -m platform_assets_tests.analytics.forecast.bench_m4`` (minutes; ``--every 10`` for a taste).
"""

import argparse
import json
import time
from collections.abc import Sequence

from platform_assets.analytics.forecast.combination import COMBINATION
from platform_assets.analytics.forecast.coverage import bands
from platform_assets.analytics.forecast.forecasts import tested
from platform_assets.analytics.forecast.library import has_library, library_models
from platform_assets.analytics.forecast.models import Forecaster, numpy_models
from platform_assets.settings import CHECKOUT
from platform_assets_tests.analytics.forecast.m4 import HORIZON, Weekly, scores, weekly


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every so many-th series")
    parser.add_argument("--without-library", action="store_true", help="do not try statsforecast")
    options = parser.parse_args()
    datasets = CHECKOUT.parent / "shared" / "datasets"
    listed = weekly(datasets, options.every)
    truth = json.loads((datasets / "truth.json").read_text(encoding="utf-8"))["m4_weekly"]["published"]
    for name, (percent, scaled) in truth.items():
        print(f"published {name:<24} sMAPE {percent:6.3f}  MASE {scaled:6.3f}")  # noqa: T201
    _try("numpy", listed, numpy_models())
    if has_library() and not options.without_library:
        _try("with statsforecast", listed, (*numpy_models(), *library_models()))


def _try(label: str, listed: Sequence[Weekly], models: Sequence[Forecaster]) -> None:
    begun = time.perf_counter()
    pool = [tested(one.series, models, HORIZON) for one in listed]
    seconds = time.perf_counter() - begun
    made = [one.backtest.now.forecasts for one in pool if one.backtest]
    for name in (COMBINATION, "seasonal_naive", *(model.name for model in models)):
        pairs = [(one, ahead[name]) for one, ahead in zip(listed, made, strict=True) if name in ahead]
        percent, scaled = scores(pairs)
        print(f"{label}: {name:<24} sMAPE {percent:6.3f}  MASE {scaled:6.3f}  {len(pairs)} series")  # noqa: T201
    intervals = bands(pool)
    for level in (0.8, 0.95):
        held = [
            (low <= value <= high)
            for one, own in zip(listed, intervals, strict=True)
            for value, low, high in zip(one.came, *own.now[level], strict=True)
        ]
        print(f"{label}: {level:.0%} interval holds {sum(held) / len(held):.1%} of {len(held)} values")  # noqa: T201
    print(f"{label}: {seconds:.1f} s for {len(listed)} series")  # noqa: T201


if __name__ == "__main__":
    main()
