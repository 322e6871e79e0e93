"""Rules whose judgement needs other rows or another dataset and that only warn: counted over a version."""

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals as nw

from platform_assets.contracts.contract import Contract
from platform_assets.contracts.rules import KeyUnique, KnownIn, OneValuePer, Rule, Severity
from platform_assets.engines.engine import Engine, Frame
from platform_assets.transforms.exclusions import repeats
from platform_assets.transforms.schemas import SOURCE_FILE, SOURCE_ROW


@dataclass(frozen=True)
class Count:
    """How many rows a rule was asked of, how many break it, and a few examples of what breaks it."""

    checked: int
    failed: int
    examples: tuple[str, ...] = ()
    note: str = ""


def count_cross_rows(
    rows: Frame, contract: Contract, references: Mapping[tuple[str, str], Frame | None], engine: Engine
) -> dict[str, Count]:
    """Count the rows that break each rule of this kind.

    Args:
        rows: Staged rows of the version.
        contract: Their contract.
        references: Known keys by (dataset, column), each a frame with one column ``key``; ``None`` for a dataset
            that has no rows.
        engine: What computes.

    Returns:
        Counts by rule id.
    """
    counts = {}
    for rule in contract.rules:
        if isinstance(rule, OneValuePer):
            counts[rule.id] = _one_value(rows, rule, engine)
        elif isinstance(rule, KnownIn):
            counts[rule.id] = _known(rows, rule, references, engine)
        elif isinstance(rule, KeyUnique) and rule.severity is Severity.WARN:
            counts[rule.id] = _repeated(rows, rule, engine)
    return counts


def references_of(rules: tuple[Rule, ...]) -> list[tuple[str, str]]:
    """The (dataset, column) pairs that rules refer to."""
    return sorted({pair for rule in rules if isinstance(rule, KnownIn) for pair in rule.references})


def _one_value(rows: Frame, rule: OneValuePer, engine: Engine) -> Count:
    pairs = rows.filter(~nw.col(rule.key).is_null() & ~nw.col(rule.column).is_null())
    pairs = pairs.group_by(rule.key, rule.column).agg(nw.len().alias("rows"))
    keys = pairs.group_by(rule.key).agg(nw.len().alias("values"), nw.col("rows").sum())
    return _summary(keys, nw.col("values") > 1, rule.key, engine)


def _known(rows: Frame, rule: KnownIn, references: Mapping[tuple[str, str], Frame | None], engine: Engine) -> Count:
    known = [frame for pair in rule.references if (frame := references[pair]) is not None]
    if not known:
        return Count(0, 0, note="does not apply: the datasets it refers to have no rows")
    keys = rows.filter(~nw.col(rule.column).is_null()).select(nw.col(rule.column).alias("key"))
    keys = keys.group_by("key").agg(nw.len().alias("rows"))
    every = nw.concat(known, how="vertical").unique("key").with_columns(nw.lit(1).alias("found"))
    return _summary(keys.join(every, on="key", how="left"), nw.col("found").is_null(), "key", engine)


def _repeated(rows: Frame, rule: KeyUnique, engine: Engine) -> Count:
    slim = rows.select(SOURCE_FILE, SOURCE_ROW, *rule.key)
    with_key = slim.filter(~nw.col(rule.key[0]).is_null())
    checked = _integer(engine, with_key.select(nw.len().alias("n")))
    beyond = repeats(slim, rule.key)
    failed = _integer(engine, beyond.select(nw.len().alias("n")))
    example = engine.collect(beyond.select(*rule.key).sort(*rule.key).head(5)) if failed else None
    return Count(checked, failed, tuple(str(line[rule.key[0]]) for line in example.to_pylist()) if example else ())


def _summary(keys: Frame, breaks: nw.Expr, key: str, engine: Engine) -> Count:
    checked = _integer(engine, keys.select(nw.col("rows").sum().cast(nw.Int64).alias("n")))
    failing = keys.filter(breaks).select(key, "rows")
    failed = _integer(engine, failing.select(nw.col("rows").sum().cast(nw.Int64).alias("n")))
    if not failed:
        return Count(checked, 0)
    worst = engine.collect(failing.sort("rows", key, descending=[True, False]).head(5))
    return Count(checked, failed, tuple(f"{line[key]} ({line['rows']:,} rows)" for line in worst.to_pylist()))


def _integer(engine: Engine, frame: Frame) -> int:
    return int(engine.collect(frame)["n"][0].as_py() or 0)
