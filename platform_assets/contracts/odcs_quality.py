"""The rules of a contract as quality checks of the Open Data Contract Standard.

Where one of the standard's metrics means what a rule means, it is used; every other rule, of whatever kind, is a custom
check of this platform that says all of the rule's fields. The standard calls validity "conformity".
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from typing import Any

from platform_assets.contracts.row_rules import Matches, NotBefore, OneOf, Present, RowRule, Within
from platform_assets.contracts.rules import Dimension, KeyUnique, KnownIn, NotAfterAsOf, Rule, Severity
from platform_assets.contracts.wording import consequence

ENGINE = "platform-assets"
_SEVERITIES = {Severity.ERROR: "error", Severity.WARN: "warning"}
_DIMENSIONS = {Dimension.VALIDITY: "conformity"}


def quality(rule: Rule) -> dict[str, Any]:
    """A rule as an entry of the standard's ``quality``."""
    return {
        "id": rule.id,
        "description": rule.description,
        **_check(rule),
        "dimension": _DIMENSIONS.get(rule.dimension, str(rule.dimension)),
        "severity": _SEVERITIES[rule.severity],
        "businessImpact": consequence(rule),
    }


def column_of(rule: Rule) -> str | None:
    """The one column under which the rule is to be found; ``None`` for a rule about the row or the dataset."""
    if isinstance(rule, RowRule):
        return rule.columns[0] if len(rule.columns) == 1 else None
    if isinstance(rule, KeyUnique):
        return rule.key[0] if len(rule.key) == 1 else None
    return rule.column if isinstance(rule, KnownIn | NotAfterAsOf) else None


def limits(rules: Iterable[Rule]) -> dict[str, Any]:
    """The least and greatest value a column has once rows that break its rules are set aside; the narrowest count."""
    found: dict[str, Any] = {}
    for rule in rules:
        if rule.severity is Severity.ERROR:
            for name, value in _limits(rule).items():
                narrower = min if name == "maximum" else max
                found[name] = narrower(found.get(name, value), value)
    return found


@singledispatch
def _check(rule: Rule) -> dict[str, Any]:
    base = {field.name for field in fields(Rule)}
    said = {field.name: getattr(rule, field.name) for field in fields(rule) if field.name not in base}
    implementation = {"rule": type(rule).__name__} | _mapping(said)
    return {"type": "custom", "engine": ENGINE, "implementation": implementation}


@_check.register
def _(_: Present) -> dict[str, Any]:
    return _metric("nullValues")


@_check.register
def _(rule: OneOf) -> dict[str, Any]:
    return _metric("invalidValues", validValues=list(rule.values))


@_check.register
def _(rule: Matches) -> dict[str, Any]:
    return _metric("invalidValues", pattern=f"^(?:{rule.pattern})$")


@_check.register
def _(rule: KeyUnique) -> dict[str, Any]:
    return _metric("duplicateValues", **({"properties": list(rule.key)} if len(rule.key) > 1 else {}))


def _metric(name: str, **arguments: Any) -> dict[str, Any]:
    return {
        "type": "library",
        "metric": name,
        **({"arguments": arguments} if arguments else {}),
        "mustBe": 0,
        "unit": "rows",
    }


@singledispatch
def _limits(_: Rule) -> dict[str, Any]:
    return {}


@_limits.register
def _(rule: Within) -> dict[str, Any]:
    low = "exclusiveMinimum" if rule.exclusive else "minimum"
    return _mapping({low: rule.low, "maximum": rule.high})


@_limits.register
def _(rule: NotBefore) -> dict[str, Any]:
    return {"minimum": f"{rule.year}-01-01"}


def _mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data by name, without what is not set."""
    return {name: _plain(value) for name, value in values.items() if value is not None and value != ()}


def _plain(value: Any) -> Any:
    """A field's value in terms that YAML has, so that it reads back as it was written."""
    if isinstance(value, Mapping):
        return _mapping({str(name): inside for name, inside in value.items()})
    if is_dataclass(value) and not isinstance(value, type):
        return _mapping({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, frozenset | set):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, tuple | list):
        return [_plain(inside) for inside in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return _scalar(value.value)
    if isinstance(value, Decimal):
        return _number(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _number(value: Decimal) -> float | int | str:
    """A number where it is the same one in binary, or shows as the same; the digits as text otherwise."""
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    shown = float(value)
    return shown if Decimal(repr(shown)) == value else str(value)
