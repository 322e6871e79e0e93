"""What assets are given: engine, lake, PostgreSQL, landing zone."""
