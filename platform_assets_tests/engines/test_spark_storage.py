"""A cluster computes on files by their path: that it sees the same ones is found out before anything is computed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from platform_assets.engines import spark
from platform_assets.errors import ServiceError


def test_a_server_on_the_same_storage_is_taken(spark_url: str, tmp_path: Path) -> None:
    engine = spark.SparkEngine(spark_url, tmp_path)

    engine.require_shared_storage()
    engine.close()


@pytest.mark.parametrize(
    "elsewhere",
    [
        lambda _: "file:///nowhere/rows.parquet",
        lambda path: f"file://{path.parent}/another-machine/{path.name}",
    ],
    ids=["nothing is there", "another folder is there"],
)
def test_a_server_that_sees_other_files_is_told_with_the_folder_and_the_remedy(
    spark_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Callable[[Path], str]
) -> None:
    engine = spark.SparkEngine(spark_url, tmp_path)
    monkeypatch.setattr(spark, "_address", elsewhere)

    with pytest.raises(ServiceError, match=r"do not share the files in .*PLATFORM_HOME and PLATFORM_RAW"):
        engine.require_shared_storage()
    engine.close()


def test_a_server_that_writes_where_this_machine_does_not_look_is_told(
    spark_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = spark.SparkEngine(spark_url, tmp_path)
    monkeypatch.setattr(engine, "_write", lambda _frame, path: path.mkdir())

    with pytest.raises(ServiceError, match="do not share"):
        engine.require_shared_storage()
    engine.close()
