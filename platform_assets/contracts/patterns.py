r"""The regular expressions of rules: what RE2 (DuckDB, pandas with Arrow), Java (Spark) and Python read alike.

A pattern describes a whole text. It may hold

* characters that stand for themselves, and a backslash before a sign that would not: ``\.``;
* ``.`` for any one character, that of a line end included;
* ``\d`` and ``\w`` (digits; letters, digits and ``_``; of ASCII), ``\D``, ``\W``, ``\t``, ``\n``, ``\r``, ``\f``;
* sets like ``[A-Za-z_]`` and ``[^,]``; in them ``[``, ``]``, ``^`` and a backslash are escaped, and ``-`` stands first,
  last, or between two characters;
* groups ``( )`` and ``(?: )``, and alternatives ``|``;
* ``*``, ``+``, ``?``, ``{n}``, ``{n,}`` and ``{n,m}``, up to 1000 times, each with an optional ``?`` after it.

Everything else means something different to one of them (``\s``, ``\b``, ``$``, ``(?i)``, ``[a&&b]``) or nothing at all
(look-around, back-references), and is refused when a rule is made. A repetition of repetitions like ``(a+)+`` means the
same to all, but takes Java exponential time.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

_LAST = ";"
_LINE_ENDS = ("\n", "\r", "\x85", "\u2028", "\u2029")
"""Those of Java."""

_SIGN = r"\\[tnrf!-/:-@\[-`{-~]"
_KIND = r"\\[dDwW]"
_IN_SET = rf"(?:{_SIGN}|[^\\\[\]^-])"
_MANY = r"(?P<many>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??)"
_SET = rf"(?P<set>\[\^?(?!\])-?(?:{_KIND}|{_IN_SET}(?:-{_IN_SET})?)*-?\])"
_REST = r"\((?:\?:|(?!\?))|[)|.]|[^\\^$.|?*+()\[\]{}]"
_TOKEN = re.compile(rf"{_MANY}|{_SET}|{_SIGN}|{_KIND}|{_REST}", re.DOTALL)
_OPERATION_ON_SETS = re.compile(r"&&|--|~~|\|\|")
_ADVICE = {
    r"\s": r"Name the blanks that are meant, as in [ \t].",
    r"\S": r"Name the blanks that are not meant, as in [^ \t].",
    "^": r"The whole text is matched anyway; the sign is written \^.",
    "$": r"The whole text is matched anyway; the sign is written \$.",
    "{": r"The sign is written \{.",
    "}": r"The sign is written \}.",
}


def matches_whole(text: nw.Expr, pattern: str) -> nw.Expr:
    """Whether the whole text matches, null for none.

    Raises:
        ValueError: The engines would not read the pattern alike; the message says which part, and what to write.
    """
    # Java, which is Spark's, lets $ stand before a last line end, too; what the others have for the very end (\\z), the
    # Python of today does not read, and pandas has it read each pattern. So a last line end is looked for by itself,
    # or, where the pattern may mean one, a last sign is put behind the text, after which $ is the end for all.
    portable = _portable(pattern)
    if _may_hold_line_end(pattern):
        return nw.concat_str([text, nw.lit(_LAST)]).str.contains(rf"{portable}{_LAST}$")
    ends = nw.any_horizontal(*(text.str.ends_with(end) for end in _LINE_ENDS), ignore_nulls=True)
    return text.str.contains(f"{portable}$") & ~ends


def require_portable(pattern: str) -> None:
    """See that all engines read a pattern alike.

    Raises:
        ValueError: They would not; the message says which part, and what to write instead.
    """
    _portable(pattern)


def in_python(pattern: str) -> re.Pattern[str]:
    """The pattern for ``fullmatch``."""
    return re.compile(pattern, re.DOTALL | re.ASCII)


def _portable(pattern: str) -> str:
    tokens = list(_tokens(pattern))
    _refuse_what_differs(pattern, tokens)
    # Groups that capture would make pandas warn.
    parts = ["(?:" if token[0] == "(" else token[0] for token in tokens]
    complete = rf"(?s)\A(?:{''.join(parts)})"
    try:
        in_python(pattern)  # alone: in the group above, a)(b would be one
        pc.match_substring_regex(pa.array([""]), pattern=complete)
    except (re.error, pa.ArrowInvalid) as error:
        raise ValueError(f"The pattern {pattern!r} is none: {error}") from error
    return complete


def _may_hold_line_end(pattern: str) -> bool:
    signs = [token[0] for token in _tokens(pattern) if not token["many"] and token[0] not in {"(", "(?:", ")", "|"}]
    return any(in_python(sign).fullmatch(end) for sign in signs for end in _LINE_ENDS)


def _refuse_what_differs(pattern: str, tokens: Sequence[re.Match[str]]) -> None:
    for token in tokens:
        if token["set"] and _OPERATION_ON_SETS.search(token["set"]):
            raise ValueError(f"The pattern {pattern!r} has {token[0]}, an operation on sets to some engines.")
    for before, token in pairwise(tokens):
        if before["many"] and token["many"]:
            raise ValueError(f"The pattern {pattern!r} repeats a repetition with {token[0]}: put the first in a group.")


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    place = 0
    while place < len(pattern):
        found = _TOKEN.match(pattern, place)
        if found is None:
            rest = pattern[place : place + 8]
            advice = _ADVICE.get(rest[:2]) or _ADVICE.get(rest[:1]) or "See platform_assets/contracts/patterns.py."
            raise ValueError(f"The pattern {pattern!r} has {rest!r}, which not all engines read alike. {advice}")
        yield found
        place = found.end()
