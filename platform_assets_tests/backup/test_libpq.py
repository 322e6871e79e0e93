"""Addresses as the variables of libpq: names as PostgreSQL's documentation lists them."""

import pytest

from platform_assets.backup.libpq import libpq_environment
from platform_assets.errors import SettingsError

ADDRESS = "postgresql://ann:s3cret@db.invalid:6543/retail"


@pytest.mark.parametrize(
    ("keyword", "value", "variable"),
    [
        ("channel_binding", "require", "PGCHANNELBINDING"),
        ("target_session_attrs", "primary", "PGTARGETSESSIONATTRS"),
        ("ssl_min_protocol_version", "TLSv1.3", "PGSSLMINPROTOCOLVERSION"),
        ("ssl_max_protocol_version", "TLSv1.3", "PGSSLMAXPROTOCOLVERSION"),
        ("load_balance_hosts", "random", "PGLOADBALANCEHOSTS"),
        ("require_auth", "scram-sha-256", "PGREQUIREAUTH"),
        ("application_name", "backup", "PGAPPNAME"),
        ("client_encoding", "utf8", "PGCLIENTENCODING"),
        ("connect_timeout", "5", "PGCONNECT_TIMEOUT"),
        ("sslrootcert", "system", "PGSSLROOTCERT"),
        ("options", "-e", "PGOPTIONS"),
    ],
)
def test_what_an_address_says_reaches_the_programs(keyword: str, value: str, variable: str) -> None:
    assert libpq_environment(f"{ADDRESS}?{keyword}={value}", {"PATH": "/bin"}) == {
        "PATH": "/bin",
        "PGHOST": "db.invalid",
        "PGPORT": "6543",
        "PGUSER": "ann",
        "PGPASSWORD": "s3cret",
        "PGDATABASE": "retail",
        variable: value,
    }


def test_what_has_no_variable_is_refused_if_it_matters() -> None:
    assert libpq_environment(f"{ADDRESS}?keepalives_idle=5", {}) == libpq_environment(ADDRESS, {})
    with pytest.raises(SettingsError, match="sets sslpassword, which cannot be passed on") as caught:
        libpq_environment(f"{ADDRESS}?sslpassword=hidden", {})
    assert "hidden" not in str(caught.value)


def test_a_service_of_the_environment_does_not_lead_programs_to_another_server() -> None:
    assert "PGSERVICE" not in libpq_environment(ADDRESS, {"PGSERVICE": "elsewhere"})
    assert libpq_environment("dbname=retail", {"PGSERVICE": "there"})["PGSERVICE"] == "there"
    assert libpq_environment("postgresql:///retail?service=there", {})["PGSERVICE"] == "there"
