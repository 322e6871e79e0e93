"""Realistic sample data with known truth.

Belongs here: a small world of customers, products and dated events, the four datasets it leaves behind as files, the
defects put into them on purpose, and the record of all of that. Does not belong here: reading files back, judging
rows (``quality``), or anything that the platform needs when it runs on files of its user.
"""
