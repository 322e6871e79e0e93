"""How assets are kept: Parquet in the lake, tables in PostgreSQL. Storage only, no business rule."""
