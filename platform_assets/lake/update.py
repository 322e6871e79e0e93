"""A version that is computed and not yet visible: what an asset returns and the IO manager publishes."""

from dataclasses import dataclass

from platform_assets.lake.snapshot import Snapshot
from platform_assets.lake.table import CURRENT, Table


@dataclass(frozen=True)
class Update:
    """The next version of a table.

    Attributes:
        snapshot: The version; its segments are written.
        pointers: Which pointers move to it.
        is_news: Whether it differs from the version before; when not, nothing needs publishing.
    """

    snapshot: Snapshot
    pointers: tuple[str, ...] = (CURRENT,)
    is_news: bool = True

    def publish(self, table: Table) -> Snapshot:
        """Make the version visible in its table."""
        if self.is_news:
            return table.publish(self.snapshot, pointers=self.pointers)
        for pointer in self.pointers:
            if table.snapshot(pointer).version != self.snapshot.version:
                table.point(pointer)
        return self.snapshot
