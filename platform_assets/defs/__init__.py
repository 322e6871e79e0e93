"""Everything Dagster loads, and only that."""
