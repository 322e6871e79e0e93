"""A contract as a page of Markdown, for people.

Belongs here: tables and their escapes. Does not belong here: what a contract means in words (``wording``).
"""

import re
from collections.abc import Iterable, Sequence

from platform_assets.contracts.columns import Column
from platform_assets.contracts.contract import Contract
from platform_assets.contracts.fingerprint import fingerprint
from platform_assets.contracts.wording import consequence, default_of, purpose, readings, reference

_LEGEND = (
    "Required: a file without the column is refused. Nullable: a row without a value is in order. "
    "Personal: samples show a mask instead."
)
_MARKS = re.compile(r"[\\|*`<\[]")


def contract_markdown(contract: Contract) -> str:
    """A contract as a page: what it is about, its columns, how cells are read, its rules and its references.

    Args:
        contract: As it holds in a deployment, settings applied.

    Returns:
        GitHub's Markdown, ending in a line end; the same text for the same contract.
    """
    sections = [
        f"# {contract.dataset}",
        purpose(contract),
        _facts(contract),
        "## Columns",
        _LEGEND,
        _columns(contract),
        "## How cells are read",
        "\n".join(f"- {sentence}" for sentence in readings(contract)),
        "## Rules",
        "A missing value breaks no rule but that of being present.",
        _rules(contract),
        "## References to other datasets",
        _references(contract),
        "Made by `./platform contracts`: change the contract, not this page.",
    ]
    return "\n\n".join(sections) + "\n"


def _facts(contract: Contract) -> str:
    facts = [
        ("Owner", _text(contract.owner)),
        ("Version", str(contract.version)),
        ("Fingerprint", _code(fingerprint(contract))),
        ("Money of a row", _code(contract.amount) if contract.amount else "none"),
        ("When it happened", _code(contract.event_at) if contract.event_at else "not told"),
        *(("At least one of", ", ".join(map(_code, group))) for group in contract.any_of),
    ]
    return _table(("What", "Value"), facts)


def _columns(contract: Contract) -> str:
    headers = ("Name", "Type", "Required", "Nullable", "Personal", "Default", "Aliases", "Meaning")
    return _table(headers, (_column(column) for column in contract.columns))


def _column(column: Column) -> tuple[str, ...]:
    flags = (column.required, column.nullable, column.personal)
    return (
        _code(column.name),
        str(column.type),
        *("yes" if flag else "no" for flag in flags),
        _text(default_of(column)),
        ", ".join(map(_code, column.aliases)),
        _text(column.description),
    )


def _rules(contract: Contract) -> str:
    headers = ("Rule", "Dimension", "Severity", "Sentence", "A row that breaks it")
    rows = (
        (_code(rule.id), str(rule.dimension), str(rule.severity), _text(rule.description), _text(consequence(rule)))
        for rule in contract.rules
    )
    return _table(headers, rows)


def _references(contract: Contract) -> str:
    found = ((rule, reference(rule)) for rule in contract.rules)
    rows = [(_code(place[0]), place[1], _code(rule.id)) for rule, place in found if place is not None]
    return _table(("Column", "Reference", "Rule"), rows) if rows else "None."


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(value: str) -> str:
    """Words in a cell, in which nothing is a mark of Markdown."""
    return _MARKS.sub(r"\\\g<0>", " ".join(value.split()))


def _code(value: str) -> str:
    """A name in a cell; a bar would end the cell even between backticks."""
    safe = value.replace("|", r"\|")
    return f"`{safe}`"
