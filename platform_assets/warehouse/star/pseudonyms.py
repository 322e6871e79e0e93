"""Names for people in place of their own: the same person has the same one, and nobody can tell who it is.

Belongs here: the keyed hash. Does not belong here: where its key is kept (``services.keys``), which tables hold it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

import pyarrow as pa

_BYTES = 16
"""A quarter of the hash: two of a billion people share one with a probability of one in 10^20."""


@dataclass(frozen=True)
class Pseudonyms:
    """The pseudonyms under one key.

    HMAC-SHA256 (RFC 2104), cut to 128 bits. A hash without a key would be no secret: whoever has a list of the ids
    could hash them all and compare.

    Attributes:
        key: The secret; another one gives other pseudonyms.
    """

    key: bytes = field(repr=False)

    def of(self, identifier: str) -> str:
        """The pseudonym of one person: a ``c`` and 26 letters and digits."""
        digest = hmac.digest(self.key, identifier.encode(), hashlib.sha256)[:_BYTES]
        return "c" + base64.b32encode(digest).decode("ascii").rstrip("=").lower()

    def of_all(self, identifiers: pa.Array | pa.ChunkedArray) -> pa.Array:
        """The pseudonyms of a column of texts; null stays null."""
        values = (None if value is None else self.of(value) for value in identifiers.to_pylist())
        return pa.array(values, pa.string())
