"""What a person sees while a run works: one line when a step ends, and what steps have to say meanwhile."""

import logging
import sys

import dagster as dg


class _Progress(logging.Formatter):
    """Formats the records that tell of progress; the filter below lets no others through."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        event = _event(record)
        if event is None:
            text = getattr(record, "dagster_meta", {}).get("orig_message") or record.getMessage()
            mark = {logging.ERROR: "! ", logging.WARNING: "! "}.get(record.levelno, "  ")
            return f"    {mark}{text}"
        return f"  {str(event.step_key).replace('__', '/')}  ({_seconds(event)})"


class _Filter(logging.Filter):
    """Lets the ends of steps and the steps' own messages through."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record tells of progress."""
        event = _event(record)
        if event is None:
            return record.levelno >= logging.INFO and getattr(record, "dagster_meta", {}).get("step_key") is not None
        return event.event_type_value == "STEP_SUCCESS"


@dg.logger({}, description="One line per finished step, and what the steps have to say.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """The logger of the platform's runs."""
    logger = logging.getLogger("platform_assets.progress")
    logger.handlers.clear()
    logger.propagate = False
    logger.setLevel(logging.DEBUG)  # Dagster's events, the ends of steps among them, are of that level
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Progress())
    handler.addFilter(_Filter())
    logger.addHandler(handler)
    return logger


def _event(record: logging.LogRecord) -> dg.DagsterEvent | None:
    event = getattr(record, "dagster_meta", {}).get("dagster_event")
    return event if isinstance(event, dg.DagsterEvent) else None


def _seconds(event: dg.DagsterEvent) -> str:
    milliseconds = getattr(event.event_specific_data, "duration_ms", 0.0)
    return f"{milliseconds / 1000:,.1f} s"
