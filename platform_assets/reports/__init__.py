"""Pages that people look at: each one file that needs nothing beside it and loads nothing from anywhere.

Belongs here: how a result is worded, drawn and laid out for a browser. Does not belong here: computing it, reading it
from the warehouse, and any import of Dagster.
"""
