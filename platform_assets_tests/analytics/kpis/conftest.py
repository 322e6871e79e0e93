"""The real PostgreSQL of the tests of the warehouse."""

from platform_assets_tests.warehouse.conftest import connect, connection, database, server

__all__ = ["connect", "connection", "database", "server"]
