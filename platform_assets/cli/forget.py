"""``forget-customer``: take a person out of everything the platform keeps, and show that nothing is left.

Belongs here: the order of the steps, what is printed and asked. Does not belong here: any of the steps (``erasure``).

Every step can be done again: a command that was killed is given again and completes the work.
"""

import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import connection as Connection  # noqa: N812 - a type, named as one
from rich.console import Console

from platform_assets.backup.dumps import DAGSTER, WAREHOUSE
from platform_assets.backup.dumps import databases as own_databases
from platform_assets.cli.forget_tables import found_table, print_backups, print_found, print_replaced, print_standings
from platform_assets.cli.output import console_of_output
from platform_assets.cli.run import execute
from platform_assets.cli.warehouse import warehouse
from platform_assets.config import Config, load_config
from platform_assets.contracts.deployed import deployed_contracts
from platform_assets.erasure import databases, files, lake, landing
from platform_assets.erasure.journal import Journal
from platform_assets.erasure.people import People, conformed_id
from platform_assets.erasure.proof import REPLACED, Found, Person, names_in_lake, scan_home
from platform_assets.erasure.register import people_of, remember, with_key
from platform_assets.errors import LoadError, PlatformError
from platform_assets.services.locks import exclusive_lock, is_unused
from platform_assets.services.postgres import PostgresUrls
from platform_assets.services.up_state import up_lock
from platform_assets.settings import Settings
from platform_assets.transforms.forgotten import FORGOTTEN
from platform_assets.warehouse.loading.transaction import transaction
from platform_assets.warehouse.star.pseudonyms import Pseudonyms
from platform_assets.warehouse.trail import audit

if TYPE_CHECKING:
    from platform_assets.cli.outcome import Outcome

_DAGSTER = "dagster: "
_KEPT_ELSEWHERE = """\
Not looked through: PostgreSQL's write-ahead log, which is overwritten as it is reused; its server log; files that
./platform quarantine export has written; copies that people made; schemas of the database that are not the platform's;
what a restore has moved aside."""


@dataclass(frozen=True)
class Choice:
    """What a person asked for.

    Attributes:
        identifier: The customer.
        names: Further names to look for.
        landing: Whether the retailer's own files are rewritten.
        plan: Whether nothing is to be done.
        yes: Whether no question is asked.
    """

    identifier: str
    names: tuple[str, ...] = ()
    landing: bool = False
    plan: bool = False
    yes: bool = False


@dataclass(frozen=True)
class _Place:
    """Where everything is while the command runs."""

    settings: Settings
    config: Config
    sources: tuple[databases.Source, ...]

    @property
    def connection(self) -> Connection:
        """That to the warehouse."""
        return self.sources[0].connection

    def scan(self, person: Person) -> list[Found]:
        """Look through everything."""
        found = scan_home(self.settings.home, self.settings.backups, person)
        return found + [one for source in self.sources for one in databases.scan_database(source, person)]

    def replaced(self) -> tuple[list[Path], list[str]]:
        """Folders and schemas that a restore has moved aside."""
        folder = self.settings.home / REPLACED
        schemas = [name for source in self.sources for name in databases.replaced_schemas(source)]
        return sorted(folder.iterdir()) if folder.is_dir() else [], schemas

    def standings(self, people: People) -> list[landing.Standing]:
        """Where people stand in the landing zone."""
        contracts = deployed_contracts(self.config)
        return [
            found
            for name, contract in contracts.items()
            for found in landing.standings(contract, self.settings.raw / name, self.config.dataset(name), people)
        ]


def forget(settings: Settings, choice: Choice) -> int:
    """Forget a person.

    Args:
        settings: Where everything is.
        choice: Whom, and how.

    Returns:
        0 when nothing is left (or nothing was to be done), 1 when something is, or when nobody knows the person.

    Raises:
        PlatformError: The platform is at work, nobody confirmed, or the login is not the owner's.
    """
    identifier = _identifier(choice.identifier)
    if not choice.plan and not is_unused(up_lock(settings)):
        problem = "The platform is up, so that runs may begin at any time."
        raise PlatformError(problem, "Stop it with ./platform down, then try again.")
    settings.home.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(settings.home / "run" / "refresh.lock"), _place(settings) as place:
        try:
            return _forget(place, identifier, choice)
        except (LoadError, InsufficientPrivilege) as error:
            cause = error.__cause__ if isinstance(error, LoadError) else error
            if not isinstance(cause, InsufficientPrivilege):
                raise
            problem = f"The login may not do that: {cause.diag.message_primary}."
            raise PlatformError(problem, "Set PLATFORM_POSTGRES_URL to the owner of the platform's schemas.") from error


def _forget(place: _Place, identifier: str, choice: Choice) -> int:
    console = console_of_output()
    journal = Journal(place.settings.home / "run" / "forgetting.json", identifier)
    own, shared = _names(place, identifier, {*choice.names, *journal.names})
    names = tuple(sorted(own - shared))
    person = Person(identifier, names, with_key(place.settings).pseudonym_of(identifier))
    alone = People(Pseudonyms(secrets.token_bytes(32))).with_person(identifier, list(names))
    before, standings = place.scan(person), place.standings(alone)
    stands = [one for one in standings if one.lines]
    is_known = people_of(place.settings).pseudonym(identifier) is not None
    if not is_known and not stands and not any(found.is_person for found in before):
        console.print("Nobody by that id is in the platform or its landing zone; nothing was changed.")
        return 1
    print_found(console, before, is_shared=bool(shared))
    print_standings(console, standings)
    print_backups(console, place.settings.backups)
    print_replaced(console, *place.replaced())
    if choice.plan:
        return 0
    _confirm(choice)
    journal.add_names(own)
    journal.add_tables({one.place for one in before if one.is_person and "/" not in one.place})
    people = remember(place.settings, identifier, list(person.names), by=audit.user(), now=datetime.now(UTC))
    obstacles = _rewrite_landing(place, stands, people, journal) if choice.landing else []
    outcome = _erase(place, people, person, journal)
    after = place.scan(person)
    _record(place, people, identifier, before, after)
    return _conclude(console, journal, outcome, after, obstacles)


def _erase(place: _Place, people: People, person: Person, journal: Journal) -> "Outcome":
    """Take the person out of what is kept, compute what follows, and leave no past version and no dead row."""
    _say("taking the person out of the lake")
    lake.erase_lake(place.settings.lake, people)
    for dataset, file, old, new in journal.rewritten:
        lake.rebind(place.settings.lake, dataset, old, new)
        with transaction(place.connection) as cursor:
            databases.rebind(cursor, dataset, file, old, new)
    _say("taking the person out of kept lines and messages")
    for source in place.sources:
        databases.scrub_database(source, people, person, journal.add_tables)
    files.scrub_logs(place.settings.dagster_home, people, person)
    # Whatever runs leave out otherwise: no result may keep the person.
    outcome = execute(replace(place.settings, select=None))
    lake.forget_past(place.settings.lake)
    _say("writing the tables anew")
    for source in place.sources:
        for problem in databases.vacuum(source, sorted(journal.tables)):
            _say(problem)
    return outcome


def _rewrite_landing(
    place: _Place, standings: Sequence[landing.Standing], people: People, journal: Journal
) -> list[str]:
    """Take everybody who was forgotten out of the files that name the person; tells what could not be done."""
    named = {(one.dataset, one.file.name) for one in standings}
    obstacles = []
    for one in place.standings(people):
        if (one.dataset, one.file.name) in named:
            try:
                _rewrite_file(place, one, people, journal)
            except PlatformError as error:
                obstacles.append(str(error))
    return obstacles


def _rewrite_file(place: _Place, one: landing.Standing, people: People, journal: Journal) -> None:
    def note(before: str, after: str) -> None:
        journal.add_rewritten(one.dataset, one.file.name, before, after)

    if one.obstacle:
        raise PlatformError(f"{one.file.path} names the person and cannot be rewritten: {one.obstacle}.")
    _say(f"rewriting {one.file.path}")
    contract = deployed_contracts(place.config)[one.dataset]
    landing.rewrite(one, contract, place.config.dataset(one.dataset), people, note)


def _record(place: _Place, people: People, identifier: str, before: Sequence[Found], after: Sequence[Found]) -> None:
    """Leave proof: the pseudonym, and what was found where; never the id."""
    person = people.pseudonym(identifier)
    details = {"person": person, "found_before": _counts(before), "found_after": _counts(after), "user": audit.user()}
    with transaction(place.connection) as cursor:
        audit.record(cursor, "erasure", f"customer {person}", details)


def _counts(found: Sequence[Found]) -> dict[str, int]:
    """Cells by table and column; of other files only the folder, for a name may say who somebody is."""
    counts: Counter[str] = Counter()
    for one in found:
        if one.is_person:
            is_file = "/" in one.place and not one.place.startswith("lake/")
            counts[f"{one.place.split('/')[0] if is_file else one.place} {one.column}"] += one.cells
    return dict(counts)


def _conclude(
    console: Console, journal: Journal, outcome: "Outcome", after: Sequence[Found], obstacles: Sequence[str]
) -> int:
    left = [one for one in after if one.is_person]
    console.print(found_table("Found after", after) if after else "Found after: nothing.")
    for problem in [*(f"{step}: {text}" for step, text in outcome.failures.items()), *obstacles]:
        console.print(problem, markup=False, style="red")
    shut = [one.dataset for one in outcome.assessments if not one.gate_is_open]
    if shut:
        console.print(f"The gate of {', '.join(shut)} is shut, as it is for anybody's rows.", markup=False)
    console.print(_KEPT_ELSEWHERE, markup=False, highlight=False)
    if left or outcome.failures:
        problem = "The person is still found, see above." if left else "A step failed; the person is not found."
        console.print(f"{problem} Run the command again once the cause is removed.", style="red")
        return 1
    journal.remove()
    console.print("The person is forgotten. The audit trail has the proof (./platform history).")
    return 1 if obstacles else 0


def _confirm(choice: Choice) -> None:
    if choice.yes:
        return
    if not sys.stdin.isatty():
        raise PlatformError("This cannot be undone, and nobody is there to confirm it.", "Give --yes, or --plan first.")
    if input("This cannot be undone. Type the id again to go on: ").strip() != choice.identifier.strip():
        raise PlatformError("That is not the id; nothing was changed.")


def _identifier(text: str) -> str:
    found = conformed_id(text)
    if found is None or found.startswith(FORGOTTEN):
        raise PlatformError(f"{text!r} is no id of a customer.", "Give it as it stands in the files.")
    return found


def _names(place: _Place, identifier: str, further: set[str]) -> tuple[set[str], set[str]]:
    own, shared = names_in_lake(place.settings.lake, identifier)
    return own | further | databases.names_in_warehouse(place.connection, identifier), shared


@contextmanager
def _place(settings: Settings) -> Iterator[_Place]:
    with warehouse(settings) as (connection, urls), _sources(settings, urls, connection) as sources:
        yield _Place(settings, load_config(settings.config_file), sources)


@contextmanager
def _sources(settings: Settings, urls: PostgresUrls, connection: Connection) -> Iterator[tuple[databases.Source, ...]]:
    """What is the platform's: Dagster's tables are a database of their own, or a schema on a configured server."""
    is_embedded = settings.postgres_url is None
    parts = {one.name: one for one in own_databases(urls, is_embedded=is_embedded)}
    own, dagster = parts[WAREHOUSE], parts[DAGSTER]
    if not is_embedded:
        yield (databases.Source(connection, (*own.schemas, *dagster.schemas)),)
        return
    with closing(psycopg2.connect(dagster.dsn)) as other:
        yield databases.Source(connection, own.schemas), databases.Source(other, dagster.schemas, _DAGSTER)


def _say(text: str) -> None:
    print(f"• {text}", file=sys.stderr, flush=True)
