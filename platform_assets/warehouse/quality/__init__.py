"""Records of judgement in PostgreSQL: checks, ledger, gates, profiles and quarantine, written and read.

Belongs here: rows and queries of the schema ``quality``. Does not belong here: their meaning (the package ``quality``).
"""
