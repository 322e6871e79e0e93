"""Who did what: the audit trail, the runs, and reading both for people."""
