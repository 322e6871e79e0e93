"""The role that loads work as.

Belongs here: taking it on. Does not belong here: what the roles may do (``sql/roles.sql``), and the logins of people
and programs (``logins``).
"""

from psycopg2 import errors, extensions

from platform_assets.errors import ServiceError
from platform_assets.warehouse.loading.transaction import transaction

LOADER = "retail_loader"


def assume_loader(connection: extensions.connection) -> None:
    """Go on as the role of the loads, which can neither create, drop nor alter tables, nor change the audit log.

    The session stays the loader's until it ends. Where the role does not exist, nothing changes.

    Args:
        connection: An idle connection to the warehouse.

    Raises:
        ServiceError: The login is not a member of the role.
    """
    with transaction(connection) as cursor:
        cursor.execute("SELECT to_regrole(%s) IS NOT NULL, session_user", (LOADER,))
        exists, login = cursor.fetchone() or (False, "")
        if not exists:
            return
        try:
            cursor.execute(f"SET ROLE {LOADER}")
        except errors.InsufficientPrivilege as error:
            problem = f"The login {login} of PLATFORM_POSTGRES_URL may not load: it is no member of {LOADER}."
            remedy = f"Let an administrator of the server run: GRANT {LOADER} TO {login};"
            raise ServiceError(problem, remedy) from error
