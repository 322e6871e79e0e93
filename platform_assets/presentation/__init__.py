"""What assets and runs say about themselves: metadata in the UI, progress in the terminal.

Belongs here: putting results into words, tables and colours for Dagster. Does not belong here: computing them.
"""
