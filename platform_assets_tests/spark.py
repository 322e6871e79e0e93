"""The one Spark server of a test session, started when first asked for."""

import tempfile
from functools import cached_property
from pathlib import Path

from platform_assets.services.spark_server import SparkServer

BRISK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For a Java that has many small queries to answer and shares its cores with whoever asks them."""


class TestServer:
    """A Spark Connect server in a temporary folder."""

    __test__ = False

    @cached_property
    def _folder(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(prefix="spark-", ignore_cleanup_errors=True)

    @cached_property
    def url(self) -> str:
        """Where it is, once it runs."""
        return self._server().start().url

    def stop(self) -> None:
        """Stop it, if it was ever started."""
        if "url" in self.__dict__:
            self._server().stop()
            self._folder.cleanup()

    def _server(self) -> SparkServer:
        return SparkServer(Path(self._folder.name), "1500m", BRISK)


SPARK = TestServer()
