"""The commands, their options and their exit codes."""

import os
import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from platform_assets.cli.backup import add_backup_actions, add_restore
from platform_assets.cli.bench_options import add_bench_options, run_bench
from platform_assets.cli.forget_options import add_forget_options
from platform_assets.cli.login_options import add_login_actions
from platform_assets.cli.options import add_data_options, add_home, settings_from
from platform_assets.cli.quarantine_options import add_quarantine_actions
from platform_assets.errors import PlatformError
from platform_assets.services.up_state import DEFAULT_UI_PORT
from platform_assets.settings import Settings

EPILOG = """\
first steps:
  ./platform run              process data/raw (sample data, if it is empty) and show the result
  ./platform up               serve the Dagster UI on http://127.0.0.1:3000
  ./platform scorecard        quality of every dataset; with a dataset's name, down to its failing rows
  ./platform quarantine list  what was set aside and why; show, export, replay, discard
  ./platform sql "select count(*) from warehouse.fct_sales"
  ./platform history          who loaded or changed what, when, and from which file

also: ./platform test [pytest arguments], ./platform lock [--upgrade]
"""

EXIT_ERROR = 1
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE
PASSED_ON = ("psql", "dg", "dagster")
"""Commands that hand everything but ``--home`` to another program."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: What follows the program's name; by default that of this process.
    """
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        code: int = options.execute(options, settings_from(options))
        sys.stdout.flush()
    except PlatformError as error:
        print("\n".join(part for part in (f"error: {error.problem}", error.remedy) if part), file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (head, for example) has seen enough. What is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    return code


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command not in PASSED_ON:
        parser.error(f"{options.command} does not know {' '.join(rest)}")
    options.rest = rest
    return options


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="./platform",
        description="Raw files in, a trusted warehouse out.",
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str) -> ArgumentParser:
        made: ArgumentParser = commands.add_parser(
            name, help=summary, description=summary, allow_abbrev=False, add_help=name not in PASSED_ON
        )
        return made

    _add_work(command("run", "run the main job and show its result"), command("bench", "measure a run on sample data"))
    _add_generate(command("generate", "write sample data"))
    _add_services(command("up", "serve the Dagster UI"), command("status", "say what runs"), command("down", "stop it"))
    _add_queries(command("sql", "query the warehouse"), command("psql", "open psql on the warehouse"))
    add_quarantine_actions(command("quarantine", "see to what was set aside"))
    add_login_actions(command("login", "let people and programs in, each with one role"))
    _add_contracts(command("contracts", "print or export the contracts of the datasets"))
    _add_scorecard(command("scorecard", "show the quality of every dataset, down to failing rows"))
    _add_drift(command("drift", "show the last delivery of a dataset beside those before it"))
    add_forget_options(command("forget-customer", "erase a person everywhere, and show that nothing is left"))
    _add_migrate(command("migrate", "bring the warehouse's tables, views and roles up to date"))
    _add_history(command("history", "who loaded or changed what, when, and from which file"))
    add_backup_actions(command("backup", "back up the warehouse, its history and the lake; list, verify"))
    add_restore(command("restore", "restore a backup into an empty home or database"))
    for name in ("dg", "dagster"):
        passed_on = command(name, f"{name} on the platform's own instance")
        add_home(passed_on)
        passed_on.set_defaults(execute=_dagster)
    return parser


def _add_work(run: ArgumentParser, bench: ArgumentParser) -> None:
    for parser in (run, bench):
        add_data_options(parser)
    run.add_argument("--select", metavar="ASSETS", help="bring only these up to date, as the UI's search field selects")
    run.add_argument("--json", metavar="FILE", type=Path, help="write the result for programs, too")
    run.set_defaults(execute=_run)
    add_bench_options(bench)
    bench.set_defaults(execute=run_bench)


def _add_generate(parser: ArgumentParser) -> None:
    parser.add_argument("--rows", metavar="N", type=int, help="transaction lines; the other datasets scale with them")
    parser.add_argument("--seed", metavar="S", type=int, default=42, help="which sample (%(default)s)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to (default: the landing zone)")
    parser.set_defaults(execute=_generate)


def _add_services(up: ArgumentParser, status: ArgumentParser, down: ArgumentParser) -> None:
    add_data_options(up)
    up.add_argument("--port", metavar="N", type=int, default=DEFAULT_UI_PORT, help="port on 127.0.0.1 (%(default)s)")
    up.set_defaults(execute=_up)
    for parser, execute in ((status, _status), (down, _down)):
        add_home(parser)
        parser.set_defaults(execute=execute)


def _add_queries(sql: ArgumentParser, psql: ArgumentParser) -> None:
    for parser, execute in ((sql, _sql), (psql, _psql)):
        add_home(parser)
        parser.set_defaults(execute=execute)
    sql.add_argument("statement", metavar="STATEMENT", help='for example "select * from quality.row_ledger"')
    sql.add_argument("--format", choices=("table", "csv", "json"), default="table", help="output (%(default)s)")


def _add_contracts(parser: ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("datasets", metavar="DATASET", nargs="*", help="whose contract (default: all)")
    parser.add_argument(
        "--format",
        choices=("markdown", "odcs"),
        help="odcs: YAML of the Open Data Contract Standard (default: markdown)",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write files, of both formats unless one is named")
    parser.set_defaults(execute=_contracts)


def _add_scorecard(parser: ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("dataset", metavar="DATASET", nargs="?", help="one dataset in full (default: all in short)")
    parser.add_argument("--rule", metavar="RULE", help="the failing rows of a rule, with file, line and reason")
    parser.add_argument("--runs", metavar="N", type=int, default=10, help="evaluations of the trend (%(default)s)")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write it as a page that needs nothing beside it")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write it for programs")
    parser.set_defaults(execute=_scorecard)


def _add_drift(parser: ArgumentParser) -> None:
    add_home(parser)
    parser.usage = "./platform drift [DATASET]\n       ./platform drift accept DATASET --why TEXT"
    parser.add_argument(
        "words", metavar="[accept] DATASET", nargs="*", help="accept: its last incident is the new normal"
    )
    parser.add_argument("--why", metavar="TEXT", help="the reason, for accept")
    parser.set_defaults(execute=_drift)


def _add_migrate(parser: ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("--plan", action="store_true", help="say what would be done, and change nothing")
    parser.set_defaults(execute=_migrate)


def _add_history(parser: ArgumentParser) -> None:
    add_home(parser)
    parser.add_argument("table", metavar="TABLE", nargs="?", help="of one table, with or without its schema")
    parser.add_argument("--file", metavar="NAME", help="of one raw file")
    parser.add_argument("--run", metavar="ID", help="of one run, by its id or how it begins")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="entries shown at most (%(default)s)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="output (%(default)s)")
    parser.set_defaults(execute=_history)


def _run(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.run import run

    return run(settings, options.json)


def _generate(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.generate import generate_sample

    return generate_sample(options.out or settings.raw, options.rows, options.seed)


def _up(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.up import up

    return up(settings, options.port)


def _status(_: Namespace, settings: Settings) -> int:
    from platform_assets.cli.up import status

    return status(settings)


def _down(_: Namespace, settings: Settings) -> int:
    from platform_assets.cli.up import down

    return down(settings)


def _sql(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.sql import query

    return query(settings, options.statement, options.format)


def _contracts(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.contracts import contracts

    return contracts(settings, options.datasets, options.format, options.out)


def _scorecard(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.scorecard import View, show_scorecard

    view = View(
        dataset=options.dataset,
        rule=options.rule,
        runs=options.runs,
        html_file=options.html,
        json_file=options.json,
    )
    return show_scorecard(settings, view)


def _drift(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.drift import drift

    return drift(settings, options.words, options.why)


def _migrate(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.migrate import migrate_warehouse

    return migrate_warehouse(settings, plan_only=options.plan)


def _history(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.history import show_history
    from platform_assets.warehouse.trail.history_read import Wanted

    wanted = Wanted(table=options.table, file=options.file, run=options.run)
    return show_history(settings, wanted, options.limit, options.format)


def _psql(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.passing import psql

    return psql(settings, options.rest)


def _dagster(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.passing import dagster

    return dagster(settings, options.command, options.rest)
