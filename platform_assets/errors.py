"""The errors this platform raises on purpose. Each says what is wrong and what to do about it.

Belongs here: the common base and the kinds that several packages raise. Does not belong here: errors of the
programmer (those stay ``TypeError``, ``ValueError`` and so on and end in a traceback, as they should).
"""


class PlatformError(Exception):
    """A fault that a user or an operator can do something about.

    Args:
        problem: What is wrong and where, in one or two sentences.
        remedy: What to do about it, in the imperative.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}".strip())


class SettingsError(PlatformError):
    """A setting, an option or an environment variable has a value that cannot be used."""


class FileRefusedError(PlatformError):
    """A raw file cannot be loaded at all; the other files of its dataset are not affected."""


class ServiceError(PlatformError):
    """A service the platform relies on (PostgreSQL, the web server, the daemon) is not usable."""


class LoadError(PlatformError):
    """A warehouse load did not arrive as it was sent, or another load holds the table."""
