import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from platform_assets.errors import PlatformError
from platform_assets.warehouse.migrations import MIGRATIONS, migrate, read_migrations
from platform_assets_tests.warehouse.rows import query

NAMES = [path.name for path in sorted(MIGRATIONS.glob("*.sql"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations, to change."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def migrate_at(address: str, folder: Path = MIGRATIONS) -> list[str]:
    with closing(psycopg2.connect(address)) as connection:
        return migrate(connection, folder)


def test_every_file_is_applied_once_and_in_order(empty_database: str) -> None:
    assert migrate_at(empty_database) == NAMES
    assert migrate_at(empty_database) == []
    assert query(empty_database, "SELECT name FROM ops.schema_migrations ORDER BY applied_at") == [(n,) for n in NAMES]


def test_a_changed_file_is_refused_by_name(database: str, folder: Path) -> None:
    (folder / NAMES[1]).write_text("SELECT 1;", encoding="utf-8")
    with pytest.raises(PlatformError, match=NAMES[1]):
        migrate_at(database, folder)


def test_other_line_ends_are_no_change(database: str, folder: Path) -> None:
    text = (folder / NAMES[0]).read_text(encoding="utf-8")
    (folder / NAMES[0]).write_text(text, encoding="utf-8", newline="\r\n")
    assert migrate_at(database, folder) == []


def test_a_database_that_is_ahead_of_the_files_is_refused(database: str, folder: Path) -> None:
    (folder / NAMES[-1]).unlink()
    with pytest.raises(PlatformError, match=NAMES[-1]):
        migrate_at(database, folder)


def test_a_new_file_is_applied_alone(database: str, folder: Path) -> None:
    (folder / "9000_more.sql").write_text("CREATE TABLE ops.more (id int);", encoding="utf-8")
    assert migrate_at(database, folder) == ["9000_more.sql"]


def test_a_file_numbered_before_applied_ones_is_refused(database: str, folder: Path) -> None:
    (folder / "0000_late.sql").write_text("SELECT 1;", encoding="utf-8")
    with pytest.raises(PlatformError, match=r"0000_late\.sql would come before"):
        migrate_at(database, folder)


def test_a_failing_file_leaves_nothing_behind_and_keeps_those_before_it(database: str, folder: Path) -> None:
    (folder / "9000_good.sql").write_text("CREATE TABLE ops.good (id int);", encoding="utf-8")
    (folder / "9001_bad.sql").write_text("CREATE TABLE ops.half (id int); SELECT 1 / 0;", encoding="utf-8")
    with pytest.raises(PlatformError, match=r"9001_bad\.sql failed.*division by zero"):
        migrate_at(database, folder)
    made = query(database, "SELECT to_regclass('ops.good') IS NOT NULL, to_regclass('ops.half') IS NOT NULL")
    assert made == [(True, False)]


@pytest.mark.parametrize(
    ("name", "message"),
    [("0001_again.sql", "several migrations have the number 0001"), ("notes.sql", r"not named NNNN_name\.sql: notes")],
)
def test_files_that_have_no_clear_order_are_refused(folder: Path, name: str, message: str) -> None:
    (folder / name).write_text("SELECT 1;", encoding="utf-8")
    with pytest.raises(PlatformError, match=f"(?i){message}"):
        read_migrations(folder)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="no migrations"):
        read_migrations(tmp_path)


def test_processes_that_migrate_at_the_same_time_apply_each_file_once(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate_at, [empty_database] * 4))
    assert sorted(name for names in applied for name in names) == NAMES
