"""Products: what each brings in, what is bought together, where categories go, what takes over from what disappears.

Belongs here: figures on products and categories up to a day. Does not belong here: what will be sold (``forecast``),
and single odd days (``anomalies``).
"""
