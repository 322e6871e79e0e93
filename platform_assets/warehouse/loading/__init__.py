"""How rows get into tables: transactions, COPY, staging, merging, and replacing them file by file.

Belongs here: what is true for any table. Does not belong here: which tables there are (``star``, ``quality``).
"""
