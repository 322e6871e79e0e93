"""Spark's session as assets see it: Dagster's own resource, on the server this platform works with."""

from typing import Any

import dagster as dg
from dagster_pyspark import PySparkResource
from pydantic import Field, PrivateAttr

from platform_assets.engines.spark_session import close_session, open_session
from platform_assets.services.spark import ensure_spark
from platform_assets.settings import Settings


class SparkResource(PySparkResource):
    """A session of the platform's Spark server, or of the cluster in ``SPARK_REMOTE``, for assets that use Spark.

    It is the session of the Spark engine, so frames from either can be joined. It ends with the run.
    """

    spark_config: dict[str, Any] = Field(
        default={},
        description="Settings of the session by their full name, such as spark.sql.shuffle.partitions. The Spark "
        "engine of the run shares the session.",
    )

    _url: str | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Open the session, on a server that is started when none runs.

        Raises:
            ServiceError: Spark is not installed, or no server can be started or reached.
        """
        url = ensure_spark(Settings.from_environment())
        self._spark_session = open_session(url)
        self._url = url
        for name, value in self.spark_config.items():
            self._spark_session.conf.set(name, value)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        """Give the session back."""
        if self._url is not None:
            close_session(self._url)
            self._url = None
