from datetime import date, datetime, timedelta

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.calendar import day_number
from platform_assets.engines.engine import Engine

EPOCH = date(1970, 1, 1)
CENTURIES = [date(year, month, day) for year in (1600, 1700, 1900, 2000, 2100) for month, day in ((2, 28), (3, 1))]
DAYS = [date(1, 1, 1), date(4, 2, 29), *CENTURIES, EPOCH, date(2024, 2, 29), date(2024, 12, 31), date(9999, 12, 31)]


def test_a_days_number_counts_from_1970_in_every_century(engine: Engine) -> None:
    frame = engine.from_arrow(pa.table({"day": pa.array(DAYS, pa.date32())}))

    found = engine.collect(frame.with_columns(day_number(nw.col("day")).alias("number"))).to_pylist()

    assert {row["day"]: row["number"] for row in found} == {day: (day - EPOCH).days for day in DAYS}


def test_an_instant_has_the_number_of_its_day_and_a_missing_one_has_none(engine: Engine) -> None:
    last_moment = datetime(2011, 12, 9) + timedelta(days=1, microseconds=-1)
    frame = engine.from_arrow(pa.table({"at": pa.array([last_moment, None], pa.timestamp("us"))}))

    found = engine.collect(frame.select(day_number(nw.col("at")).alias("number")))["number"].to_pylist()

    assert sorted(found, key=str) == [15_317, None]
