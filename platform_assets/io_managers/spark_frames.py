"""Spark's own frames: written by Spark, given over the session that assets and engine share.

Belongs here: what needs pyspark, which is installed only for those who ask for Spark.
"""

import narwhals as nw
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - its name in every Spark program
from pyspark.sql.types import TimestampType

from platform_assets.io_managers.handlers import Asked, Handler, Kept
from platform_assets.io_managers.lake_types import lake_schema
from platform_assets.resources.platform import PlatformResource


class _Spark(Handler):
    kind, name = DataFrame, "pyspark.sql.DataFrame"

    def take(self, given: DataFrame, platform: PlatformResource) -> Kept:
        frame = nw.from_native(_in_utc(given))
        return Kept(frame, lake_schema(frame), platform.engine_named("spark"))

    def give(self, asked: Asked, platform: PlatformResource) -> DataFrame:
        return asked.rows(platform.engine_named("spark")).to_native()  # type: ignore[no-any-return]  # of any engine


HANDLER = _Spark()


def _in_utc(frame: DataFrame) -> DataFrame:
    """The frame with instants as UTC without a zone, whatever the zone of its session."""
    zoned = [field.name for field in frame.schema if isinstance(field.dataType, TimestampType)]
    return frame.withColumns({name: _utc(name) for name in zoned}) if zoned else frame


def _utc(name: str) -> Column:
    quoted = name.replace("`", "``")
    local = F.col(f"`{quoted}`").cast("timestamp_ntz")
    return F.convert_timezone(F.current_timezone(), F.lit("UTC"), local)
