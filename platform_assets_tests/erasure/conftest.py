"""The warehouse's PostgreSQL, for looking through its tables."""

from platform_assets_tests.warehouse.conftest import connect, connection, database, server

__all__ = ["connect", "connection", "database", "server"]
