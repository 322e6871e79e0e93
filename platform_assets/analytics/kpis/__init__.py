"""Key figures: each defined once, and everything else made from the definition.

Belongs here: the registry, the SQL, the documentation and the checks that follow from it; retention cohorts and the
time to the second order. Does not belong here: what a figure should be (``forecast``), why it moved (``insights``).
"""
