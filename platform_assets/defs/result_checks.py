"""Checks of results that pass when no row breaks what must hold.

Belongs here: how broken rows become a verdict. Does not belong here: looking for them (``checks`` of each package).
"""

from collections.abc import Callable, Sequence

import dagster as dg

from platform_assets.defs.topics import ResultCheck, Tables, Verdict

_SHOWN = 5


def invariant_check(
    name: str,
    table: str,
    description: str,
    violations: Callable[[Tables], Sequence[str]],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> ResultCheck:
    """A check that passes when nothing violates what must hold.

    Args:
        name: Its name.
        table: The table it is shown at.
        description: What must hold.
        violations: Gives what breaks it, in words.
        severity: What a failure means.
    """

    def judge(tables: Tables) -> Verdict:
        found = violations(tables)
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        rows = len(tables[table])
        said = "; ".join(found[:_SHOWN]) + more if found else f"{rows:,} rows, all as they must be"
        return Verdict(not found, said, {"rows": rows, "violations": len(found)})

    return ResultCheck(name, table, description, judge, severity)
