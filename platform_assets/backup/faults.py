"""What goes wrong with backups."""

from platform_assets.errors import PlatformError


class BackupError(PlatformError):
    """A backup cannot be made, read or restored."""


class DamagedBackupError(BackupError):
    """A backup is not what it was when it was made."""


class MovedError(BackupError):
    """The lake or the warehouse changed while a backup looked at it; looking again helps."""
