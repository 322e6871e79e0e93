"""What holds between processes when they share locks."""

import subprocess
import sys
from pathlib import Path

import pytest

from platform_assets.errors import ServiceError
from platform_assets.services.locks import Share, exclusive_lock, is_unused

HOLD_FOREVER = """
import sys, time
from pathlib import Path
from platform_assets.services.locks import Share
share = Share(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_a_second_holder_is_refused_after_its_patience(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with exclusive_lock(lock), pytest.raises(ServiceError, match="held"), exclusive_lock(lock, timeout_seconds=0.1):
        pytest.fail("two holders at once")


def test_a_lock_is_free_after_its_block_even_if_that_failed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), exclusive_lock(lock):
        _ = 1 / 0
    assert is_unused(lock)


def test_shares_go_together_and_the_last_release_frees(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    first, second = Share(lock), Share(lock)
    first.release()
    assert not is_unused(lock)
    second.release()
    assert is_unused(lock)


def test_the_share_of_a_killed_process_is_given_back(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD_FOREVER, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert not is_unused(lock)
        holder.kill()
        holder.wait()
        assert is_unused(lock)


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ServiceError, match="--home"):
        Share(tmp_path / "file" / "lock")
