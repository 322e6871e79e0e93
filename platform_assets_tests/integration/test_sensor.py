"""The sensor of the landing zone, with the real definitions and the real lake."""

from collections.abc import Iterator

import dagster as dg
import pytest

from platform_assets.definitions import defs
from platform_assets.resources.platform import PlatformResource
from platform_assets_tests.integration.deliveries import ECOMMERCE, shop_day, shop_file
from platform_assets_tests.integration.running import Home

pytestmark = [
    pytest.mark.integration,
    # What Dagster itself calls where one resource is nested in another.
    pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `__fields__` attribute is deprecated:DeprecationWarning"),
]


class Sensor:
    """The sensor as the daemon calls it: each tick is given the cursor that the one before left."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        definitions = defs()
        self._sensor = definitions.resolve_sensor_def("landing_zone")
        self._resources = {"platform": PlatformResource()}
        self._instance = instance
        self._cursor: str | None = None

    def tick(self) -> list[str]:
        """The keys of the runs requested."""
        with dg.build_sensor_context(self._instance, self._cursor, resources=self._resources) as context:
            data = self._sensor.evaluate_tick(context)
        self._cursor = data.cursor
        return [str(request.run_key) for request in data.run_requests or ()]


@pytest.fixture
def sensor(home: Home) -> Iterator[Sensor]:  # noqa: ARG001 -- it leads this process to the home
    with dg.DagsterInstance.ephemeral() as instance:
        yield Sensor(instance)


def test_nothing_is_requested_for_an_empty_landing_zone(sensor: Sensor) -> None:
    assert [sensor.tick() for _ in range(3)] == [[], [], []]


def test_a_dropped_file_is_waited_for_then_requested_exactly_once(home: Home, sensor: Sensor) -> None:
    assert sensor.tick() == []
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    first, second, third, fourth = (sensor.tick() for _ in range(4))
    assert (len(first), len(second), len(third), len(fourth)) == (0, 1, 0, 0)


def test_a_file_that_still_grows_is_waited_for(home: Home, sensor: Sensor) -> None:
    content = shop_file(shop_day(1))
    for share in range(1, 6):
        home.write(ECOMMERCE, "day1.csv", content[: len(content) * share // 5])
        assert sensor.tick() == []
    assert len(sensor.tick()) == 1


def test_a_file_under_a_transfer_program_s_name_is_not_there_yet(home: Home, sensor: Sensor) -> None:
    path = home.write(ECOMMERCE, "day1.csv.part", shop_file(shop_day(1)))
    assert [sensor.tick() for _ in range(3)] == [[], [], []]
    path.rename(path.with_suffix(""))
    assert [len(sensor.tick()) for _ in range(3)] == [0, 1, 0]


def test_what_a_run_from_the_command_line_has_read_is_not_requested(home: Home, sensor: Sensor) -> None:
    home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1)))
    home.write(ECOMMERCE, "empty.csv", b"")
    assert sensor.tick() == []
    home.run().succeeded()
    assert [sensor.tick() for _ in range(3)] == [[], [], []]
    path = home.write(ECOMMERCE, "day1.csv", shop_file(shop_day(1, count=130)))
    keys = [sensor.tick() for _ in range(3)]
    assert [len(key) for key in keys] == [0, 1, 0]
    path.unlink()
    later = [sensor.tick() for _ in range(3)]
    assert [len(key) for key in later] == [0, 1, 0]
    assert later[1] != keys[1]


def test_the_request_is_for_the_job_that_brings_everything_up_to_date() -> None:
    definitions = defs()
    job = definitions.resolve_job_def("refresh")
    sensor = definitions.resolve_sensor_def("landing_zone")
    assert sensor.job_name == "refresh"
    assert set(job.asset_layer.selected_asset_keys) == set(definitions.resolve_asset_graph().materializable_asset_keys)
    assert sensor.minimum_interval_seconds is not None
    assert sensor.minimum_interval_seconds <= 60
