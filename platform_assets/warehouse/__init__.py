"""PostgreSQL: migrations, COPY, merge."""
