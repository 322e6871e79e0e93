"""The launcher, copied into a small checkout: what it installs and when, and what it says when it cannot.

Nothing is downloaded: the wheels are made here, and pip is pointed at their folder. The wheel called ``uv`` notes how
it is called and lets pip do its work.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from platform_assets.settings import CHECKOUT

TOOLS = ["awk", "cat", "cksum", "cut", "dirname", "grep", "readlink", "rm", "sh"]

FAKE_UV = """#!/bin/sh
'''exec' "$(dirname "$0")/python" "$0" "$@"
' '''
import os, subprocess, sys
if sys.argv[1:] == ["--version"]:
    sys.exit(0)
with open(os.environ["UV_CALLS"], "a") as calls:
    told = {name: os.environ.get(name) for name in ("UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_INSECURE_HOST")}
    print(sys.argv[1:], told, file=calls)
if "UV_FAILS" in os.environ or sys.argv[1:3] != ["pip", "sync"]:
    sys.exit("the index cannot be reached")
pip = ["install", "--quiet", "--no-deps", "--require-hashes", "--requirement", sys.argv[-1]]
sys.exit(subprocess.call([sys.executable, "-m", "pip", *pip]))
"""

NOBODY = 65534

CLI = """
import sys, greeting
print("started with", *sys.argv[1:], "and", greeting.TEXT)
"""


def make_wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """Write a wheel and return its line for a lock."""
    info = f"{name}-1.0.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{record_hash(text)},{len(text.encode())}\n" for path, text in content.items())
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**content, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16  # pip makes executable what was executable
            archive.writestr(entry, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n    # via test\n"


def record_hash(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.decode().rstrip('=')}"


class Checkout:
    """A small checkout with the real launcher."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder.parent / "wheels"
        self.calls = folder.parent / "uv.calls"
        for made in (folder / "platform_assets" / "cli", self.wheels):
            made.mkdir(parents=True)
        shutil.copy2(CHECKOUT / "platform", folder / "platform")
        (folder / "platform_assets" / "cli" / "__main__.py").write_text(CLI, encoding="utf-8")
        greeting = make_wheel(self.wheels, "greeting", {"greeting.py": "TEXT = 'a greeting'\n"})
        uv = make_wheel(self.wheels, "uv", {"uv-1.0.data/scripts/uv": FAKE_UV})
        self.lock = folder / "requirements.lock"
        self.lock.write_text(greeting + uv, encoding="utf-8")
        test_tool = make_wheel(
            self.wheels, "pytest", {"pytest.py": "import sys\nprint('tested with', *sys.argv[1:])\n"}
        )
        spark = make_wheel(self.wheels, "pyspark", {"pyspark.py": ""})
        models = make_wheel(self.wheels, "statsforecast", {"statsforecast.py": ""})
        (folder / "requirements-forecast.lock").write_text(greeting + models + uv, encoding="utf-8")
        (folder / "requirements-spark.lock").write_text(greeting + models + spark + uv, encoding="utf-8")
        (folder / "requirements-dev.lock").write_text(greeting + models + spark + test_tool + uv, encoding="utf-8")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder.parent),
            "PLATFORM_PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_TRUSTED_HOST": "one.example two.example",
            "UV_CALLS": str(self.calls),
        }

    def command(self, *arguments: str) -> list[str]:
        return [str(self.folder / "platform"), *arguments]

    def start(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        variables = self.environment | environment
        return subprocess.run(self.command(*arguments), env=variables, capture_output=True, text=True, check=False)

    def installations(self) -> list[str]:
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


def with_python(checkout: Checkout, script: str) -> dict[str, str]:
    """Return an environment whose only Python is a shell script, with the few tools that every system has."""
    programs = checkout.folder.parent / "programs"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (programs / tool).symlink_to(found)
    if script:
        (programs / "python3").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / "python3").chmod(0o755)
    return {"PATH": str(programs), "PLATFORM_PYTHON": ""}


@pytest.mark.integration
def test_it_installs_on_first_use_and_again_only_when_the_lock_changed(checkout: Checkout) -> None:
    first = checkout.start("run", "--home", "a home")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "started with run --home a home and a greeting\n"
    assert len(checkout.installations()) == 1

    second = checkout.start("status")
    assert (second.stdout, second.stderr) == ("started with status and a greeting\n", "")
    assert len(checkout.installations()) == 1

    checkout.lock.write_text(checkout.lock.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert checkout.start("status").stdout == second.stdout
    assert len(checkout.installations()) == 2


@pytest.mark.integration
def test_what_the_tests_need_is_installed_when_they_are_asked_for(checkout: Checkout) -> None:
    assert checkout.start("status").returncode == 0
    for _ in range(2):
        assert checkout.start("test", "-k", "a name").stdout == "tested with -k a name\n"
        assert checkout.start("test").stdout == "tested with --numprocesses 2 --dist loadfile\n"
        assert checkout.start("status").stdout == "started with status and a greeting\n"
    platform_call, test_call = checkout.installations()
    assert "requirements.lock" in platform_call
    assert "requirements-dev.lock" in test_call


@pytest.mark.integration
def test_spark_is_installed_for_those_who_ask_for_it_and_once(checkout: Checkout) -> None:
    for arguments, environment in (
        (["run"], {}),
        (["run", "--engine", "duckdb"], {"PLATFORM_ENGINE": "spark"}),
        (["run", "--engine=pandas"], {"PLATFORM_ENGINE": "spark"}),
        (["run", "--home", "spark"], {"PLATFORM_ENGINE": "duckdb"}),
    ):
        assert checkout.start(*arguments, **environment).returncode == 0
    assert len(checkout.installations()) == 1
    for installed, (arguments, environment) in enumerate(
        [
            (["run", "--engine", "spark"], {}),
            (["bench", "--engines", "duckdb,spark"], {}),
            (["run", "--engine=spark", "--home", "a home"], {"PLATFORM_ENGINE": "duckdb"}),
            (["up"], {"PLATFORM_ENGINE": "spark"}),
        ],
        start=1,
    ):
        first, second = (checkout.start(*arguments, **environment) for _ in range(2))
        assert "installing Spark (once; a few minutes: 430 MB)" in first.stderr
        assert (second.stdout, second.stderr) == (first.stdout, "")
        assert "requirements-spark.lock" in checkout.installations()[-1]
        assert len(checkout.installations()) == 1 + installed
        (checkout.folder / ".venv" / "requirements-spark.stamp").unlink()


@pytest.mark.integration
def test_more_models_to_forecast_with_are_installed_for_those_who_ask_for_them_and_once(checkout: Checkout) -> None:
    first, second = (checkout.start("run", PLATFORM_EXTRAS="forecast") for _ in range(2))
    assert "installing more models to forecast with" in first.stderr
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert "requirements-forecast.lock" in checkout.installations()[-1]
    assert checkout.start("run", "--engine", "spark").returncode == 0
    assert checkout.start("run", PLATFORM_EXTRAS="forecast").returncode == 0
    assert "requirements-spark.lock" in checkout.installations()[-1]


@pytest.mark.integration
def test_what_the_tests_need_includes_all_extras(checkout: Checkout) -> None:
    assert checkout.start("test").returncode == 0
    assert checkout.start("run", "--engine", "spark", PLATFORM_EXTRAS="forecast").returncode == 0
    assert [re.findall(r"requirements[\w-]*.lock", call) for call in checkout.installations()] == [
        ["requirements.lock"],
        ["requirements-dev.lock"],
    ]


@pytest.mark.integration
def test_uv_is_told_what_pip_is_configured_to_do(checkout: Checkout) -> None:
    configuration = checkout.folder.parent / "pip.conf"
    configuration.write_text("[global]\nindex-url = https://mirror.example/simple\n", encoding="utf-8")
    assert checkout.start("status", PIP_CONFIG_FILE=str(configuration)).returncode == 0
    (call,) = checkout.installations()
    assert "'UV_DEFAULT_INDEX': 'https://mirror.example/simple'" in call
    assert f"'UV_FIND_LINKS': '{checkout.wheels}'" in call
    assert "'UV_INSECURE_HOST': 'one.example two.example'" in call
    assert "'--no-index'" in call
    assert "'--require-hashes'" in call


@pytest.mark.integration
def test_pip_does_the_work_when_uv_cannot(checkout: Checkout) -> None:
    done = checkout.start("status", UV_FAILS="1")
    assert done.stdout == "started with status and a greeting\n"
    assert "trying with pip" in done.stderr


@pytest.mark.integration
def test_an_installation_that_failed_is_explained_and_done_anew(checkout: Checkout) -> None:
    right = checkout.lock.read_text(encoding="utf-8")
    checkout.lock.write_text(re.sub(r"(greeting==1.0 \\\n.*sha256:)\w+", rf"\g<1>{'0' * 64}", right), encoding="utf-8")
    failed = checkout.start("status")
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr
    assert "PIP_INDEX_URL" in failed.stderr
    left = checkout.folder / ".venv" / "left-over"
    left.touch()
    checkout.lock.write_text(right, encoding="utf-8")
    assert checkout.start("status").stdout == "started with status and a greeting\n"
    assert not left.exists()


@pytest.mark.integration
def test_two_first_starts_at_once_install_once_and_both_work(checkout: Checkout) -> None:
    starts = [
        subprocess.Popen(checkout.command(name), env=checkout.environment, stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    outputs = [start.communicate()[0] for start in starts]
    assert outputs == ["started with one and a greeting\n", "started with two and a greeting\n"]
    assert len(checkout.installations()) == 1


@pytest.mark.integration
def test_a_checkout_that_was_moved_is_installed_anew(checkout: Checkout) -> None:
    checkout.start("status")
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    assert checkout.start("status").stdout == "started with status and a greeting\n"
    assert len(checkout.installations()) == 2


@pytest.mark.parametrize(
    ("script", "told"),
    [
        pytest.param("", ["found no Python at all"], id="no Python"),
        pytest.param("echo 3.9", ["python3 is Python 3.9", "3.11, 3.12 or 3.13"], id="too old"),
        pytest.param("echo 3.14", ["python3 is Python 3.14"], id="too new"),
        pytest.param("exit 127", ["python3 does not run"], id="broken"),
        pytest.param(
            'case "$2" in *version*) echo 3.12 ;; *) exit 1 ;; esac',
            ["has no venv module", "apt install python3.12-venv"],
            id="no venv module",
        ),
    ],
)
def test_a_python_that_will_not_do_is_named_with_the_way_out(checkout: Checkout, script: str, told: list[str]) -> None:
    done = checkout.start("run", **with_python(checkout, script))
    assert done.returncode == 1
    for part in [*told, "PLATFORM_PYTHON"]:
        assert part in done.stderr
    assert not (checkout.folder / ".venv").exists()


def test_a_python_that_was_asked_for_and_is_not_there_is_named(checkout: Checkout) -> None:
    done = checkout.start("run", PLATFORM_PYTHON="/no/such/python")
    assert done.returncode == 1
    assert "found no /no/such/python" in done.stderr


def test_a_checkout_that_cannot_be_written_is_named() -> None:
    # Not in tmp_path, which is closed to the other user that root has to be here.
    with tempfile.TemporaryDirectory() as outside:
        Path(outside).chmod(0o755)
        checkout = Checkout(Path(outside) / "checkout")
        checkout.folder.chmod(0o555)
        done = subprocess.run(
            checkout.command("run"),
            env=checkout.environment,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            user=NOBODY if os.geteuid() == 0 else None,
        )
        checkout.folder.chmod(0o755)
    assert done.returncode == 1
    assert f"{checkout.folder} cannot be written" in done.stderr
