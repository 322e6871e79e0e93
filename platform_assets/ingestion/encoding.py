"""Bytes to UTF-8: which encoding a text file has, judged on the whole file, and its text in chunks.

Belongs here: compression, encodings, and what can be told of a file without knowing where its lines end. Does not
belong here: delimiters and quotes (``dialect``, ``quoting``).
"""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from platform_assets.errors import FileRefusedError

CHUNK = 4 * 1024 * 1024
MAX_LINE = 16 * 1024 * 1024
MAX_UNPACKED = 200 * 1024**3
MAX_RATIO = 100
RATIO_COUNTS_FROM = 1024**3
"""A gzip file may grow by more than ``MAX_RATIO`` as long as it stays below this many bytes."""
BINARY_SHARE = 0.001
"""Share of NUL bytes from which a file is not text; below it, the lines that hold one are rejected."""
FIRST_HIGH = 0x80
UTF8_SHARE = 0.9
"""Share of the bytes beyond ASCII that must be part of UTF-8 sequences for a file to be damaged UTF-8."""

GZIP_MAGIC = b"\x1f\x8b"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CP1252_HOLES = [0x81, 0x8D, 0x8F, 0x90, 0x9D]


@dataclass(frozen=True)
class Survey:
    """What one pass over the bytes of a text file told.

    Attributes:
        encoding: Python's name of the encoding.
        bom: Bytes of the byte order mark.
        damaged: Whether single bytes are not of the encoding and become U+FFFD.
        size: Bytes after decompression.
        nuls: Number of NUL bytes.
    """

    encoding: str
    bom: int
    damaged: bool
    size: int
    nuls: int


def survey(path: Path) -> Survey:
    """Read a text file once and tell its encoding.

    Raises:
        FileRefusedError: It is empty, binary, truncated, a decompression bomb, or has a line of more than 16 MB.
    """
    surveyor = _Surveyor()
    for chunk in raw_chunks(path):
        surveyor.feed(chunk)
    return surveyor.verdict()


def utf8_chunks(path: Path, found: Survey) -> Iterator[bytes]:
    """The file's text as UTF-8 without byte order mark, in chunks of about 4 MB that end anywhere.

    Raises:
        FileRefusedError: The bytes are not what the survey found, or cannot be read.
    """
    chunks = _without_bom(raw_chunks(path), found.bom)
    if found.encoding == "utf-8" and not found.damaged:
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(found.encoding)("replace" if found.damaged else "strict")
    with _decoding(found.encoding):
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()


def raw_chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes, decompressed where they begin like gzip, in chunks of 4 MB.

    Raises:
        FileRefusedError: The file cannot be read or decompressed.
    """
    try:
        with path.open("rb") as stream:
            compressed = stream.read(2) == GZIP_MAGIC
            stream.seek(0)
            yield from _inflated(stream, path.stat().st_size) if compressed else iter(lambda: stream.read(CHUNK), b"")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        problem = f"The gzip data is truncated or corrupt ({error})."
        raise FileRefusedError(problem, "Deliver the file again, completely.") from error
    except OSError as error:
        problem = f"The file cannot be read: {error.strerror or error}."
        raise FileRefusedError(problem, "Check that it still exists and may be read.") from error


def _inflated(stream: IO[bytes], packed: int) -> Iterator[bytes]:
    total = 0
    with gzip.GzipFile(fileobj=stream) as unpacked:
        while chunk := unpacked.read(CHUNK):
            total += len(chunk)
            if total > MAX_UNPACKED or (total > RATIO_COUNTS_FROM and total > MAX_RATIO * packed):
                problem = f"Decompression of {packed:,} bytes gave more than {total:,} bytes, as a bomb would."
                raise FileRefusedError(problem, "Deliver the file uncompressed if it is meant.")
            yield chunk


def _without_bom(chunks: Iterator[bytes], bom: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[bom:]
        bom = 0


@contextmanager
def _decoding(encoding: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        problem = f"The text is not valid {encoding}: {error.reason}."
        raise FileRefusedError(problem, "Save the file again as UTF-8.") from error


class _Surveyor:
    """The running state of a survey."""

    def __init__(self) -> None:
        self.size = self.nuls = self.open_line = 0
        self.marked: tuple[str, int] | None = None
        self.decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")("strict")
        self.high = np.zeros(256, np.int64)
        self.in_word = np.zeros(256, np.int64)
        self.sequence_bytes = self.returns = self.feeds = 0

    def feed(self, chunk: bytes) -> None:
        if not self.size:
            self.marked = next(((name, len(bom)) for bom, name in _BOMS if chunk.startswith(bom)), None)
        self.size += len(chunk)
        self.nuls += chunk.count(0)
        self._measure_lines(chunk)
        if self.marked and self.marked[0] != "utf-8":
            return
        if self.decoder is not None:
            self._validate(chunk)
        if not chunk.isascii():
            self._tally(chunk)

    def verdict(self) -> Survey:
        if not self.size or (self.marked and self.size == self.marked[1]):
            problem = "The file is empty."
            raise FileRefusedError(problem, "Deliver it again with a header line and data.")
        if self.marked and self.marked[0] != "utf-8":
            return Survey(self.marked[0], self.marked[1], damaged=False, size=self.size, nuls=0)
        if self.nuls > BINARY_SHARE * self.size:
            problem = f"The file is binary, not text: it holds {self.nuls:,} NUL bytes."
            raise FileRefusedError(problem, "Deliver CSV, TSV, JSON lines, Parquet or Excel (.xlsx).")
        encoding, damaged = self._encoding()
        return Survey(encoding, self.marked[1] if self.marked else 0, damaged, self.size, self.nuls)

    def _validate(self, chunk: bytes) -> None:
        if self.decoder is not None and not (chunk.isascii() and not self.decoder.getstate()[0]):
            try:
                self.decoder.decode(chunk)
            except UnicodeDecodeError:
                self.decoder = None

    def _tally(self, chunk: bytes) -> None:
        """Count what tells the encodings of single bytes apart; only needed once the text is not UTF-8."""
        data = np.frombuffer(chunk, np.uint8)
        places = np.flatnonzero(data >= FIRST_HIGH)
        self.high += np.bincount(data[places], minlength=256)
        if self.decoder is not None:
            self.sequence_bytes += len(places)
            return
        self.returns += chunk.count(b"\r")
        self.feeds += chunk.count(b"\n")
        self.sequence_bytes += sum(map(len, _UTF8_SEQUENCE.findall(chunk)))
        places = places[(places > 0) & (places < len(data) - 1)]
        inner = places[_is_small(data[places - 1]) & _is_small(data[places + 1])]
        self.in_word += np.bincount(data[inner], minlength=256)

    def _measure_lines(self, chunk: bytes) -> None:
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        if last < 0:
            self.open_line += len(chunk)
        else:
            first = min(place for place in (chunk.find(b"\n"), chunk.find(b"\r")) if place >= 0)
            self._hold_to_limit(self.open_line + first)
            self.open_line = len(chunk) - last - 1
        self._hold_to_limit(self.open_line)

    def _hold_to_limit(self, length: int) -> None:
        if length > MAX_LINE:
            problem = f"A line is longer than {MAX_LINE // 1024**2} MB, so this is no table of lines."
            raise FileRefusedError(problem, "Check the line ends of the file and deliver it again.")

    def _encoding(self) -> tuple[str, bool]:
        """The encoding, and whether the text is damaged."""
        if self.decoder is not None and not self.decoder.getstate()[0]:
            return "utf-8", False
        if self.marked or self.sequence_bytes > UTF8_SHARE * self.high.sum():
            return "utf-8", True
        if self._looks_like_mac():
            return "mac_roman", False
        has_c1 = self.high[FIRST_HIGH:0xA0].any()
        return ("cp1252" if has_c1 and not self.high[_CP1252_HOLES].any() else "latin-1"), False

    def _looks_like_mac(self) -> bool:
        """Inside a word of small letters stands a small letter, in the right encoding; else the line ends tell."""
        western, mac = (int(self.in_word[_small_letters(name)].sum()) for name in ("cp1252", "mac_roman"))
        return mac > western or (mac == western and self.returns > 2 * self.feeds)


def _is_small(signs: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    small: npt.NDArray[np.bool_] = (signs >= ord("a")) & (signs <= ord("z"))
    return small


def _small_letters(encoding: str) -> list[int]:
    return [byte for byte in range(FIRST_HIGH, 256) if bytes([byte]).decode(encoding, "replace").islower()]
