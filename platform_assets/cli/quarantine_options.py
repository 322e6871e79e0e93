"""The options of ``quarantine`` and its five actions.

Belongs here: what is cheap to import. Does not belong here: doing any of it (``quarantine``, ``quarantine_replay``).
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from platform_assets.cli.options import add_data_options, add_home
from platform_assets.errors import PlatformError
from platform_assets.settings import Settings

_LIMIT = 20


def add_quarantine_actions(parser: ArgumentParser) -> None:
    """Add ``list``, ``show``, ``export``, ``replay`` and ``discard``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> ArgumentParser:
        made: ArgumentParser = actions.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        return made

    _add_reading(action("list", "what is set aside, by reason"), action("show", "lines with their reasons and history"))
    _add_export(action("export", "write lines to a CSV file to correct them in"))
    _add_replay(action("replay", "take corrections and run the main job"))
    _add_discard(action("discard", "give lines up: they stay out and stay in the ledger"))


def _add_reading(listing: ArgumentParser, show: ArgumentParser) -> None:
    add_home(listing)
    listing.add_argument("dataset", metavar="DATASET", nargs="?", help="of one dataset (default: all)")
    listing.add_argument("--all", action="store_true", help="count discarded lines, too")
    listing.set_defaults(execute=_list)
    _add_choice(show)
    show.add_argument("--all", action="store_true", help="show discarded lines, too")
    show.add_argument("--limit", metavar="N", type=int, default=_LIMIT, help="lines shown at most (%(default)s)")
    show.add_argument("--unmask", action="store_true", help="show what columns say about persons")
    show.set_defaults(execute=_show)


def _add_choice(parser: ArgumentParser, *, takes_file: bool = False) -> None:
    add_home(parser)
    if takes_file:
        parser.add_argument("dataset", metavar="DATASET|FILE.csv", help="a dataset, or a file that export has written")
    else:
        parser.add_argument("dataset", metavar="DATASET", help="whose lines")
    parser.add_argument("--reason", metavar="R", help="with this reason")
    parser.add_argument("--file", metavar="F", help="of this raw file")
    parser.add_argument("--row", metavar="N", type=int, help="this line of it")


def _add_export(parser: ArgumentParser) -> None:
    _add_choice(parser)
    parser.add_argument("--all", action="store_true", help="discarded lines, too")
    parser.add_argument("--out", metavar="FILE.csv", type=Path, required=True, help="the file; an old one is replaced")
    parser.set_defaults(execute=_export)


def _add_replay(parser: ArgumentParser) -> None:
    add_data_options(parser)
    parser.add_argument("corrections", metavar="FILE.csv", type=Path, nargs="?", help="corrected rows, from export")
    parser.add_argument("--dataset", metavar="DATASET", help="whose rows; a file of export says so itself")
    parser.add_argument("--why", metavar="TEXT", help="a note for the history")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the result for programs, too")
    parser.set_defaults(execute=_replay)


def _add_discard(parser: ArgumentParser) -> None:
    _add_choice(parser, takes_file=True)
    parser.add_argument("--why", metavar="TEXT", required=True, help="why they are given up, for the history")
    parser.set_defaults(execute=_discard)


def _list(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.quarantine import list_groups

    return list_groups(settings, options.dataset, with_discarded=options.all)


def _show(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.quarantine import show

    _require_file(options)
    if options.limit < 1:
        raise PlatformError(f"--limit is {options.limit}.", "Give a number of lines, 1 or more.")
    return show(
        settings, options.dataset, _choice(options), options.limit, with_discarded=options.all, unmask=options.unmask
    )


def _export(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.quarantine import export

    _require_file(options)
    return export(settings, options.dataset, _choice(options), options.out, with_discarded=options.all)


def _replay(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.quarantine_replay import replay

    return replay(settings, options.corrections, options.dataset, options.why, options.json)


def _discard(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.quarantine import discard

    _require_file(options)
    return discard(settings, options.dataset, _choice(options), options.why)


def _choice(options: Namespace) -> dict[str, object]:
    return {"reason": options.reason, "file": options.file, "row": options.row}


def _require_file(options: Namespace) -> None:
    if options.row is not None and options.file is None:
        raise PlatformError(f"--row {options.row} of which file?", "Name it with --file.")
