"""What each role may do, as PostgreSQL says it and as it turns out, and what each must not."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date

import psycopg2
import pyarrow as pa
import pytest
from psycopg2 import errors, extensions

from platform_assets.contracts.registry import CONTRACTS
from platform_assets.errors import LoadError, ServiceError
from platform_assets.settings import CHECKOUT
from platform_assets.warehouse.loading.merge import append_rows, merge_rows
from platform_assets.warehouse.loading.slices import replace_slices
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.schema.logins import LOGIN_ROLES, add_login
from platform_assets.warehouse.schema.migrations import migrate
from platform_assets.warehouse.schema.roles import assume_loader
from platform_assets.warehouse.trail.audit import record
from platform_assets_tests.warehouse.conftest import execute_alone
from platform_assets_tests.warehouse.role_rights import (
    FORBIDDEN,
    FUNCTIONS,
    HIDDEN_FROM_AUDITORS,
    RELATIONS,
    VERBS,
    expected,
    kinds,
)
from platform_assets_tests.warehouse.rows import query
from platform_assets_tests.warehouse.test_quarantine_load import line
from platform_assets_tests.warehouse.test_quarantine_load import load as load_quarantine

Connect = Callable[[], extensions.connection]

ROLES = CHECKOUT / "sql" / "roles.sql"
GROUPS = ("retail_loader", "retail_analyst", "retail_auditor")
PERSONS: dict[str, str] = {role: f"the_{role}" for role in LOGIN_ROLES}
"""A login for each role."""


@pytest.fixture(scope="module")
def _persons(server: str) -> Iterator[None]:
    with closing(psycopg2.connect(f"{server} dbname=migrated")) as connection:
        for role in LOGIN_ROLES:
            add_login(connection, PERSONS[role], role, "correct horse battery")
    yield
    for name in PERSONS.values():
        execute_alone(server, f"DROP ROLE {name}")


@pytest.fixture(autouse=True)
def _roles(database: str) -> None:
    """Run the roles once more: what may be done to the database itself is not in its template."""
    query(database, ROLES.read_text(encoding="utf-8"))


@pytest.fixture
def person(database: str, _persons: None) -> Iterator[Callable[[str], extensions.connection]]:
    """Opens a session of the login that has a role."""
    opened: list[extensions.connection] = []

    def log_in(role: str) -> extensions.connection:
        opened.append(psycopg2.connect(database.replace("user=postgres", f"user={PERSONS[role]}")))
        # Whoever logs in may turn this off: rights must not rest on it.
        query(opened[-1], "SET default_transaction_read_only = off")
        return opened[-1]

    yield log_in
    for connection in opened:
        connection.close()


def test_every_relation_is_decided_upon(connection: extensions.connection) -> None:
    found = query(
        connection,
        "SELECT n.nspname || '.' || c.relname, CASE c.relkind WHEN 'v' THEN 'views' ELSE 'tables' END"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition",
        (list(RELATIONS),),
    )

    assert dict(found) == kinds()


@pytest.mark.parametrize("role", GROUPS)
def test_each_role_has_exactly_these_rights_on_every_relation(connection: extensions.connection, role: str) -> None:
    rows = query(
        connection,
        "SELECT relation, verb FROM unnest(%s) AS relation, unnest(%s) AS verb"
        " WHERE has_table_privilege(%s, relation, verb)",
        (list(kinds()), list(VERBS), role),
    )
    held = {relation: frozenset(verb for of, verb in rows if of == relation) for relation in kinds()}

    assert held == {relation: expected(role, relation, kind) for relation, kind in kinds().items()}


def test_an_auditor_sees_where_a_line_stands_and_not_what_it_says(connection: extensions.connection) -> None:
    judged = [relation for relation in kinds() if relation.startswith("quality.")]
    rows = query(
        connection,
        "SELECT attrelid::regclass::text, attname FROM pg_attribute"
        " WHERE attrelid = ANY(%s::regclass[]) AND attnum > 0 AND NOT attisdropped"
        " AND NOT has_column_privilege('retail_auditor', attrelid, attnum, 'SELECT')",
        (judged,),
    )

    hidden = {relation: {column for of, column in rows if of == relation} for relation in judged}
    assert hidden == {relation: HIDDEN_FROM_AUDITORS.get(relation, set()) for relation in judged}


@pytest.mark.parametrize("role", GROUPS)
def test_each_role_enters_its_schemas_and_makes_nothing_in_any(connection: extensions.connection, role: str) -> None:
    usable = {
        "retail_loader": {"warehouse", "analytics", "quality", "ops"},
        "retail_analyst": {"analytics"},
        "retail_auditor": {"quality", "ops"},
    }
    rows = query(
        connection,
        "SELECT nspname, has_schema_privilege(%s, oid, 'USAGE'), has_schema_privilege(%s, oid, 'CREATE')"
        " FROM pg_namespace WHERE nspname = ANY(%s)",
        (role, role, [*RELATIONS, "public"]),
    )

    assert {schema for schema, usage, _ in rows if usage} - {"public"} == usable[role]
    assert not any(create for *_, create in rows)


@pytest.mark.parametrize("role", GROUPS)
def test_each_role_calls_exactly_these_functions_of_ops(connection: extensions.connection, role: str) -> None:
    rows = query(
        connection,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'ops'::regnamespace"
        " AND has_function_privilege(%s, oid, 'EXECUTE')",
        (role,),
    )

    assert {name for (name,) in rows} == FUNCTIONS[role]


def test_functions_with_the_owners_rights_are_pinned_and_of_an_owner_without_privileges(
    connection: extensions.connection,
) -> None:
    rows = query(
        connection,
        "SELECT p.oid::regprocedure::text, p.proowner::regrole::text, p.proconfig,"
        " EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)"
        " FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
        " WHERE p.prosecdef AND n.nspname = ANY(%s)",
        (list(RELATIONS),),
    )

    assert {name.split("(")[0] for name, *_ in rows} >= {"ops.put_aside", "ops.put_back", "ops.audit"}
    for name, *facts in rows:
        assert facts == ["retail_owner", ["search_path=pg_catalog, pg_temp"], False], name
    query(connection, "SELECT 1 / (NOT rolsuper AND NOT rolcanlogin)::int FROM pg_roles WHERE rolname = 'retail_owner'")


def test_nobody_outside_of_the_roles_gets_in(connection: extensions.connection) -> None:
    (name,) = query(connection, "SELECT current_database()")[0]
    open_to_all = query(
        connection,
        "SELECT 'database' FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS acl"
        " WHERE datname = %s AND acl.grantee = 0"
        " UNION ALL SELECT nspname FROM pg_namespace, aclexplode(nspacl) AS acl"
        " WHERE nspname = ANY(%s) AND acl.grantee = 0"
        " UNION ALL SELECT oid::regclass::text FROM pg_class, aclexplode(relacl) AS acl"
        " WHERE relnamespace::regnamespace::text = ANY(%s) AND acl.grantee = 0",
        (name, list(RELATIONS), list(RELATIONS)),
    )

    assert open_to_all == []


def test_all_that_is_the_platforms_has_one_owner(connection: extensions.connection) -> None:
    owners = query(
        connection,
        "SELECT relowner::regrole::text FROM pg_class WHERE relnamespace::regnamespace::text = ANY(%s)"
        " UNION SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = ANY(%s)"
        " UNION SELECT proowner::regrole::text FROM pg_proc WHERE pronamespace::regnamespace::text = ANY(%s)",
        (list(RELATIONS),) * 3,
    )

    assert owners == [("retail_owner",)]


def test_what_contracts_call_personal_is_no_column_an_analyst_sees(connection: extensions.connection) -> None:
    personal = {column.name for contract in CONTRACTS.values() for column in contract.columns if column.personal}
    assert personal >= {"customer_id", "customer_name"}

    columns = query(
        connection,
        "SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'analytics'::regnamespace AND a.attnum > 0",
    )

    assert [(table, column) for table, column in columns if column in personal | {"raw"}] == []


def test_an_analyst_reads_everything_in_analytics(person: Callable[[str], extensions.connection]) -> None:
    analyst = person("analyst")

    for relation in kinds():
        if relation.startswith("analytics."):
            query(analyst, f"SELECT * FROM {relation} LIMIT 1")


def test_an_auditor_reads_where_lines_stand_and_verifies_the_trail(
    person: Callable[[str], extensions.connection],
) -> None:
    auditor = person("auditor")

    query(auditor, "SELECT dataset, source_file, source_row, kind FROM quality.quarantine")
    query(auditor, "SELECT dataset, rule, source_row FROM quality.failing_rows")
    assert query(auditor, "SELECT * FROM ops.audit_verify()") == []


def outcome(session: extensions.connection, statement: str) -> str:
    try:
        with session.cursor() as cursor:
            cursor.execute(statement)
    except psycopg2.Error as error:
        return type(error).__name__
    finally:
        with session.cursor() as cursor:
            cursor.execute("ROLLBACK")
    return "allowed"


@pytest.mark.parametrize("role", list(FORBIDDEN))
def test_each_role_is_refused_everything_it_must_not_do(
    person: Callable[[str], extensions.connection], role: str
) -> None:
    session = person(role)
    session.autocommit = True  # some of them are refused inside of any transaction, whoever asks
    outcomes = {statement: outcome(session, statement) for statement in FORBIDDEN[role]}

    assert {statement: refusal for statement, refusal in outcomes.items() if refusal != "InsufficientPrivilege"} == {}


@pytest.mark.parametrize("role", list(PERSONS))
def test_each_login_may_change_its_own_password_and_nobody_elses(
    person: Callable[[str], extensions.connection], role: str
) -> None:
    session = person(role)
    with session.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER PASSWORD 'another'")
    session.rollback()

    for other in set(PERSONS.values()) - {PERSONS[role]}:
        with pytest.raises(errors.InsufficientPrivilege):
            query(session, f"ALTER ROLE {other} PASSWORD 'mine'")
        with pytest.raises(errors.InsufficientPrivilege):
            query(session, f"ALTER ROLE {other} RENAME TO mine")


@pytest.mark.parametrize("role", list(PERSONS))
def test_what_a_role_grants_to_everybody_nobody_gets(
    connection: extensions.connection, person: Callable[[str], extensions.connection], role: str
) -> None:
    session = person(role)
    for relation in kinds():
        try:
            query(session, f"GRANT ALL ON {relation} TO PUBLIC")
        except errors.InsufficientPrivilege:
            continue

    test_nobody_outside_of_the_roles_gets_in(connection)


def test_a_table_of_a_later_migration_is_the_loaders_at_once_and_nobody_elses(
    connection: extensions.connection, connect: Connect
) -> None:
    query(connection, "CREATE TABLE warehouse.later (x int); CREATE TABLE ops.later (x int)")
    loader = connect()
    assume_loader(loader)

    query(loader, "INSERT INTO warehouse.later VALUES (1)")
    with pytest.raises(errors.InsufficientPrivilege):
        query(loader, "SELECT * FROM ops.later")
    query(connection, "SET ROLE retail_analyst")
    with pytest.raises(errors.InsufficientPrivilege):
        query(connection, "SELECT * FROM warehouse.later")


def test_roles_run_again_undo_what_was_granted_by_hand(connection: extensions.connection) -> None:
    query(connection, "GRANT ALL ON warehouse.dim_customer TO retail_analyst; GRANT SELECT ON ops.runs TO PUBLIC")
    query(connection, "GRANT SELECT (raw) ON quality.quarantine TO retail_auditor")
    query(connection, "GRANT CREATE ON SCHEMA warehouse TO retail_loader")

    query(connection, ROLES.read_text(encoding="utf-8"))

    test_each_role_has_exactly_these_rights_on_every_relation(connection, "retail_analyst")
    test_each_role_enters_its_schemas_and_makes_nothing_in_any(connection, "retail_loader")
    test_an_auditor_sees_where_a_line_stands_and_not_what_it_says(connection)
    test_nobody_outside_of_the_roles_gets_in(connection)


def test_a_second_database_leaves_the_first_as_it_is(connection: extensions.connection, empty_database: str) -> None:
    with closing(psycopg2.connect(empty_database)) as second:
        migrate(second)
        for role in GROUPS:
            test_each_role_has_exactly_these_rights_on_every_relation(second, role)

    for role in GROUPS:
        test_each_role_has_exactly_these_rights_on_every_relation(connection, role)


def test_an_ordinary_owner_of_a_database_migrates_and_loads(server: str, empty_database: str) -> None:
    name = empty_database.rsplit("=", 1)[1]
    execute_alone(server, "CREATE ROLE keeper LOGIN")
    execute_alone(server, "GRANT retail_owner, retail_loader TO keeper")
    execute_alone(server, f"ALTER DATABASE {name} OWNER TO keeper")
    try:
        with closing(psycopg2.connect(empty_database.replace("user=postgres", "user=keeper"))) as connection:
            assert migrate(connection).refusal is None
            test_all_that_is_the_platforms_has_one_owner(connection)
            assume_loader(connection)
            with pytest.raises(errors.InsufficientPrivilege):
                query(connection, "DROP TABLE warehouse.fct_sales")
    finally:
        execute_alone(server, f"ALTER DATABASE {name} OWNER TO postgres")
        with closing(psycopg2.connect(empty_database)) as connection:
            query(connection, "DROP OWNED BY keeper CASCADE")
        execute_alone(server, "DROP ROLE keeper")


def test_a_login_that_is_no_loader_is_told_what_to_do(person: Callable[[str], extensions.connection]) -> None:
    with pytest.raises(ServiceError, match="GRANT retail_loader TO the_analyst"):
        assume_loader(person("analyst"))


def test_a_loader_stays_one_for_the_whole_session(person: Callable[[str], extensions.connection]) -> None:
    loader = person("loader")

    assume_loader(loader)
    with transaction(loader) as cursor:
        record(cursor, "load", "warehouse.nothing")

    assert query(loader, "SELECT current_user, session_user") == [("retail_loader", "the_loader")]


def test_without_the_role_a_session_goes_on_as_it_is(
    connection: extensions.connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_assets.warehouse.schema.roles.LOADER", "retail_nobody")

    assume_loader(connection)

    assert query(connection, "SELECT current_user") == [("postgres",)]


MEASURED = """
    CREATE TABLE warehouse.measured (
        source_system text COLLATE "C" NOT NULL,
        source_file text COLLATE "C" NOT NULL,
        source_row bigint NOT NULL,
        channel_key bigint NOT NULL REFERENCES warehouse.dim_channel (channel_key),
        PRIMARY KEY (source_system, source_file, source_row)
    );
    CREATE INDEX ON warehouse.measured (channel_key);
    ALTER TABLE warehouse.measured OWNER TO retail_owner;
    GRANT SELECT, INSERT, UPDATE, DELETE ON warehouse.measured TO retail_loader
"""
ROWS = pa.schema(
    [
        ("source_system", pa.string()),
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("channel_key", pa.int64()),
    ]
)


def lines(number: int) -> list[pa.RecordBatch]:
    return [pa.record_batch([["s"] * number, ["f"] * number, range(number), [-1] * number], schema=ROWS)]


@pytest.mark.parametrize("number", [3, 20_001], ids=["row by row", "in bulk"])
def test_every_kind_of_load_works_for_a_login_that_is_only_a_loader(
    connection: extensions.connection, person: Callable[[str], extensions.connection], number: int
) -> None:
    query(connection, MEASURED)
    loader, table = person("loader"), "warehouse.measured"
    assume_loader(loader)
    key = ROWS.names[:3]

    assert replace_slices(loader, table, {("s", "f"): "1"}, [], ROWS, lines(number)).inserted == number
    assert merge_rows(loader, table, key, ROWS, lines(number)).unchanged == number
    assert append_rows(loader, table, ROWS, lines(number + 1)) == 1
    assert merge_rows(loader, table, key, ROWS, lines(number)).deleted == 1
    assert replace_slices(loader, table, {}, [("s", "f")], ROWS, []).deleted == number
    assert merge_rows(loader, table, key, ROWS, lines(number)).inserted == number


def test_a_table_of_one_s_own_that_the_loader_has_no_right_to_is_told(
    connection: extensions.connection, person: Callable[[str], extensions.connection]
) -> None:
    query(connection, "CREATE TABLE public.own (source_system text PRIMARY KEY)")
    loader = person("loader")
    assume_loader(loader)

    with pytest.raises(LoadError, match=r"has not the right.*permission denied for table own") as refused:
        append_rows(loader, "public.own", pa.schema([("source_system", pa.string())]), [])
    assert "retail_loader" in str(refused.value.remedy)


def test_the_quarantine_is_loaded_by_a_login_that_is_only_a_loader(
    person: Callable[[str], extensions.connection],
) -> None:
    loader = person("loader")
    assume_loader(loader)

    load_quarantine(loader, "run 1", [line(2), line(3)])
    load_quarantine(loader, "run 2", [line(3)])

    assert query(loader, "SELECT source_row FROM quality.quarantine") == [(3,)]
    assert query(loader, "SELECT count(*) FROM quality.quarantine_history WHERE event = 'quarantined'") == [(2,)]


def test_a_login_that_is_only_a_loader_finds_a_migrated_database_up_to_date(
    person: Callable[[str], extensions.connection],
) -> None:
    assert migrate(person("loader")).applied == ()


def test_a_login_ends_with_its_day(connection: extensions.connection) -> None:
    with transaction(connection) as cursor:
        add_login(connection, "passing_by", "analyst", "correct horse battery", date(2030, 1, 31))
        cursor.execute("SELECT rolvaliduntil::text FROM pg_roles WHERE rolname = 'passing_by'")
        assert cursor.fetchone() == ("2030-01-31 00:00:00+00",)
        cursor.execute("DROP ROLE passing_by")
