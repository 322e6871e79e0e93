import dataclasses
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platform_assets.erasure.journal import Journal
from platform_assets.erasure.register import RegisterError, people_of, register_table, remember
from platform_assets.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
KEYS = "a key of thirty-two characters, a", "another key of thirty-two characters"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({"PLATFORM_HOME": str(tmp_path), "PLATFORM_PSEUDONYM_KEY": KEYS[0]})


def test_who_is_in_the_register_is_known_by_the_next_process(settings: Settings) -> None:
    remember(settings, "CG-1", ["Ann Lee"], by="eva", now=NOW)
    remember(settings, "CG-2", [], by="tom", now=LATER)

    known = people_of(settings)

    assert known.pseudonym("CG-1")
    assert known.pseudonym("CG-2")
    assert known.pseudonym("CG-11") is None
    assert known.text("bought by Ann Lee") == "bought by FORGOTTEN"


def test_the_register_says_when_and_by_whom_and_not_who(settings: Settings) -> None:
    remember(settings, "CG-1", ["Ann Lee"], by="eva", now=NOW)
    remember(settings, "CG-1", ["A. Lee"], by="tom", now=LATER)

    (entry,) = register_table(settings.lake).snapshot().attributes["people"]
    written = "".join(path.read_text() for path in settings.lake.rglob("*.json"))

    assert (entry["since"], entry["by"], len(entry["names"])) == (NOW.isoformat(), "eva", 2)
    assert "CG-1" not in written
    assert "Lee" not in written


def test_remembering_the_same_again_writes_nothing(settings: Settings) -> None:
    remember(settings, "CG-1", ["Ann Lee"], by="eva", now=NOW)
    version = register_table(settings.lake).snapshot().version

    remember(settings, "CG-1", ["Ann Lee"], by="tom", now=LATER)

    assert register_table(settings.lake).snapshot().version == version


def test_with_another_key_nothing_is_read(settings: Settings) -> None:
    remember(settings, "CG-1", [], by="eva", now=NOW)

    with pytest.raises(RegisterError, match="another key"):
        people_of(dataclasses.replace(settings, pseudonym_key=KEYS[1]))


def test_no_key_is_made_while_nobody_is_forgotten(tmp_path: Path) -> None:
    assert people_of(Settings.from_environment({"PLATFORM_HOME": str(tmp_path)})).ids == frozenset()
    assert list(tmp_path.iterdir()) == []


def test_the_journal_keeps_what_a_killed_command_knew_until_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "forgetting.json"
    Journal(path, "CG-1").add_names({"Ann Lee"})
    Journal(path, "CG-1").add_rewritten("shop", "a.csv", "old", "new")
    Journal(path, "CG-2").add_names({"Bo"})

    again = Journal(path, "CG-1")
    mode = stat.S_IMODE(path.stat().st_mode)
    again.remove()

    assert (again.names, again.rewritten) == ({"Ann Lee"}, [("shop", "a.csv", "old", "new")])
    assert mode == 0o600
    assert Journal(path, "CG-1").names == set()
    assert Journal(path, "CG-2").names == {"Bo"}
    Journal(path, "CG-2").remove()
    assert not path.exists()
