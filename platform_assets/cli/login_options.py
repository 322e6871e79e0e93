"""The options of ``login`` and its three actions.

Belongs here: what is cheap to import. Does not belong here: doing any of it (``login``).
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import date

from platform_assets.cli.options import add_home
from platform_assets.settings import Settings

_ROLES = {
    "analyst": "reads the schema analytics",
    "auditor": "reads what the platform did and how good the data are, but not the data",
    "loader": "runs the platform: reads and writes rows, and cannot drop, alter or empty a table",
}


def add_login_actions(parser: ArgumentParser) -> None:
    """Add ``add``, ``list`` and ``remove``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> ArgumentParser:
        made: ArgumentParser = actions.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        add_home(made)
        return made

    _add_add(action("add", "make a login; its password is PLATFORM_LOGIN_PASSWORD, or generated and shown once"))
    action("list", "the logins that have a role of the platform").set_defaults(execute=_list)
    remove = action("remove", "remove a login that was made here, and end its sessions")
    remove.add_argument("name", metavar="NAME", help="the login")
    remove.set_defaults(execute=_remove)


def _add_add(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="small letters, digits and underscores")
    told = "; ".join(f"{role} {what}" for role, what in _ROLES.items())
    parser.add_argument("--role", choices=tuple(_ROLES), required=True, help=told)
    parser.add_argument(
        "--valid-until", metavar="DATE", type=_day, help="the first day, in UTC, on which the password is refused"
    )
    parser.set_defaults(execute=_add)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a date like 2026-12-31"
        raise ArgumentTypeError(message) from None


def _add(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.login import add

    return add(settings, options.name, options.role, options.valid_until)


def _list(_: Namespace, settings: Settings) -> int:
    from platform_assets.cli.login import show

    return show(settings)


def _remove(options: Namespace, settings: Settings) -> int:
    from platform_assets.cli.login import remove

    return remove(settings, options.name)
