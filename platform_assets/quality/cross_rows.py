"""Rules whose judgement needs other rows or another dataset and that only warn: counted over a version.

Each rule becomes one row per key, with how many rows have the key, how many of them fail and how many may still be
saved; all rules are then added up in one query.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import narwhals as nw
import pyarrow as pa

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import AgreesWith, KeyUnique, KnownIn, OneValuePer, Rule, Severity
from platform_assets.engines.engine import Engine, Frame
from platform_assets.transforms.schemas import SOURCE_FILE, value_type

_EXAMPLES = 5
_NUMBERS = ("rows", "failing", "pending", "orphans_seen")
_COUNTS = pa.schema([("rule", pa.string()), *((name, pa.int64()) for name in _NUMBERS)])
_KEYS = pa.schema([("rule", pa.string()), ("key", pa.string()), ("failing", pa.int64())])


@dataclass(frozen=True)
class Count:
    """How many rows a rule was asked of, and what came of them.

    Attributes:
        checked: Rows asked.
        failed: Rows that break the rule.
        examples: A few of what breaks it.
        note: What else there is to say.
        pending: Rows whose key may still become known.
        resolved: Rows whose key was unknown when the dataset was judged before, and is known now.
    """

    checked: int
    failed: int
    examples: tuple[str, ...] = ()
    note: str = ""
    pending: int = 0
    resolved: int = 0


@dataclass(frozen=True)
class Reference:
    """A dataset that others refer to.

    Attributes:
        rows: Its accepted rows that count; ``None`` when it has none.
        grace: How long a key may wait for it.
        is_expected: Whether rows fail when it has none.
    """

    rows: Frame | None
    grace: timedelta = timedelta(0)
    is_expected: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What these rules are judged with besides the rows.

    Attributes:
        references: The datasets referred to, by name.
        landed: When each file was read first.
        now: The wall clock.
        seen: Files that were judged before, and are all still as they were; ``None`` where some are not.
        orphans_before: Rows whose key was unknown then, by rule.
    """

    references: Mapping[str, Reference]
    landed: Mapping[str, datetime]
    now: datetime
    seen: frozenset[str] | None = None
    orphans_before: Mapping[str, int] = field(default_factory=dict)

    def young_files(self, grace: timedelta) -> list[str]:
        """Files whose rows may still wait."""
        return sorted(name for name, at in self.landed.items() if self.now - at < grace)

    def end_of_grace(self, grace: timedelta) -> datetime | None:
        """When the first of the rows that wait begin to fail; ``None`` when none wait."""
        ends = [at + grace for at in self.landed.values() if self.now - at < grace]
        return min(ends, default=None)


def references_of(rules: tuple[Rule, ...]) -> list[str]:
    """The datasets that rules refer to."""
    known = {dataset for rule in rules if isinstance(rule, KnownIn) for dataset, _ in rule.references}
    return sorted(known | {rule.reference[0] for rule in rules if isinstance(rule, AgreesWith)})


def count_cross_rows(rows: Frame, contract: Contract, around: Surroundings, engine: Engine) -> dict[str, Count]:
    """Count the rows that break each rule of this kind.

    Args:
        rows: Staged rows of the version.
        contract: Their contract.
        around: Other datasets, and what tells how long rows wait for them.
        engine: What computes.

    Returns:
        Counts by rule id.
    """
    rules = {rule.id: rule for rule in contract.rules}
    notes = {rule.id: _note(rule, around) for rule in contract.rules}
    keys = {rule.id: frame for rule in contract.rules if (frame := _keys(rows, rule, contract, around)) is not None}
    if not keys:
        return {name: Count(0, 0, note=note) for name, note in notes.items() if note}
    summed = engine.concat([_sums(name, frame) for name, frame in keys.items()], _COUNTS)
    found = {line["rule"]: line for line in engine.collect(summed).to_pylist()}
    telling = {name for name, rule in rules.items() if not _is_personal(rule, contract)}
    failing = {name: frame for name, frame in keys.items() if found[name]["failing"] and name in telling}
    examples = _examples(failing, engine)
    counts = {name: Count(0, 0, note=note) for name, note in notes.items() if note}
    for name, line in found.items():
        checked, failed, pending, orphans = (int(line[number] or 0) for number in _NUMBERS)
        resolved = max(0, around.orphans_before.get(name, 0) - orphans) if around.seen is not None else 0
        note = _orphan_note(rules[name], pending, resolved, around)
        counts[name] = Count(checked, failed, examples.get(name, ()), note, pending, resolved)
    return counts


def _keys(rows: Frame, rule: Rule, contract: Contract, around: Surroundings) -> Frame | None:
    """One row per key: how many rows have it, how many of them fail, how many wait; ``None`` for other rules."""
    if isinstance(rule, OneValuePer):
        return _one_value(rows, rule)
    if isinstance(rule, KeyUnique) and rule.severity is Severity.WARN:
        return _repeated(rows, rule)
    if isinstance(rule, KnownIn) and not _note(rule, around):
        return _known(rows, rule, around)
    if isinstance(rule, AgreesWith) and not _note(rule, around):
        return _contradicting(rows, rule, contract, around)
    return None


def _note(rule: Rule, around: Surroundings) -> str:
    """Why a rule cannot be asked; empty when it can."""
    if isinstance(rule, AgreesWith) and around.references[rule.reference[0]].rows is None:
        return f"does not apply: {rule.reference[0]} has no rows"
    if isinstance(rule, KnownIn):
        others = _others(rule, around)
        is_expected = any(one.is_expected for one in others.values())
        has_rows = any(one.rows is not None for one in others.values())
        if not has_rows and not is_expected and not around.young_files(_grace(rule, around)):
            return f"does not apply: {' and '.join(others)} {'has' if len(others) == 1 else 'have'} no rows"
    return ""


def _others(rule: KnownIn, around: Surroundings) -> dict[str, Reference]:
    return {dataset: around.references[dataset] for dataset, _ in rule.references}


def _grace(rule: KnownIn, around: Surroundings) -> timedelta:
    return max(one.grace for one in _others(rule, around).values())


def _one_value(rows: Frame, rule: OneValuePer) -> Frame:
    pairs = rows.filter(~nw.col(rule.key).is_null() & ~nw.col(rule.column).is_null())
    pairs = pairs.group_by(rule.key, rule.column).agg(nw.len().alias("rows"))
    keys = pairs.group_by(rule.key).agg(nw.len().alias("values"), nw.col("rows").sum())
    return _counted(keys, _text(rule.key), failing=_where(nw.col("values") > 1, nw.col("rows")))


def _repeated(rows: Frame, rule: KeyUnique) -> Frame:
    for column in rule.key:
        rows = rows.filter(~nw.col(column).is_null())
    keys = rows.group_by(*rule.key).agg(nw.len().alias("rows"))
    name = nw.concat_str([_text(column) for column in rule.key], separator=" / ")
    return _counted(keys, name, failing=nw.col("rows") - 1)


def _known(rows: Frame, rule: KnownIn, around: Surroundings) -> Frame:
    files = {"young": around.young_files(_grace(rule, around)), "seen": sorted(around.seen or ())}
    among = {name: nw.col(SOURCE_FILE).is_in(chosen) for name, chosen in files.items()}
    keys = rows.filter(~nw.col(rule.column).is_null()).select(
        nw.col(rule.column).alias("key"),
        *(nw.when(flag).then(nw.lit(1)).otherwise(nw.lit(0)).alias(name) for name, flag in among.items()),
    )
    keys = keys.group_by("key").agg(nw.len().alias("rows"), nw.col("young").sum(), nw.col("seen").sum())
    frames = [(around.references[dataset].rows, column) for dataset, column in rule.references]
    known = [
        frame.filter(~nw.col(column).is_null()).select(nw.col(column).alias("key"))
        for frame, column in frames
        if frame is not None
    ]
    if known:
        every = nw.concat(known, how="vertical").unique("key").with_columns(nw.lit(1).alias("found"))
        keys = keys.join(every, on="key", how="left")
        unknown = nw.col("found").is_null()
    else:
        unknown = nw.lit(value=True)
    has_others = any(one.rows is not None or one.is_expected for one in _others(rule, around).values())
    late = nw.col("rows") - nw.col("young") if has_others else nw.lit(0)
    numbers = {"failing": late, "pending": nw.col("young"), "orphans_seen": nw.col("seen")}
    return _counted(keys, _text("key"), **{name: _where(unknown, number) for name, number in numbers.items()})


def _contradicting(rows: Frame, rule: AgreesWith, contract: Contract, around: Surroundings) -> Frame:
    dataset, key, value = rule.reference
    known = around.references[dataset].rows
    if known is None:
        raise LookupError(dataset)
    said = known.filter(~nw.col(key).is_null() & ~nw.col(value).is_null())
    said = said.select(nw.col(key).alias("key"), nw.col(value).alias("said")).unique(["key", "said"])
    pairs = rows.filter(~nw.col(rule.key).is_null() & ~nw.col(rule.column).is_null())
    pairs = pairs.select(nw.col(rule.key).alias("key"), nw.col(rule.column).alias("value"))
    pairs = pairs.group_by("key", "value").agg(nw.len().alias("rows")).join(said, on="key", how="inner")
    differs = _where(_differs(rule, value_type(contract.column(rule.column))), nw.lit(1))
    # Of a product that had several prices, each is one that it may have been sold at.
    held = pairs.with_columns(differs.alias("differs")).group_by("key", "value")
    pairs = held.agg(nw.col("rows").max(), nw.col("differs").min(), nw.col("said").min())
    name = nw.concat_str([_text("key"), nw.lit(": "), _text("value"), nw.lit(", not "), _text("said")])
    return _counted(pairs, name, failing=_where(nw.col("differs") == 1, nw.col("rows")))


def _differs(rule: AgreesWith, kind: pa.DataType) -> nw.Expr:
    """Whether ``value`` contradicts ``said``; numbers may lie between ``said`` less and ``said`` plus the tolerance."""
    value, said = nw.col("value"), nw.col("said")
    if pa.types.is_string(kind):
        one, other = (text.str.strip_chars().str.to_lowercase() for text in (value, said))
        return one != other
    ends = [said * (1 - rule.tolerance), said * (1 + rule.tolerance)]
    if pa.types.is_floating(kind):
        ends = [said * float(1 - rule.tolerance), said * float(1 + rule.tolerance)]
    # Both ends, because that of a negative number is the other one; no absolute value, which has too many digits.
    below = [value < end for end in ends]
    above = [value > end for end in ends]
    return (below[0] & below[1]) | (above[0] & above[1])


def _where(flag: nw.Expr, number: nw.Expr) -> nw.Expr:
    # Nothing otherwise would make the numbers floats on pandas.
    return nw.when(flag).then(number).otherwise(nw.lit(0))


def _text(column: str) -> nw.Expr:
    return nw.col(column).cast(nw.String)


def _counted(keys: Frame, name: nw.Expr, **numbers: nw.Expr) -> Frame:
    every = {"rows": nw.col("rows"), **{number: numbers.get(number, nw.lit(0)) for number in _NUMBERS[1:]}}
    return keys.select(name.alias("key"), *(count.cast(nw.Int64).alias(number) for number, count in every.items()))


def _sums(rule: str, keys: Frame) -> Frame:
    sums = keys.select(*(nw.col(name).sum().cast(nw.Int64).alias(name) for name in _NUMBERS))
    return sums.with_columns(nw.lit(rule).alias("rule")).select(_COUNTS.names)


def _examples(keys: Mapping[str, Frame], engine: Engine) -> dict[str, tuple[str, ...]]:
    """The keys with the most failing rows, by rule."""
    if not keys:
        return {}
    worst = [
        frame.filter(nw.col("failing") > 0)
        .select(nw.lit(name).alias("rule"), "key", "failing")
        .sort("failing", "key", descending=[True, False])
        .head(_EXAMPLES)
        for name, frame in keys.items()
    ]
    lines = engine.collect(engine.concat(worst, _KEYS)).to_pylist()
    lines.sort(key=lambda line: (-line["failing"], line["key"]))
    return {
        name: tuple(f"{line['key']} ({line['failing']:,} rows)" for line in lines if line["rule"] == name)
        for name in keys
    }


def _is_personal(rule: Rule, contract: Contract) -> bool:
    """Whether examples would name persons."""
    fields = [getattr(rule, name, ()) for name in ("column", "key")]
    names = {name for field in fields for name in ([field] if isinstance(field, str) else field)}
    return any(column.personal for column in contract.columns if column.name in names)


def _orphan_note(rule: Rule, pending: int, resolved: int, around: Surroundings) -> str:
    if not isinstance(rule, KnownIn):
        return ""
    others = " or ".join(dataset for dataset, _ in rule.references)
    notes = []
    if (end := around.end_of_grace(_grace(rule, around))) is not None and pending:
        notes.append(f"{pending:,} rows wait for {others}; the first of them fail from {end:%Y-%m-%d %H:%M} UTC on")
    if resolved:
        notes.append(f"{resolved:,} rows were found in {others} since the dataset was judged before")
    return "; ".join(notes)
