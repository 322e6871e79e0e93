"""The options of ``forget-customer``.

Belongs here: what is cheap to import. Does not belong here: doing any of it (``forget``).
"""

from argparse import ArgumentParser, Namespace

from platform_assets.cli.options import add_data_options
from platform_assets.settings import Settings


def add_forget_options(parser: ArgumentParser) -> None:
    """Add whom to forget, and how."""
    add_data_options(parser)
    parser.add_argument("identifier", metavar="ID", help="the customer's id, as it stands in the files")
    parser.add_argument("--name", metavar="NAME", action="append", default=[], help="a further name to look for")
    parser.add_argument("--landing", action="store_true", help="take the person out of the landing zone's files, too")
    parser.add_argument("--plan", action="store_true", help="show where the person is; change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(execute=_forget)


def _forget(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.forget import Choice, forget

    choice = Choice(
        identifier=options.identifier,
        names=tuple(name for name in options.name if name.strip()),
        landing=options.landing,
        plan=options.plan,
        yes=options.yes,
    )
    return forget(settings, choice)
