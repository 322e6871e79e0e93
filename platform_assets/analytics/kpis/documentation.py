"""The key figures for people, made from the registry.

Belongs here: Markdown. Does not belong here: anything that is not in the registry.
"""

from collections.abc import Iterable

from platform_assets.analytics.kpis.formulas import components_of
from platform_assets.analytics.kpis.registry import COMPONENTS, IDENTITIES, KPIS, Kpi
from platform_assets.analytics.kpis.sql import published_sql

_INTRODUCTION = (
    "Made from the registry. Ratios are sums divided by sums, never averages of ratios. Amounts of different "
    "currencies are never added up: every figure has one row per currency."
)
_BETTER = {"up": "higher", "down": "lower", "none": ""}
_ADDS_UP = {
    "additive": "yes, within a currency",
    "distinct": "no: counts of different things overlap",
    "ratio": "no: compute it again from its sums",
    "none": "",
}


def kpi_markdown() -> str:
    """The page on all key figures."""
    available = [kpi for kpi in KPIS.values() if kpi.is_available]
    missing = [kpi for kpi in KPIS.values() if not kpi.is_available]
    used = dict.fromkeys(name for kpi in available if kpi.formula is not None for name in components_of(kpi.formula))
    parts = [
        "# Key figures",
        _INTRODUCTION,
        _table(("figure", "formula", "unit", "better is", "adds up", "meaning"), map(_line, available)),
        "## What formulas are made of",
        _table(("name", "meaning", "in SQL"), ((n, COMPONENTS[n].definition, f"`{COMPONENTS[n].sql}`") for n in used)),
        "## What always holds",
        "\n".join(f"- `{one.left}` = `{one.right}`" for one in IDENTITIES),
        "## What the data cannot give",
        _table(("figure", "meaning", "why not"), ((kpi.title, kpi.definition, kpi.reason) for kpi in missing)),
    ]
    return "\n\n".join(parts) + "\n"


def kpi_query(name: str) -> str:
    """The SQL of one figure by month, to be read: the statement that made its values."""
    return published_sql(KPIS[name])


def _line(kpi: Kpi) -> tuple[str, ...]:
    bounds = "" if kpi.low is None and kpi.high is None else f" ({_bounds(kpi)})"
    texts = kpi.title, f"`{kpi.formula}`", f"{kpi.unit}{bounds}", _BETTER[kpi.direction], _ADDS_UP[kpi.additivity]
    return *texts, kpi.definition


def _bounds(kpi: Kpi) -> str:
    if kpi.high is None:
        return f"from {kpi.low}"
    return f"to {kpi.high}" if kpi.low is None else f"{kpi.low} to {kpi.high}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
