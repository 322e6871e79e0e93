"""The options of ``bench``, and which of its four measurements they ask for.

Belongs here: what is cheap to import. Does not belong here: measuring (``bench``, ``bench_engines``,
``bench_quality``, ``bench_load``).
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import get_args

from platform_assets.errors import SettingsError
from platform_assets.settings import EngineName, Settings

DEFAULT_SIZE = 1_000_000
DEFAULT_REPEATS = 5
WITHOUT_SERVER: tuple[EngineName, ...] = ("duckdb", "pandas")


def add_bench_options(parser: ArgumentParser) -> None:
    """Add what says what is measured, and where the tables go."""
    parser.add_argument(
        "--rows",
        metavar="N[,N...]",
        type=sizes,
        default=(DEFAULT_SIZE,),
        help=f"rows to generate ({DEFAULT_SIZE}); several only with --engines",
    )
    parser.add_argument("--seed", metavar="S", type=int, default=42, help="which sample (%(default)s)")
    parser.add_argument(
        "--engines", metavar="E[,E...]", type=engines, help="measure these side by side instead of one engine at length"
    )
    parser.add_argument(
        "--skip-over-memory",
        action="store_true",
        help="with --engines: where the machine has too little memory for one, note it and go on",
    )
    parser.add_argument(
        "--quality",
        action="store_true",
        help="measure the rules alone, beside queries written by hand and beside other tools, on one file; "
        f"--engines says where ({','.join(WITHOUT_SERVER)})",
    )
    parser.add_argument(
        "--load",
        action="store_true",
        help="measure the loading of PostgreSQL alone, beside psql and beside what others would write",
    )
    parser.add_argument(
        "--repeats",
        metavar="N",
        type=positive,
        help=f"with --quality and --load: the best of so many times ({DEFAULT_REPEATS})",
    )
    parser.add_argument(
        "--with-to-sql", action="store_true", help="with --load: measure pandas' to_sql, too, which takes minutes"
    )
    parser.add_argument(
        "--without-others",
        action="store_true",
        help="with --quality: leave the other tools out, which are downloaded when they are first measured",
    )
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the tables as Markdown, too")


def sizes(text: str) -> tuple[int, ...]:
    """Read ``10000,1000000``: numbers of rows, in rising order, each once.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a list of numbers like 10000,1000000") from None
    if found[0] < 1:
        raise ArgumentTypeError(f"{found[0]} is not a number of rows")
    return tuple(found)


def positive(text: str) -> int:
    """Read a number of times.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number of times")
    return int(text)


def engines(text: str) -> tuple[EngineName, ...]:
    """Read ``duckdb,spark``: names of engines, in the order given, each once.

    Raises:
        ArgumentTypeError: One of them is none.
    """
    known: dict[str, EngineName] = {name: name for name in get_args(EngineName)}
    names = dict.fromkeys(text.split(","))
    for name in names:
        if name not in known:
            raise ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
    return tuple(known[name] for name in names)


def run_bench(options: Namespace, settings: Settings) -> int:
    """Do the measurement that the options ask for.

    Raises:
        SettingsError: The options contradict each other.
        PlatformError: A measured process failed.
    """
    _refuse_contradictions(options)
    if options.quality:
        return _run_quality(options, settings)
    if options.load:
        return _run_load(options, settings)
    if options.engines is None:
        from platform_assets.cli.bench import bench

        return bench(settings, options.rows[0], options.seed, options.markdown)
    from platform_assets.cli.bench_engines import Comparison, bench_engines

    asked = Comparison(options.engines, options.rows, options.seed, options.skip_over_memory)
    return bench_engines(settings, asked, options.markdown)


def _run_quality(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.bench_quality import Asked, bench_quality

    asked = Asked(
        rows=options.rows[0],
        seed=options.seed,
        engines=options.engines or WITHOUT_SERVER,
        others=not options.without_others,
        repeats=options.repeats or DEFAULT_REPEATS,
    )
    return bench_quality(settings, asked, options.markdown)


def _run_load(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.bench_load import Asked, bench_load

    asked = Asked(options.rows[0], options.seed, options.repeats or DEFAULT_REPEATS, options.with_to_sql)
    return bench_load(settings, asked, options.markdown)


def _refuse_contradictions(options: Namespace) -> None:
    compares = options.engines is not None and not options.quality
    _refuse_stray_options(options)
    if options.quality and options.engine is not None:
        raise SettingsError("--quality measures several engines.", "Say which with --engines, not --engine.")
    if options.quality and len(options.rows) > 1:
        raise SettingsError("--quality measures one number of rows.", "Give one number.")
    if not compares and len(options.rows) > 1:
        raise SettingsError("One engine is measured with one number of rows.", "Add --engines, or give one number.")
    if not compares and options.skip_over_memory:
        raise SettingsError("--skip-over-memory belongs to a comparison of engines.", "Add --engines, or leave it out.")
    if options.engines is not None and options.engine is not None:
        raise SettingsError("--engine and --engines contradict each other.", "Leave one of them out.")
    if options.markdown is not None and not options.markdown.absolute().parent.is_dir():
        raise SettingsError(f"There is no folder to write {options.markdown} to.", "Make it first.")


def _refuse_stray_options(options: Namespace) -> None:
    """Refuse what belongs to a measurement that is not asked for."""
    if options.quality and options.load:
        raise SettingsError("--quality and --load are two measurements.", "Ask for one at a time.")
    if options.without_others and not options.quality:
        raise SettingsError("--without-others belongs to --quality.", "Add it, or leave it out.")
    if options.repeats is not None and not (options.quality or options.load):
        raise SettingsError("--repeats belongs to --quality and --load.", "Add one of them, or leave it out.")
    if options.with_to_sql and not options.load:
        raise SettingsError("--with-to-sql belongs to --load.", "Add it, or leave it out.")
    if options.load and (options.engine is not None or options.engines is not None):
        raise SettingsError("--load measures PostgreSQL, no engine.", "Leave --engine and --engines out.")
