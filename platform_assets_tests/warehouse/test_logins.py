"""Logins: what the server learns when one is made, whether it works, and whose are removed."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import extensions

from platform_assets.warehouse.schema.logins import Login, LoginError, add_login, logins, remove_login
from platform_assets_tests.warehouse.conftest import execute_alone
from platform_assets_tests.warehouse.rows import query

PHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _no_roles_left(server: str) -> Iterator[None]:
    """Roles are the server's: take those of a test away after it."""
    yield
    with closing(psycopg2.connect(f"{server} dbname=postgres")) as connection:
        for (name,) in query(connection, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'somebody%'"):
            query(connection, f"DROP ROLE {name}")


def stored(connection: extensions.connection, name: str) -> str:
    (verifier,) = query(connection, "SELECT rolpassword FROM pg_authid WHERE rolname = %s", (name,))[0]
    return str(verifier)


def test_the_server_keeps_a_scram_verifier_of_the_password(connection: extensions.connection) -> None:
    add_login(connection, "somebody", "analyst", PHRASE)

    kind, rounds_and_salt, keys = stored(connection, "somebody").split("$")
    rounds, salt = rounds_and_salt.split(":")
    stored_key, server_key = keys.split(":")
    # RFC 5802, section 3.
    salted = hashlib.pbkdf2_hmac("sha256", PHRASE.encode(), base64.b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert kind == "SCRAM-SHA-256"
    assert base64.b64decode(stored_key) == hashlib.sha256(client_key).digest()
    assert base64.b64decode(server_key) == hmac.digest(salted, b"Server Key", "sha256")


def test_neither_statements_nor_the_servers_log_have_the_password(connection: extensions.connection) -> None:
    log = Path(query(connection, "SHOW data_directory")[0][0]).parent / "server.log"
    query(connection, "SET log_statement = 'all'")

    add_login(connection, "somebody", "analyst", PHRASE)
    made = log.stat().st_size
    with pytest.raises(LoginError):
        add_login(connection, "somebody", "analyst", PHRASE)

    text = log.read_bytes()
    assert b'CREATE ROLE "somebody"' in text
    assert PHRASE.encode() not in text
    assert b"already exists" in text[made:]
    assert b"SCRAM-SHA-256$" not in text[made:], "a name in use is refused before the verifier is sent"


def test_a_login_gets_in_with_its_password_and_with_no_other(connection: extensions.connection, database: str) -> None:
    hba = Path(query(connection, "SHOW hba_file")[0][0])
    before = hba.read_text(encoding="utf-8")
    hba.write_text("local all somebody scram-sha-256\n" + before, encoding="utf-8")
    query(connection, "SELECT pg_reload_conf()")
    try:
        add_login(connection, "somebody", "analyst", PHRASE)
        address = database.replace("user=postgres", "user=somebody")
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(address, password="wrong horse")  # noqa: S106
        with closing(psycopg2.connect(address, password=PHRASE)) as session:
            assert query(session, "SHOW default_transaction_read_only") == [("on",)]
            assert query(session, "SHOW statement_timeout") == [("10min",)]
            assert query(session, "SELECT current_schema()") == [("analytics",)]
            assert query(session, "SELECT count(*) FROM rfm_scores") == [(0,)]
    finally:
        hba.write_text(before, encoding="utf-8")
        query(connection, "SELECT pg_reload_conf()")


def test_logins_are_listed_with_their_roles(connection: extensions.connection, server: str) -> None:
    add_login(connection, "somebody", "auditor", PHRASE, date(2030, 1, 31))
    add_login(connection, "somebody_else", "loader", PHRASE)
    execute_alone(server, "CREATE ROLE somebody_new LOGIN IN ROLE retail_analyst")

    found = [login for login in logins(connection) if login.name.startswith("somebody")]

    assert found == [
        Login("somebody", "auditor", datetime(2030, 1, 31, tzinfo=UTC), is_ours=True),
        Login("somebody_else", "loader", None, is_ours=True),
        Login("somebody_new", "analyst", None, is_ours=False),
    ]


def test_a_login_is_removed_with_its_sessions(connection: extensions.connection, database: str) -> None:
    add_login(connection, "somebody", "analyst", PHRASE)
    with closing(psycopg2.connect(database.replace("user=postgres", "user=somebody"))) as session:
        assert remove_login(connection, "somebody") == 1
        with pytest.raises((psycopg2.OperationalError, psycopg2.InterfaceError)):
            query(session, "SELECT 1")

    assert query(connection, "SELECT count(*) FROM pg_roles WHERE rolname = 'somebody'") == [(0,)]


def test_what_others_made_is_not_removed(connection: extensions.connection, server: str) -> None:
    execute_alone(server, "CREATE ROLE somebody LOGIN IN ROLE retail_analyst")

    with pytest.raises(LoginError, match="was not made by"):
        remove_login(connection, "somebody")
    for name in ("postgres", "nobody", "retail_analyst"):
        with pytest.raises(LoginError, match="no login"):
            remove_login(connection, name)

    assert query(connection, "SELECT count(*) FROM pg_roles WHERE rolname = 'somebody'") == [(1,)]


@pytest.mark.parametrize("name", ["", "Somebody", "some body", 'some"body', "pg_somebody", "retail_x", "1a", "x" * 64])
def test_a_name_that_would_have_to_be_quoted_is_refused(connection: extensions.connection, name: str) -> None:
    with pytest.raises(LoginError, match="cannot be the name"):
        add_login(connection, name, "analyst", PHRASE)


def test_a_login_that_may_not_make_others_is_told(connection: extensions.connection, database: str) -> None:
    add_login(connection, "somebody", "loader", PHRASE)
    with (
        closing(psycopg2.connect(database.replace("user=postgres", "user=somebody"))) as session,
        pytest.raises(LoginError, match="may not do that"),
    ):
        add_login(session, "somebody_new", "analyst", PHRASE)


def test_every_login_made_and_removed_is_in_the_audit_trail(connection: extensions.connection) -> None:
    add_login(connection, "somebody", "analyst", PHRASE)
    remove_login(connection, "somebody")

    entries = query(
        connection,
        "SELECT kind, object, details ->> 'role', details -> 'removed' FROM ops.audit_log"
        " WHERE object = 'somebody' ORDER BY entry_id",
    )
    assert entries == [("grant", "somebody", "retail_analyst", None), ("grant", "somebody", None, True)]
    assert PHRASE not in str(query(connection, "SELECT * FROM ops.audit_log"))
