from pathlib import Path

from platform_assets.erasure.journal import Journal


def test_a_command_that_is_given_again_knows_what_the_killed_one_was_about_to_change(tmp_path: Path) -> None:
    path = tmp_path / "forgetting.json"
    first = Journal(path, "CG-1")
    first.add_names({"Ann Lee"})
    first.add_tables({"quality.quarantine"})
    first.add_tables({"dagster: public.event_logs"})
    first.add_rewritten("shop", "a.csv", "old", "new")
    Journal(path, "CG-2").add_tables({"ops.runs"})

    again = Journal(path, "CG-1")

    assert again.names == {"Ann Lee"}
    assert again.tables == {"quality.quarantine", "dagster: public.event_logs"}
    assert again.rewritten == [("shop", "a.csv", "old", "new")]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_done_is_no_longer_known(tmp_path: Path) -> None:
    path = tmp_path / "forgetting.json"
    Journal(path, "CG-1").add_tables({"ops.runs"})
    Journal(path, "CG-2").add_tables({"ops.runs"})

    Journal(path, "CG-1").remove()
    assert (Journal(path, "CG-1").tables, Journal(path, "CG-2").tables) == (set(), {"ops.runs"})

    Journal(path, "CG-2").remove()
    assert not path.exists()
