"""From the evidence of all columns of a file to one reading for each, or a refusal that shows why there is none.

Belongs here: what columns say about each other. Does not belong here: what a column says by itself (``dates``,
``numbers``).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.readings import ISO, DateReading, NumberReading, Reading
from platform_assets.contracts.row_rules import DaysBetween
from platform_assets.errors import FileRefusedError
from platform_assets.ingestion.dates import DateEvidence, combine, date_texts, describe, readings_of
from platform_assets.ingestion.numbers import NumberEvidence

Candidates = dict[str, list[DateReading]]
Reread = Callable[[], Iterator[pa.RecordBatch]]


class ColumnEvidence:
    """What the typed columns of one file say about how they are written.

    Args:
        contract: Says which columns are typed.
        settled: Date formats that the dataset's settings name; those columns need no evidence.
    """

    def __init__(self, contract: Contract, settled: Mapping[str, DateReading]) -> None:
        self._contract = contract
        self._settled = {column: r for column, r in settled.items() if contract.column(column).type.is_temporal}
        self._dates = {
            column.name: DateEvidence(column.null_markers)
            for column in contract.columns
            if column.type.is_temporal and column.name not in settled
        }
        self._numbers = {c.name: NumberEvidence() for c in contract.columns if c.type.is_numeric}

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at some more rows."""
        for name, dates in self._dates.items():
            dates.add(batch.column(name))
        for name, numbers in self._numbers.items():
            numbers.add(batch.column(name))

    def readings(self, present: set[str], reread: Reread) -> dict[str, Reading]:
        """One reading for each typed column in the file.

        Args:
            present: The contract's columns that the file has.
            reread: Opens the file once more; only called where the format of a date is in doubt.

        Raises:
            FileRefusedError: A column is written in two formats, or two formats explain it equally.
        """
        candidates = {name: self._one_format(name, e) for name, e in self._dates.items() if name in present}
        candidates |= {name: [reading] for name, reading in self._settled.items() if name in present}
        found: dict[str, Reading] = {}
        found |= self._settle_dates(candidates, reread)
        for name, evidence in self._numbers.items():
            if name in present:
                found[name] = self._number(name, evidence)
        return found

    def notes(self, present: set[str]) -> list[str]:
        """Columns of which no cell at all can be read."""
        remarks = []
        for name, dates in self._dates.items():
            if name in present and dates.unmatched.count and not dates.dated:
                examples = ", ".join(map(repr, dates.unmatched.examples))
                remarks.append(f"{name}: no cell is a date in a known format, for example {examples}")
        return remarks

    def _one_format(self, name: str, evidence: DateEvidence) -> list[DateReading]:
        candidates = evidence.candidates()
        if candidates:
            return candidates
        parts = [
            f"{count:,} cells like {' and '.join(map(repr, cells))} ({form})" for form, count, cells in evidence.cover()
        ]
        problem = f"Column {name} mixes {len(parts)} date formats: {'; '.join(parts)}."
        raise FileRefusedError(
            problem, "Deliver it with one date format; a spreadsheet has probably re-typed some cells."
        )

    def _settle_dates(self, candidates: Candidates, reread: Reread) -> dict[str, DateReading]:
        indifferent = {name for name, evidence in self._dates.items() if evidence.indifferent}
        candidates = {name: r[:1] if name in indifferent else r for name, r in candidates.items()}
        if any(len(readings) > 1 for readings in candidates.values()):
            candidates = _by_sisters(self._by_rules(candidates, reread), indifferent)
        for name, readings in candidates.items():
            if len(readings) > 1:
                raise self._ambiguous(name, readings)
        return {name: readings[0] for name, readings in candidates.items()}

    def _by_rules(self, candidates: Candidates, reread: Reread) -> Candidates:
        """Keep the one combination of formats under which every row keeps the contract's rule between two dates."""
        for rule in self._contract.rules:
            if not isinstance(rule, DaysBetween) or not {rule.earlier, rule.later} <= candidates.keys():
                continue
            pairs = list(product(candidates[rule.earlier], candidates[rule.later]))
            if len(pairs) < 2:  # noqa: PLR2004 - nothing to choose from
                continue
            broken = _broken_rows(rule, pairs, reread())
            kept = [pair for pair in pairs if not broken[pair]]
            if len(kept) == 1:
                candidates = candidates | {rule.earlier: [kept[0][0]], rule.later: [kept[0][1]]}
        return candidates

    def _ambiguous(self, name: str, readings: list[DateReading]) -> FileRefusedError:
        cells = self._dates[name].examples()
        shown = "; ".join(
            f"{describe(reading)}, so that {cell!r} is {_meaning(cell, reading)}"
            for reading in readings
            for cell in cells[:1]
        )
        problem = f"Column {name} can be read as {combine(readings)}, and nothing in the file decides: {shown}."
        settings = " or ".join(repr(short_form(reading)) for reading in readings)
        key = f"datasets.{self._contract.dataset}.date_formats.{name}"
        return FileRefusedError(problem, f"Set {key} to {settings} in config.yaml.")

    def _number(self, name: str, evidence: NumberEvidence) -> NumberReading:
        reading = evidence.reading()
        if isinstance(reading, NumberReading):
            return reading
        ways = " and with ".join(f"decimal mark {r.decimal!r} (thousands {r.group!r})" for r in reading.readings)
        problem = f"Column {name} can be read with {ways}; both fit equally, and {reading.cell!r} differs."
        raise FileRefusedError(problem, "Deliver the file with one way of writing numbers.")


def short_form(reading: DateReading) -> str:
    """A date format as the settings write it: order, separator and digits of the year, as in ``dmy/4``."""
    return reading.order if reading == ISO else f"{reading.order}{reading.separator}{reading.year_digits}"


def _meaning(cell: str, reading: DateReading) -> date | None:
    text = date_texts(pa.array([cell]))[0].as_py()
    return readings_of(text).get(reading) if text else None


def _by_sisters(candidates: Candidates, indifferent: set[str]) -> Candidates:
    """Give a column in doubt the format that another column, written alike, has been proven to have."""
    proven = {r[0] for name, r in candidates.items() if len(r) == 1 and name not in indifferent}
    settled = {}
    for name, readings in candidates.items():
        alike = [reading for reading in readings if reading in proven]
        settled[name] = alike if len(alike) == 1 else readings
    return settled


def _broken_rows(
    rule: DaysBetween, pairs: list[tuple[DateReading, DateReading]], batches: Iterator[pa.RecordBatch]
) -> Counter[tuple[DateReading, DateReading]]:
    """For each pair of formats, how many rows break the rule; every pair breaks when no row has both dates."""
    broken: Counter[tuple[DateReading, DateReading]] = Counter()
    judged = 0
    for batch in batches:
        earlier, later = date_texts(batch.column(rule.earlier)), date_texts(batch.column(rule.later))
        both = pc.value_counts(pc.binary_join_element_wise(earlier, later, " ").drop_null())
        for text, count in zip(both.field("values").to_pylist(), both.field("counts").to_pylist(), strict=True):
            first, second = map(readings_of, text.split(" "))
            judged += count
            for pair in pairs:
                start, end = first.get(pair[0], first.get(ISO)), second.get(pair[1], second.get(ISO))
                if start is not None and end is not None and not rule.low <= (end - start).days <= rule.high:
                    broken[pair] += count
    return broken if judged else Counter(pairs)
