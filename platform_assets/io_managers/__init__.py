"""How assets are kept: Parquet and PostgreSQL."""
