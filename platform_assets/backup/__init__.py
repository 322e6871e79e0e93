"""Backups: the warehouse, Dagster's history and the lake as they were at one moment, and the proof that they restore.

Belongs here: finding a moment at which all three belong together (``cut``), what a backup is on disk (``store``,
``manifest``, ``sealing``), making, verifying and restoring one, and which ones stay (``retention``). Does not belong
here: how a server is started (``services``), what the tables mean (``warehouse``), schedules (``defs``), Dagster.
"""
