"""``up``, ``status`` and ``down``: the services, as a person sees them."""

from datetime import UTC, datetime

from platform_assets.services.postgres import PostgresStatus, postgres_status, stop_postgres_if_unused
from platform_assets.services.reports_server import SCORECARD
from platform_assets.services.spark import SparkStatus, spark_status, stop_spark_if_unused
from platform_assets.services.supervisor import serve, serving, stop_serving
from platform_assets.settings import Settings


def up(settings: Settings, port: int) -> int:
    """Serve the UI until Ctrl-C, SIGTERM or ``down``.

    Raises:
        ServiceError: It cannot be served, or something that belongs to it ended by itself.
    """
    serve(settings, port, lambda sentence: print(sentence, flush=True))
    return 0


def status(settings: Settings) -> int:
    """Print what runs on this home."""
    state = serving(settings)
    if state is None:
        print("UI          not running; start it with ./platform up")
    elif state.left_over():
        print("UI          its supervisor was killed; ./platform down ends what is left")
    else:
        print(f"UI          {state.url}   pid {state.supervisor.pid}   {_since(state.since)}")
        print(f"reports     {settings.reports_url or state.reports_url}/{SCORECARD}")
    for process in state.processes if state else ():
        what = f"pid {process.identity.pid}" if process.identity.is_running() else "ended"
        print(f"  {process.name:<12} {what}   log {process.log}")
    print(_postgres_line(postgres_status(settings)))
    print(_spark_line(spark_status(settings)))
    print(f"home        {settings.home}")
    return 0


def down(settings: Settings) -> int:
    """Stop what ``up`` started, and the servers of PostgreSQL and Spark unless a command uses them.

    Raises:
        ServiceError: It does not stop.
    """
    stopped = [stop_serving(settings), stop_spark_if_unused(settings), stop_postgres_if_unused(settings)]
    print("Stopped." if any(stopped) else "Nothing was running.")
    for name, found in (("PostgreSQL", postgres_status(settings)), ("Spark", spark_status(settings))):
        if found.embedded and found.running:
            print(f"{name} still runs, because another command uses it.")
    return 0


def _postgres_line(found: PostgresStatus) -> str:
    kind = "embedded" if found.embedded else "configured by PLATFORM_POSTGRES_URL"
    if not found.running:
        return f"PostgreSQL  {kind}, {'not running; commands start it' if found.embedded else 'does not answer'}"
    details = f"   pid {found.pid}   {_since(found.since)}" if found.pid and found.since else ""
    return f"PostgreSQL  {kind}, {found.address}{details}"


def _spark_line(found: SparkStatus) -> str:
    kind = "embedded" if found.embedded else f"configured by SPARK_REMOTE, {found.address}"
    if not found.installed and not found.running:
        return f"Spark       {kind}, not installed; ./platform run --engine spark installs it"
    if not found.running:
        return f"Spark       {kind}, {'not running; --engine spark starts it' if found.embedded else 'does not answer'}"
    if found.pid is None or found.since is None:
        return f"Spark       {kind}"
    return f"Spark       {kind}, {found.address}   pid {found.pid}   {_since(found.since)}"


def _since(moment: datetime) -> str:
    seconds = int((datetime.now(tz=UTC) - moment).total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    return f"since {moment.astimezone():%Y-%m-%d %H:%M} ({hours} h {minutes:02} min)"
