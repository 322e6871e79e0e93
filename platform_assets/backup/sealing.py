"""Encryption of the files of a backup, chunk by chunk.

Belongs here: keys and the format of a sealed file. Does not belong here: which files there are (``store``).

A sealed file is ``MAGIC``, a salt of 16 bytes, and chunks of AES-256-GCM. The key of each file is derived (HKDF) from
that of the backup, its salt and its name; the key of the backup is derived (scrypt) from the secret and the backup's
salt. The nonce of a chunk is its number and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar,
Rogaway and Vizar, 2015): chunks that are gone, swapped, cut off, or of another file are refused like changed ones.
"""

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from platform_assets.backup.faults import DamagedBackupError

MAGIC = b"PLATFORM-SEALED1"
SALT_BYTES = 16
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16
_SCRYPT = {"n": 1 << 15, "r": 8, "p": 1}
"""A tenth of a second and 32 MiB for each guess at a secret."""


@dataclass(frozen=True)
class Seal:
    """The key of one backup.

    Attributes:
        key: 32 bytes.
    """

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str, salt: bytes) -> "Seal":
        """Derive the key of a backup from the secret and the backup's salt."""
        return cls(Scrypt(salt=salt, length=32, **_SCRYPT).derive(secret.encode()))

    @property
    def check(self) -> str:
        """Tells whether a secret is the right one, and nothing else about it."""
        return self._derived(b"check").hex()[:16]

    def signature(self, text: bytes) -> str:
        """Hexadecimal HMAC-SHA256 of a text: nobody without the key can change both."""
        return hmac.new(self._derived(b"signature"), text, "sha256").hexdigest()

    def sealed(self, name: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The bytes of a sealed file.

        Args:
            name: The file's path in the backup; it opens under this name only.
            chunks: What is in it, in pieces of any size.
        """
        salt = secrets.token_bytes(SALT_BYTES)
        cipher = self._cipher(name, salt)
        yield MAGIC + salt
        for number, (chunk, is_last) in enumerate(_marked(_resized(chunks, CHUNK_BYTES))):
            yield cipher.encrypt(_nonce(number, is_last=is_last), chunk, None)

    def opened(self, name: str, file: BinaryIO) -> Iterator[bytes]:
        """What is in a sealed file.

        Raises:
            DamagedBackupError: A byte was changed, or some are missing, or it is another file.
        """
        head = file.read(len(MAGIC) + SALT_BYTES)
        if len(head) != len(MAGIC) + SALT_BYTES or not head.startswith(MAGIC):
            raise DamagedBackupError(f"{name} of the backup is not a sealed file.", "Take another backup.")
        cipher = self._cipher(name, head[len(MAGIC) :])
        pieces = iter(lambda: file.read(CHUNK_BYTES + TAG_BYTES), b"")
        for number, (piece, is_last) in enumerate(_marked(pieces)):
            try:
                yield cipher.decrypt(_nonce(number, is_last=is_last), piece, None)
            except InvalidTag:
                problem = f"{name} of the backup was changed or cut off at chunk {number + 1}."
                raise DamagedBackupError(problem, "Take another backup.") from None

    def _cipher(self, name: str, salt: bytes) -> AESGCM:
        return AESGCM(self._derived(b"file:" + name.encode(), salt))

    def _derived(self, purpose: bytes, salt: bytes | None = None) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"platform backup " + purpose).derive(self.key)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _marked(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each chunk with whether it is the last; an empty one where there is none."""
    before = next(chunks, b"")
    for chunk in chunks:
        yield before, False
        before = chunk
    yield before, True


def _resized(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of one size, but for the last."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
