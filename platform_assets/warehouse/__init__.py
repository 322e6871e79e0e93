"""PostgreSQL: migrations, COPY, merge.

Belongs here: applying ``sql/migrations``, bringing Arrow batches into tables exactly and in one transaction, and the
few reads the pipeline needs for it. Does not belong here: DDL (it is in ``sql/``), what the rows mean (``transforms``,
``analytics``, ``quality``), starting a server (``services``), Dagster (``defs``).

Import the modules directly: ``migrations``, ``transaction``, ``merge``, ``slices``, ``read``.
"""
