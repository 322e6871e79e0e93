"""A fingerprint of a contract: equal contracts stage a file alike, a changed one stages it again."""

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

from platform_assets.contracts.contract import Contract


def fingerprint(contract: Contract) -> str:
    """Sixteen hexadecimal digits that change with anything the contract says."""
    return hashlib.sha256(_canonical(contract).encode()).hexdigest()[:16]


def _canonical(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        inside = ", ".join(f"{field.name}={_canonical(getattr(value, field.name))}" for field in fields(value))
        return f"{type(value).__name__}({inside})"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_canonical, value)))}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_canonical, value))})"
    return repr(value)
