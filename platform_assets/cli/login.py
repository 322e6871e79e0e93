"""``login``: logins of people and programs on a PostgreSQL that others can reach.

Belongs here: where the password comes from, and what is printed. Does not belong here: what the server is told
(``warehouse.schema.logins``).
"""

import secrets
import sys
from datetime import date

from rich.table import Table

from platform_assets.cli.output import console_of_output
from platform_assets.cli.warehouse import warehouse
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.logins import Login, LoginRole, add_login, logins, remove_login

_EMBEDDED = """\
note: the server of this platform is the embedded one. Only this machine and this user reach it (a socket in a folder
that nobody else may enter), and it asks for no password: logins are of use on a server of your own, see
PLATFORM_POSTGRES_URL. To see what a role sees: ./platform psql -c "set role retail_analyst" -c "select ..."
"""


def add(settings: Settings, name: str, role: LoginRole, valid_until: date | None) -> int:
    """Make a login; its password is PLATFORM_LOGIN_PASSWORD, or a generated one that is printed this once.

    Raises:
        LoginError: The name cannot be used or is in use, or this login may not make others.
    """
    password = settings.login_password or secrets.token_urlsafe(24)
    with warehouse(settings) as (connection, _):
        add_login(connection, name, role, password, valid_until)
    _note(f"The login {name} has the role retail_{role}.")
    if settings.login_password is None:
        _note("Its password, which is shown this once:")
        print(password)
    if settings.postgres_url is None:
        _note(_EMBEDDED)
    return 0


def show(settings: Settings) -> int:
    """Print the logins that have a role of the platform."""
    with warehouse(settings) as (connection, _):
        found = logins(connection)
    if found:
        console_of_output().print(_table(found))
    else:
        print("No login has a role of the platform. Make one: ./platform login add NAME --role analyst")
    if settings.postgres_url is None:
        _note(_EMBEDDED)
    return 0


def remove(settings: Settings, name: str) -> int:
    """Remove a login that the platform made.

    Raises:
        LoginError: There is none, or it was made by somebody else.
    """
    with warehouse(settings) as (connection, _):
        ended = remove_login(connection, name)
    print(f"The login {name} is gone." + (f" {ended} sessions were ended." if ended else ""))
    return 0


def _table(found: list[Login]) -> Table:
    table = Table("login", "role", "password valid until", "made by")
    for login in found:
        until = f"{login.valid_until:%Y-%m-%d %H:%M %Z}" if login.valid_until else "for ever"
        table.add_row(login.name, login.role, until, "./platform login" if login.is_ours else "somebody else")
    return table


def _note(text: str) -> None:
    """Say something that is not the result: the password alone goes to standard output, for a file or a pipe."""
    print(text.rstrip(), file=sys.stderr)
