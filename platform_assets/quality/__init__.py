"""Counts, scores, the gate and the ledger, from contracts and staged rows."""
