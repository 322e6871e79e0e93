"""The Spark Connect server: the embedded one, who shares it and what it survives, and one that is configured."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pyspark
import pytest

from platform_assets.cli.main import main
from platform_assets.errors import ServiceError, SettingsError
from platform_assets.services import spark, spark_address, spark_server
from platform_assets.services.java import Java
from platform_assets.services.processes import ProcessIdentity
from platform_assets.services.spark import ensure_spark, spark_status, stop_spark, stop_spark_if_unused
from platform_assets.services.spark_address import parse_address, reach
from platform_assets.services.spark_server import SparkServer, default_memory
from platform_assets.settings import CHECKOUT, Settings

SECRET = "a-token-nobody-sees"  # noqa: S105 -- made up
MEMORY = "1g"
GRPC_PROXY_EXCEPTIONS = "no_grpc_proxy"

ENSURE = """
import sys
from platform_assets.services.spark import ensure_spark, spark_status
from platform_assets.settings import Settings
settings = Settings.from_environment({"PLATFORM_HOME": sys.argv[1], "PLATFORM_SPARK_MEMORY": sys.argv[2]})
ensure_spark(settings)
print(spark_status(settings).pid, flush=True)
sys.stdin.readline()
"""

QUERY = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.stdin.readline().strip()).getOrCreate()
def module(batches):
    import pyarrow as pa
    import platform_assets.settings
    for batch in batches:
        yield pa.record_batch({"told": [str(platform_assets.settings.CHECKOUT)]})
print(spark.range(1).mapInArrow(module, "told string").toArrow().column("told")[0])
spark.stop()
"""


def settings_of(home: Path) -> Settings:
    return Settings.from_environment({"PLATFORM_HOME": str(home), "PLATFORM_SPARK_MEMORY": MEMORY})


def configured(url: str) -> Settings:
    return Settings.from_environment({"SPARK_REMOTE": url})


@contextmanager
def another_command(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    """Run another process that uses the server until it is sent a line."""
    command = [sys.executable, "-c", ENSURE, str(settings.home), MEMORY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def server_pid(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, set[int]]]:
    """A home whose server two commands asked for at once, and the server's process as each saw it."""
    settings = settings_of(tmp_path_factory.mktemp("spark") / "a home")
    with another_command(settings) as one, another_command(settings) as two:
        pids = {server_pid(one), server_pid(two)}
    yield settings, pids
    stop_spark(settings)


@pytest.fixture
def embedded(started: tuple[Settings, set[int]]) -> Settings:
    return started[0]


@contextmanager
def listening() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.integration
def test_commands_that_ask_at_once_and_later_get_the_same_server(started: tuple[Settings, set[int]]) -> None:
    settings, pids = started
    assert len(pids) == 1
    first = ensure_spark(settings)
    assert ensure_spark(settings) == first
    assert spark_status(settings).pid in pids


@pytest.mark.integration
def test_it_answers_queries_and_its_workers_import_the_platform(embedded: Settings) -> None:
    command = [sys.executable, "-c", QUERY]
    done = subprocess.run(command, input=ensure_spark(embedded), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(CHECKOUT)]


@pytest.mark.integration
def test_nobody_without_its_token_is_let_in_and_the_token_is_shown_nowhere(
    embedded: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    url = ensure_spark(embedded)
    address, _, token = url.partition("/;token=")
    assert len(token) > 20
    for wrong in (address, f"{address}/;token={SECRET}"):
        with pytest.raises(ServiceError, match="refuses the token"):
            reach(parse_address(wrong))
    main(["status", "--home", str(embedded.home)])
    server = SparkServer(embedded.home)
    running = server.server()
    assert running is not None
    shown = [
        *psutil.Process(running.identity.pid).cmdline(),
        server.log.read_text(encoding="utf-8"),
        *capfd.readouterr(),
    ]
    assert [text for text in shown if token in text] == []
    assert server.note.stat().st_mode & 0o077 == 0
    assert token not in repr(running)


@pytest.mark.integration
def test_it_listens_on_this_machine_only(embedded: Settings) -> None:
    pid = spark_status(embedded).pid
    listeners = [one.laddr.ip for one in psutil.Process(pid).net_connections() if one.status == psutil.CONN_LISTEN]
    assert listeners
    assert {address.removeprefix("::ffff:") for address in listeners} == {"127.0.0.1"}


@pytest.mark.integration
def test_a_proxy_of_the_network_is_not_asked_for_it(embedded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "intranet.example")
    monkeypatch.setenv(GRPC_PROXY_EXCEPTIONS, "")
    ensure_spark(embedded)
    assert os.environ[GRPC_PROXY_EXCEPTIONS] == "intranet.example,localhost"


@pytest.mark.integration
def test_down_leaves_it_to_the_commands_that_use_it(embedded: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    ensure_spark(embedded)
    assert not stop_spark_if_unused(embedded)
    assert main(["down", "--home", str(embedded.home)]) == 0
    assert "Spark still runs, because another command uses it." in capsys.readouterr().out
    assert main(["status", "--home", str(embedded.home)]) == 0
    found = spark_status(embedded)
    assert f"Spark       embedded, {found.address}   pid {found.pid}   since " in capsys.readouterr().out


@pytest.mark.integration
def test_a_configured_server_is_used_and_left_alone(embedded: Settings) -> None:
    url = ensure_spark(embedded)
    settings = configured(url)
    assert ensure_spark(settings) == url
    assert not stop_spark(settings)
    found = spark_status(settings)
    assert (found.running, found.embedded, found.pid) == (True, False, None)
    assert found.address in url


@pytest.mark.integration
def test_a_killed_server_is_started_anew_and_down_stops_it_when_nobody_uses_it(
    embedded: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_spark(embedded)
    killed = spark_status(embedded).pid
    assert killed is not None
    psutil.Process(killed).kill()
    while spark_status(embedded).running:
        time.sleep(0.01)
    with another_command(embedded) as command:
        assert server_pid(command) == spark_status(embedded).pid != killed
        spark._shares.pop(embedded.home).release()
        assert not stop_spark_if_unused(embedded)
        command.communicate("\n")
    assert spark_status(embedded).running
    assert main(["down", "--home", str(embedded.home)]) == 0
    assert capsys.readouterr().out == "Stopped.\n"
    assert not spark_status(embedded).running
    assert not SparkServer(embedded.home).note.exists()
    assert not SparkServer(embedded.home).scratch.exists()


@pytest.fixture
def fake_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in Java's place, to be written by the test, and patience for no more than a moment."""
    program = tmp_path / "java"
    monkeypatch.setattr(spark_server, "find_java", lambda: Java(program, 17))
    monkeypatch.setattr(spark_server, "START_SECONDS", 1)
    monkeypatch.setattr(spark_server, "HANG_SECONDS", 1)
    return program


def write_program(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def test_one_that_does_not_come_up_is_reported_with_the_end_of_its_log(tmp_path: Path, fake_java: Path) -> None:
    write_program(fake_java, "echo out of luck; exit 1")
    with pytest.raises(ServiceError, match=r"(?s)does not start with Java 17.*out of luck") as caught:
        SparkServer(tmp_path / "home").start()
    assert "spark.log" in caught.value.remedy
    assert SparkServer(tmp_path / "home").server() is None


def test_one_whose_port_was_taken_meanwhile_gets_another(tmp_path: Path, fake_java: Path) -> None:
    write_program(fake_java, f"echo start >>'{tmp_path}/starts'; echo java.net.BindException: in use; exit 1")
    with pytest.raises(ServiceError, match="BindException"):
        SparkServer(tmp_path / "home").start()
    assert (tmp_path / "starts").read_text(encoding="utf-8").count("start") == 3


def test_one_that_never_answers_is_ended(tmp_path: Path, fake_java: Path) -> None:
    write_program(fake_java, f"echo $$ >'{tmp_path}/pid'; exec sleep 600")
    with pytest.raises(ServiceError, match="does not start"):
        SparkServer(tmp_path / "home").start()
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_one_that_runs_and_does_not_answer_is_ended_and_another_started(tmp_path: Path, fake_java: Path) -> None:
    write_program(fake_java, "echo the other one; exit 1")
    server = SparkServer(tmp_path / "home")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as hung:
        identity = ProcessIdentity.of(hung.pid)
        note = {"identity": dataclasses.asdict(identity), "port": 1, "token": "t", "version": pyspark.__version__}
        server.note.parent.mkdir(parents=True)
        server.note.write_text(json.dumps(note), encoding="utf-8")
        assert server.server() is not None
        with pytest.raises(ServiceError, match="the other one"):
            server.start()
        assert not identity.is_running()


def test_one_whose_starter_is_killed_before_it_could_note_it_does_not_start(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", spark_server._DETACH, str(tmp_path / "log"), "touch", str(tmp_path / "started")]
    for word, starts in ((b"", False), (b"go\n", True)):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
            assert shell.stdout is not None
            identity = ProcessIdentity.of(int(shell.stdout.readline()))
            assert identity.is_running()
            shell.communicate(word)
        while identity.is_running():
            time.sleep(0.01)
        assert (tmp_path / "started").exists() is starts


def test_the_secrets_of_the_server_are_in_its_environment_and_the_users_spark_is_not(
    tmp_path: Path, fake_java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPARK_REMOTE", "SPARK_CONF_DIR", "PYSPARK_DRIVER_PYTHON"):
        monkeypatch.setenv(name, "somebody else's")
    write_program(fake_java, f"env >'{tmp_path}/environment'; echo \"$@\" >'{tmp_path}/arguments'; exit 1")
    with pytest.raises(ServiceError):
        SparkServer(tmp_path / "home", memory="1500m").start()
    environment = (tmp_path / "environment").read_text(encoding="utf-8")
    assert "SPARK_CONNECT_AUTHENTICATE_TOKEN=" in environment
    assert "somebody else's" not in environment
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8")
    assert " -Xmx1500m " in arguments
    assert "authenticate" not in arguments


@pytest.mark.parametrize(
    ("machine_gib", "heap"), [(1, "1024m"), (4, "1024m"), (6, "1536m"), (16, "4096m"), (512, "4096m")]
)
def test_its_heap_is_a_quarter_of_the_machine_within_limits(machine_gib: int, heap: str) -> None:
    assert default_memory(machine_gib * 1024**3) == heap


def test_where_spark_is_not_installed_the_way_to_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spark_address, "find_spec", lambda _name: None)
    for settings in (settings_of(tmp_path / "home"), configured("sc://localhost")):
        with pytest.raises(ServiceError, match="Spark is not installed here") as caught:
            ensure_spark(settings)
        assert "./platform run --engine spark" in caught.value.remedy
    assert not (tmp_path / "home").exists()
    main(["status", "--home", str(tmp_path / "home")])
    assert "not installed; ./platform run --engine spark installs it" in capsys.readouterr().out


def test_status_of_a_home_that_does_not_exist_makes_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home")
    assert not spark_status(settings).running
    assert not stop_spark_if_unused(settings)
    assert not stop_spark(settings)
    assert not settings.home.exists()


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("sc://cluster", "cluster", 15002),
        ("sc://cluster.example:443/", "cluster.example", 443),
        ("sc://10.0.0.1:15002/;use_ssl=true;token=a%3Db", "10.0.0.1", 15002),
        ("sc://[::1]:15003/;user_id=x", "::1", 15003),
    ],
)
def test_a_configured_address_is_read_as_spark_reads_it(url: str, host: str, port: int) -> None:
    read = parse_address(url)
    assert (read.url, read.host, read.port) == (url, host, port)


@pytest.mark.parametrize(
    "url",
    [
        "cluster:15002",
        "http://cluster:15002",
        f"sc:/cluster/;token={SECRET}",
        f"sc://cluster;token={SECRET}",
        f"sc://cluster/path;token={SECRET}",
        f"sc://cluster:99999/;token={SECRET}",
        f"sc://cluster:0/;token={SECRET}",
        f"sc://cluster:port/;token={SECRET}",
        f"sc://user:{SECRET}@cluster",
        f"sc://cluster/;token={SECRET}=",
        f"sc://cluster/;token={SECRET};",
        "sc://cluster/;use_ssl",
        "sc://",
    ],
)
def test_an_address_of_another_form_is_refused_with_the_right_one_and_without_its_token(url: str) -> None:
    for ask in (ensure_spark, spark_status):
        with pytest.raises(SettingsError, match="SPARK_REMOTE") as caught:
            ask(configured(url))
        assert "sc://host:15002" in caught.value.remedy
        assert SECRET not in str(caught.value)


def test_an_address_where_nothing_listens_is_reported_within_seconds_without_its_token() -> None:
    with listening() as port:
        pass
    settings = configured(f"sc://localhost:{port}/;token={SECRET}")
    with pytest.raises(ServiceError, match=rf"localhost:{port} cannot be reached") as caught:
        ensure_spark(settings)
    assert "SPARK_REMOTE" in caught.value.remedy
    assert SECRET not in str(caught.value)
    found = spark_status(settings)
    assert (found.running, found.embedded, found.address) == (False, False, f"localhost:{port}")


def test_a_host_that_does_not_exist_is_reported() -> None:
    with pytest.raises(ServiceError, match=r"no-such-host\.invalid:15002 cannot be reached"):
        ensure_spark(configured("sc://no-such-host.invalid"))


def test_something_that_accepts_and_does_not_speak_spark_connect_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spark_address, "READY_SECONDS", 1.0)
    with listening() as port, pytest.raises(ServiceError, match="does not speak Spark Connect"):
        ensure_spark(configured(f"sc://127.0.0.1:{port}"))


@pytest.mark.integration
def test_a_server_of_something_else_is_reported() -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    import grpc  # noqa: PLC0415

    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(ServiceError, match="is a server of something else"):
            ensure_spark(configured(f"sc://127.0.0.1:{port}"))
    finally:
        server.stop(grace=None).wait()
