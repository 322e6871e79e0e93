"""What assets are given: the settings, the lake, the engine, PostgreSQL.

Belongs here: thin Dagster resources over the domain packages. Does not belong here: business rules.
"""
