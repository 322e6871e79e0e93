from pathlib import Path

from platform_assets.erasure.files import scrub_logs
from platform_assets.erasure.proof import Person
from platform_assets_tests.erasure.persons import people


def test_a_log_loses_the_person_and_nothing_else(tmp_path: Path) -> None:
    log, other = tmp_path / "storage" / "a.err", tmp_path / "b.err"
    log.parent.mkdir()
    log.write_bytes(b"one\r\nCG-1 and CG-11 \xff\nAnn Lee was refused\nlast")
    other.write_text("CG-11 called")
    log.chmod(0o640)

    changed = scrub_logs(tmp_path, people("CG-1", names=("Ann Lee",)), Person("CG-1", ("Ann Lee",)))

    assert changed == 1
    assert log.read_bytes() == b"one\r\nFORGOTTEN and CG-11 \xff\nFORGOTTEN was refused\nlast"
    assert log.stat().st_mode & 0o777 == 0o640
    assert other.read_text() == "CG-11 called"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.err", "b.err", "storage"]


def test_a_log_in_json_loses_a_name_that_is_written_with_escapes(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text('{"who":  "Zo\\u00eb O\'Neil"}\n{"who":  "Al"}\ntold "ZO\\u00cb O\'NEIL" today\n')

    scrub_logs(tmp_path, people("CG-1", names=("Zoë O'Neil",)), Person("CG-1", ("Zoë O'Neil",)))

    assert log.read_text() == '{"who": "FORGOTTEN"}\n{"who":  "Al"}\ntold "FORGOTTEN" today\n'
