"""What may be shown of a line that was set aside: its cells, with those about a person masked."""

import csv
import io

from platform_assets.contracts.contract import Contract

MASK = "•••"


def shown_cells(raw: str | None, kind: str, contract: Contract) -> tuple[tuple[tuple[str, str], ...], str]:
    """Take a line of the quarantine apart for a person.

    Args:
        raw: Its text: for a row, the cells of the contract's columns as CSV; otherwise as it stood in the file.
        kind: ``row``, ``line`` or ``file``, as the quarantine has it.
        contract: The dataset's contract, which says what is personal.

    Returns:
        Column and text of each cell that has one; and, where nothing can be shown, the reason.
    """
    if raw is None:
        return (), ""
    personal = {column.name for column in contract.columns if column.personal}
    if kind != "row":
        return ((), _HIDDEN) if personal else ((("line", raw),), "")
    cells = next(csv.reader(io.StringIO(raw, newline="")), [])
    names = contract.column_names
    if len(cells) != len(names):
        # The contract has changed since; which cell is personal cannot be told.
        return (), "its columns are those of an earlier contract"
    pairs = zip(names, cells, strict=True)
    return tuple((name, MASK if name in personal else cell) for name, cell in pairs if cell), ""


_HIDDEN = "not shown, because it may hold personal data; it is in quality.quarantine"
