"""From the landing zone to text frames: discovery, encoding, dialect, header matching, rejects.

Belongs here: everything between a delivered file and columns of text with lineage, and what is decided from a whole
file (how its dates and numbers are to be read). Does not belong here: turning text into values (``transforms``).
"""
