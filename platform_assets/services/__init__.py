"""The processes this platform starts and stops: embedded PostgreSQL and Spark, web server, daemon.

Belongs here: starting, finding and ending processes, and the locks that keep two commands from doing it at once. Does
not belong here: what is asked of them (``warehouse``, ``defs``), and any import of Dagster, which is started here as
a program.
"""
