import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.backup import sealing
from platform_assets.backup.faults import DamagedBackupError
from platform_assets.backup.sealing import MAGIC, SALT_BYTES, TAG_BYTES, Seal

SEAL = Seal(bytes(range(32)))
CHUNK = 16
STORED = CHUNK + TAG_BYTES
HEAD = len(MAGIC) + SALT_BYTES


@pytest.fixture(autouse=True, scope="module")
def _small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "CHUNK_BYTES", CHUNK)
        yield


def sealed(data: bytes, name: str = "a.dump", seal: Seal = SEAL) -> bytes:
    return b"".join(seal.sealed(name, iter([data[:5], data[5:]])))


def opened(stored: bytes, name: str = "a.dump", seal: Seal = SEAL) -> bytes:
    return b"".join(seal.opened(name, io.BytesIO(stored)))


@given(st.binary(max_size=5 * CHUNK))
def test_what_was_sealed_opens_as_it_was(data: bytes) -> None:
    stored = sealed(data)
    assert opened(stored) == data
    # A chunk for every sixteen bytes, one for none, and a tag with each.
    assert len(stored) == HEAD + len(data) + TAG_BYTES * max(1, -(-len(data) // CHUNK))


def test_the_same_file_is_sealed_otherwise_each_time() -> None:
    assert sealed(b"x" * 40)[HEAD:] != sealed(b"x" * 40)[HEAD:]


def test_a_flipped_bit_is_found_wherever_it_is() -> None:
    stored = sealed(b"forty bytes, which are two chunks and some")
    for position in range(len(stored)):
        changed = bytearray(stored)
        changed[position] ^= 1
        with pytest.raises(DamagedBackupError):
            opened(bytes(changed))


def test_a_file_that_was_cut_off_is_refused_wherever_that_was() -> None:
    stored = sealed(bytes(3 * CHUNK))
    for length in range(len(stored)):
        with pytest.raises(DamagedBackupError):
            opened(stored[:length])


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (0, 0, 2), (0, 1, 2, 2), (0, 2), (1, 2)])
def test_chunks_in_another_order_are_refused(order: tuple[int, ...]) -> None:
    stored = sealed(bytes(range(3 * CHUNK)))
    pieces = [stored[HEAD + STORED * place :][:STORED] for place in range(3)]
    with pytest.raises(DamagedBackupError):
        opened(stored[:HEAD] + b"".join(pieces[place] for place in order))


def test_a_file_does_not_open_under_the_name_of_another_or_with_another_key() -> None:
    stored = sealed(b"of the warehouse", "warehouse.dump")
    with pytest.raises(DamagedBackupError, match=r"dagster\.dump of the backup was changed"):
        opened(stored, "dagster.dump")
    with pytest.raises(DamagedBackupError):
        opened(stored, "warehouse.dump", Seal(bytes(32)))


def test_a_secret_gives_one_key_for_each_salt() -> None:
    first, again, other = (Seal.of("a secret of many characters", salt) for salt in (b"1" * 16, b"1" * 16, b"2" * 16))
    assert first == again
    assert first.check == again.check
    assert first.check != other.check
    assert first.signature(b"text") != other.signature(b"text")
    assert "key" not in repr(first)
