import json

import pytest

from platform_assets.erasure.notations import scrubbed, strings, without_escapes


def without_zoe(text: str) -> str:
    return text.replace("Zoë", "FORGOTTEN")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"Zo\u00eb", "Zoë"),
        (r"Zo\\u00EB", "Zoë"),
        (r"Zo\xeb", "Zoë"),
        (r"\ud83d\ude00 \U0001f600", "😀 😀"),
        (r"Zo\xebabcd \U7fffffff", r"Zoëabcd \U7fffffff"),
        (r"O\'Neil \"x\"", 'O\'Neil "x"'),
        (r"one\nZoë", "one Zoë"),
        (r"C:\data\users", r"C:\data\users"),
        ("Zoë", "Zoë"),
    ],
)
def test_escaped_letters_are_read_as_what_they_stand_for(text: str, meant: str) -> None:
    assert without_escapes(text) == meant


def test_json_is_its_strings_down_to_the_json_in_them() -> None:
    text = json.dumps({"a": [1, "b", json.dumps({"c": "Zoë"})], "d": None})

    assert list(strings(f" {text}\n")) == ["a", "b", "c", "Zoë", "d"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{broken", "[1", ""])
def test_what_only_begins_like_json_is_text(text: str) -> None:
    assert list(strings(text)) == [text]
    assert scrubbed(text, without_zoe) == text


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('{"who": "Zo\\u00eb", "n": 1}\n', '{"who": "FORGOTTEN", "n": 1}\n'),
        ('{"n":1,  "who":"Al"}', '{"n":1,  "who":"Al"}'),
        (r'told {"who": "Zo\u00eb"}', 'told {"who": "FORGOTTEN"}'),
        (r"C:\new Zoë", r"C:\new FORGOTTEN"),
        (r"C:\new Al\u00e9", r"C:\new Al\u00e9"),
    ],
)
def test_text_is_only_written_otherwise_where_it_must_be(text: str, after: str) -> None:
    assert scrubbed(text, without_zoe) == after
