"""The Parquet store: tables made of slices, one slice per raw file, published as atomic versions.

Belongs here: where Parquet files lie, which of them are live, how a version becomes visible. Does not belong here:
what the columns mean, and how frames are computed (``engines``).
"""
