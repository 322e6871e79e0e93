"""Which servers are spoken to: off this machine, and not for development, only those that prove who they are."""

import pytest

from platform_assets.errors import SettingsError
from platform_assets.services.postgres import ensure_postgres, postgres_status
from platform_assets.settings import Settings

REMOTE = "postgresql://somebody:s3cret@db.invalid/retail"


def configured(environment: str, url: str) -> Settings:
    return Settings.from_environment({"PLATFORM_ENVIRONMENT": environment, "PLATFORM_POSTGRES_URL": url})


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize(
    "url",
    [
        REMOTE,
        f"{REMOTE}?sslmode=require",
        f"{REMOTE}?sslmode=verify-ca",
        f"{REMOTE}?sslmode=verify-full&sslmode=disable",
        "postgresql://somebody:s3cret@/retail?host=db.invalid",
        "postgresql://somebody:s3cret@localhost/retail?hostaddr=192.0.2.1",
        "postgresql://somebody:s3cret@localhost/retail?host=/run/postgresql,db.invalid:5432",
        "postgresql://somebody:s3cret@/retail?service=remote",
        "postgresql://somebody:s3cret@localhost.db.invalid/retail",
    ],
)
def test_a_server_that_does_not_prove_who_it_is_is_refused_before_it_hears_the_password(
    environment: str, url: str
) -> None:
    for use in (ensure_postgres, postgres_status):
        with pytest.raises(SettingsError, match=f"{environment} speaks to") as caught:
            use(configured(environment, url))

        assert "sslmode=verify-full" in caught.value.remedy
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "variable", "value"),
    [
        ("postgresql://somebody:s3cret@/retail", "PGHOST", "db.invalid"),
        ("postgresql://somebody:s3cret@/retail", "PGHOSTADDR", "192.0.2.1"),
        ("postgresql://somebody:s3cret@/retail", "PGSERVICE", "remote"),
        ("postgresql://somebody:s3cret@localhost/retail", "PGHOSTADDR", "192.0.2.1"),
        ("postgresql://somebody:s3cret@localhost/retail", "PGSERVICE", "remote"),
        ("postgresql://somebody:s3cret@/retail?host=/run/postgresql", "PGHOSTADDR", "192.0.2.1"),
    ],
)
def test_hosts_that_the_variables_of_libpq_name_count(
    url: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"production speaks to .*{value}"):
        ensure_postgres(configured("production", url))


def test_a_host_of_the_environment_means_nothing_where_the_url_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.invalid")

    assert not postgres_status(configured("production", "postgresql://somebody:s3cret@localhost:1/retail")).running


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ("production", f"{REMOTE}?sslmode=verify-full&connect_timeout=2"),
        ("production", "postgresql://somebody:s3cret@localhost:1/retail"),
        ("production", "postgresql://somebody:s3cret@127.0.0.1:1/retail"),
        ("production", "postgresql://somebody:s3cret@[::1]:1/retail"),
        ("staging", "postgresql://somebody:s3cret@/retail?host=/nowhere"),
        ("staging", "postgresql://somebody:s3cret@/retail?host=/nowhere,localhost:1"),
        ("development", REMOTE),
    ],
)
def test_verified_servers_and_those_of_this_machine_are_spoken_to(environment: str, url: str) -> None:
    status = postgres_status(configured(environment, url))

    assert not status.running
    assert "s3cret" not in status.address
