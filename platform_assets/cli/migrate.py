"""``migrate``: bring the warehouse's tables, views and roles up to date with the files of ``sql``, or say what that is.

Belongs here: the command. Does not belong here: what a database lacks (``warehouse.schema.migrations``).
"""

from contextlib import closing

import psycopg2

from platform_assets.services.postgres import postgres_session
from platform_assets.settings import Settings
from platform_assets.warehouse.schema.migrations import Migrated, Plan, migrate, plan_migrations
from platform_assets.warehouse.trail.audit import record_login


def migrate_warehouse(settings: Settings, *, plan_only: bool) -> int:
    """Apply what the warehouse lacks and list it; with ``plan_only``, list it and change nothing.

    Raises:
        MigrationError: The files do not go together with each other or with the database, or one failed.
        ServiceError: PostgreSQL cannot be reached.
    """
    with (
        postgres_session(settings) as urls,
        closing(psycopg2.connect(urls.dsn, fallback_application_name="platform migrate")) as connection,
    ):
        if plan_only:
            _print_plan(plan_migrations(connection, again=True))
        else:
            _print_done(migrate(connection, again=True), connection.info.dbname)
            record_login(connection)
    return 0


def _print_plan(plan: Plan) -> None:
    if plan.is_empty:
        print("Nothing to do: the warehouse is up to date with sql/.")
        return
    made_again = set(plan.dropped) - set(plan.gone)
    for name in plan.names:
        print(f"would run   {name}{' (its view is dropped first)' if name in made_again else ''}")
    for name in plan.gone:
        print(f"would drop  {name}, whose file is gone" if name in plan.dropped else f"would forget {name}")
    print("All of it in one transaction. Nothing was changed.")


def _print_done(done: Migrated, database: str) -> None:
    for name in done.applied:
        print(f"ran      {name}")
    for name in done.gone:
        print(f"removed  {name}, whose file is gone")
    if done.refusal is not None:
        print(
            f"NOT RUN  roles.sql: {done.refusal}.\n"
            "The tables are up to date; the roles and their rights are not. Let an administrator of the server run\n"
            f"  psql -d {database} --single-transaction -v ON_ERROR_STOP=1 -f sql/roles.sql\n"
            "and then ./platform migrate again."
        )
    elif not done.applied and not done.gone:
        print("Nothing to do: the warehouse is up to date with sql/.")
