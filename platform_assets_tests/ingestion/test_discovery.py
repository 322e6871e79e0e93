"""Which files of the landing zone are seen."""

import hashlib
import os
from pathlib import Path

import pytest

from platform_assets.errors import FileRefusedError, PlatformError
from platform_assets.ingestion.discovery import content_hash, discover
from platform_assets.ingestion.reading import read_file
from platform_assets_tests.ingestion.support import contract


def _write(path: Path, text: str = "a\n1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_files_are_found_below_the_folder_and_sorted_by_name(tmp_path: Path) -> None:
    for name in ("b.csv", "a/z.csv", "a.csv"):
        _write(tmp_path / name)
    assert [file.name for file in discover(tmp_path)] == ["a.csv", "a/z.csv", "b.csv"]


def test_a_file_is_described_by_its_directory_entry(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", "12345")
    os.utime(path, ns=(1_000_000_007, 1_000_000_008))
    (file,) = discover(tmp_path)
    assert (file.size, file.mtime_ns, file.path) == (5, 1_000_000_008, path.resolve())


@pytest.mark.parametrize(
    "name", [".hidden", "_note.csv", "a.csv.tmp", "a.PART", "a.filepart", "a.crdownload", ".d/a.csv"]
)
def test_hidden_and_unfinished_files_are_left_out(tmp_path: Path, name: str) -> None:
    _write(tmp_path / name)
    assert discover(tmp_path) == []


def test_a_missing_folder_has_no_files(tmp_path: Path) -> None:
    assert discover(tmp_path / "nothing") == []


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="not a folder"):
        discover(_write(tmp_path / "a.csv"))


def test_an_unreadable_folder_is_an_error_and_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "locked" / "a.csv")
    scan = os.scandir

    def guarded(path: Path) -> object:
        # The tests may run as root, whom no permission stops.
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(PlatformError, match="locked cannot be read: Permission denied"):
        discover(tmp_path)


def test_a_link_out_of_the_folder_is_given_back_as_refused_and_never_opened(tmp_path: Path) -> None:
    secret = _write(tmp_path / "secret.csv", "a\nsecret\n")
    (tmp_path / "zone").mkdir()
    (tmp_path / "zone" / "link.csv").symlink_to(secret)
    (file,) = discover(tmp_path / "zone")
    assert file.refusal is not None
    with pytest.raises(FileRefusedError, match="leads out of the dataset's folder"):
        list(read_file(file, contract("a")).batches())


def test_linked_folders_and_broken_links_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "real" / "a.csv")
    (tmp_path / "again").symlink_to(tmp_path / "real")
    (tmp_path / "broken.csv").symlink_to(tmp_path / "real" / "nothing.csv")
    refusals = {file.name: file.refusal for file in discover(tmp_path)}
    assert refusals == {
        "again": "It is a link to something that is not a file.",
        "broken.csv": "It is a link to something that does not exist.",
        "real/a.csv": None,
    }


def test_a_link_within_the_folder_is_a_file(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert [(file.name, file.refusal) for file in discover(tmp_path)] == [("a.csv", None), ("b.csv", None)]


def test_the_dataset_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    _write(tmp_path / "disk" / "a.csv")
    (tmp_path / "zone").symlink_to(tmp_path / "disk")
    assert [(file.name, file.refusal) for file in discover(tmp_path / "zone")] == [("a.csv", None)]


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (file,) = discover(tmp_path)
    assert file.refusal == "It is neither a file nor a folder."


def test_the_content_hash_is_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc" * 1_000_000)
    assert content_hash(path) == hashlib.sha256(b"abc" * 1_000_000).hexdigest()


def test_hashing_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="cannot be read"):
        content_hash(tmp_path / "nothing.csv")
