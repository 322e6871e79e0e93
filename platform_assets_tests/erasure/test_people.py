import pickle

import pyarrow as pa
import pytest

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.erasure.marks import mark_of, slice_id
from platform_assets.erasure.people import NOBODY, conformed_id
from platform_assets_tests.erasure.persons import people

ORDERS = CONTRACTS["superstore_sales"]
SHOP = CONTRACTS["ecommerce_transactions"]


def rows(*cells: tuple[str | None, str | None], hashes: list[int] | None = None) -> pa.Table:
    """Raw rows with an id and a name."""
    ids, names = zip(*cells, strict=True)
    count = len(cells)
    return pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "customer_name": pa.array(names, pa.string()),
            "product_id": pa.array(["17850"] * count, pa.string()),
            "_extra": pa.array(['{"email": "a@b.c"}'] * count, pa.string()),
            "_source_file": pa.array(["a.csv"] * count, pa.string()),
            "_line_hash": pa.array(hashes or list(range(count)), pa.int64()),
        }
    )


@pytest.mark.parametrize(
    ("typed", "staged"), [(" 17850 ", "17850"), ("17850.0", "17850"), ("CG-1", "CG-1"), ("n/a", None), ("", None)]
)
def test_an_id_is_conformed_as_staging_does_it(typed: str, staged: str | None) -> None:
    assert conformed_id(typed) == staged


@pytest.mark.parametrize("written", ["17850", "17850.0", "  17850"])
def test_a_row_is_the_persons_however_the_id_is_written(written: str) -> None:
    after, who = people("17850").without(rows((written, "Ann Lee"), ("178500", "Bo")), ORDERS)

    assert after["customer_id"].to_pylist() == ["FORGOTTEN", "178500"]
    assert after["customer_name"].to_pylist() == ["FORGOTTEN", "Bo"]
    assert after["product_id"].to_pylist() == ["17850", "17850"]
    assert after["_extra"].to_pylist() == [None, '{"email": "a@b.c"}']
    assert {name: len(found) for name, found in who.items()} == {"a.csv": 1}


@pytest.mark.parametrize("other", ["170", "1700", "017", "17a", "A17", None, ""])
def test_a_similar_id_is_left_alone(other: str | None) -> None:
    before = rows((other, "Ann Lee"))

    after, who = people("17").without(before, ORDERS)

    assert after.equals(before)
    assert not who


def test_a_cell_without_a_value_does_not_get_one() -> None:
    after, _ = people("17").without(rows(("17", None), ("17", " n/a ")), ORDERS)

    assert after["customer_name"].to_pylist() == [None, " n/a "]


def test_equal_lines_stay_equal_and_others_different() -> None:
    before = rows(("17", "A"), ("17", "A"), ("18", "A"), ("17", "B"), hashes=[5, 5, 6, 7])

    after, _ = people("17", "18").without(before, ORDERS)

    first, second, other, third = after["_line_hash"].to_pylist()
    assert first == second
    assert len({first, other, third}) == 3
    assert not {first, other, third} & {5, 6, 7}


def test_forgetting_a_person_again_changes_nothing() -> None:
    once, _ = people("17").without(rows(("17", "Ann Lee")), ORDERS)
    twice, who = people("17").without(once, ORDERS)

    assert twice.equals(once)
    assert not who


@pytest.mark.parametrize("line_hash", [0, -1, 2**63 - 1, -(2**63)])
def test_a_mark_of_a_rewritten_file_brings_back_the_fingerprint_of_its_line(line_hash: int) -> None:
    after, who = NOBODY.without(rows((mark_of(line_hash), "FORGOTTEN")), ORDERS)

    assert after["customer_id"].to_pylist() == ["FORGOTTEN"]
    assert after["_line_hash"].to_pylist() == [line_hash]
    assert not who


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("I1,17850,P1,2", "I1,FORGOTTEN,P1,2"),
        ('I1;"17850";P1', 'I1;"FORGOTTEN";P1'),
        ("I1,17850.0,P1", "I1,FORGOTTEN,P1"),
        ("I1,178500,17850a", "I1,178500,17850a"),
        ("ann  LEE bought 2", "FORGOTTEN bought 2"),
        ('"Lee, Ann"', '"Lee, Ann"'),
    ],
)
def test_a_line_that_cannot_be_taken_apart_loses_words_that_are_the_persons(line: str, left: str) -> None:
    assert people("17850", names=("Ann Lee",)).text(line) == left


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("17850 rows wait for product_catalog", "17850 rows wait for product_catalog"),
        ("Required columns are missing: a. Found: 17850, X.", "Required columns are missing: a. Found: FORGOTTEN, X."),
        ("customer CG-1 has two segments", "customer FORGOTTEN has two segments"),
    ],
)
def test_a_bare_number_in_a_message_is_a_count_unless_a_file_is_quoted(message: str, left: str) -> None:
    assert people("17850", "CG-1").text(message, is_prose=True) == left


def test_a_quarantined_line_is_judged_by_its_columns() -> None:
    names = SHOP.column_names
    own = ",".join("17" if name in {"customer_id", "quantity"} else "x" for name in names)
    others = ",".join("17" if name == "quantity" else "x" for name in names)
    forgotten = people("17")

    assert forgotten.line(own, SHOP) == own.replace("17", "FORGOTTEN", 1)
    assert forgotten.line(others, SHOP) == others


def test_the_id_of_a_slice_follows_from_the_people_and_not_from_the_way() -> None:
    both = frozenset({"a", "b"})

    assert slice_id(slice_id("x:y", frozenset({"a"})), both) == slice_id("x:y", both) != slice_id("x:y")
    assert slice_id(slice_id("x:y", both)) == "x:y"


def test_workers_elsewhere_know_the_same_people() -> None:
    forgotten = people("17", names=("Ann Lee",))

    assert pickle.loads(pickle.dumps(forgotten)) == forgotten  # noqa: S301


def test_nothing_shown_of_the_people_is_their_id_or_the_key() -> None:
    assert "17850" not in repr(people("17850", names=("Ann",)))
    assert "Ann" not in repr(people("17850", names=("Ann",)))
    assert "a key of the tests" not in repr(people("17850"))
