import dataclasses
import multiprocessing
import stat
from pathlib import Path

import pytest

from platform_assets.errors import SettingsError
from platform_assets.services.keys import KEY_BYTES, pseudonym_key
from platform_assets.settings import Settings

CONFIGURED = "forty characters that somebody made, yes"


def home(tmp_path: Path, **variables: str) -> Settings:
    return Settings.from_environment({"PLATFORM_HOME": str(tmp_path / "home"), **variables})


def key_file(settings: Settings) -> Path:
    return settings.home / "keys" / "pseudonym.key"


def test_a_configured_key_is_taken_as_it_is_and_nothing_is_written(tmp_path: Path) -> None:
    settings = home(tmp_path, PLATFORM_PSEUDONYM_KEY=CONFIGURED)

    assert pseudonym_key(settings) == CONFIGURED.encode()
    assert not settings.home.exists()


def test_development_makes_a_key_once_that_only_its_owner_can_read(tmp_path: Path) -> None:
    settings = home(tmp_path)

    key = pseudonym_key(settings)

    assert len(key) == KEY_BYTES
    assert pseudonym_key(settings) == key
    assert key_file(settings).read_bytes() == key
    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file(settings).parent.stat().st_mode) == 0o700
    assert list(key_file(settings).parent.iterdir()) == [key_file(settings)], "nothing unfinished is left"


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    assert pseudonym_key(home(tmp_path / "a")) != pseudonym_key(home(tmp_path / "b"))


def test_processes_that_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    settings = home(tmp_path)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = set(pool.map(pseudonym_key, [settings] * 64, chunksize=1))

    assert keys == {key_file(settings).read_bytes()}


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_elsewhere_a_key_has_to_be_configured(tmp_path: Path, environment: str) -> None:
    settings = home(tmp_path, PLATFORM_ENVIRONMENT=environment)

    with pytest.raises(SettingsError, match="PLATFORM_PSEUDONYM_KEY is not set") as caught:
        pseudonym_key(settings)

    assert "token_urlsafe" in caught.value.remedy
    assert not settings.home.exists()
    assert pseudonym_key(dataclasses.replace(settings, pseudonym_key=CONFIGURED)) == CONFIGURED.encode()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = home(tmp_path)
    pseudonym_key(settings)
    key_file(settings).chmod(0o640)

    with pytest.raises(SettingsError, match="chmod 600"):
        pseudonym_key(settings)


@pytest.mark.parametrize("content", [b"", bytes(KEY_BYTES - 1), bytes(KEY_BYTES + 1)], ids=len)
def test_a_key_of_another_length_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    settings = home(tmp_path)
    pseudonym_key(settings)
    key_file(settings).write_bytes(content)

    with pytest.raises(SettingsError, match=f"has {len(content)} bytes"):
        pseudonym_key(settings)

    assert key_file(settings).read_bytes() == content
