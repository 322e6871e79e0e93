"""One page per topic of the analytics.

Belongs here: what each page says of its tables. Does not belong here: how parts of pages are written and drawn
(``reports``), and what the tables are computed from (``analytics``).
"""
