"""The star schema: its dimensions, facts and calendar, and the rows that are made for them.

Belongs here: versions, surrogate keys, pseudonyms, days. Does not belong here: how any row is loaded (``loading``).
"""
