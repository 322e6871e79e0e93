"""From staged rows and a contract to counts, scores, the ledger and the gate.

Belongs here: what is counted and how it is judged. Does not belong here: the rules themselves (``contracts``), how
rows get their flags (``transforms``), how a result is shown (``defs``, ``cli``).
"""
