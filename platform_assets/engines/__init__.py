"""What a dataframe engine is, and the engines: how frames are read from, computed over and written to Parquet.

Belongs here: anything that differs between engines. Does not belong here: transformations; those are Narwhals
expressions that run on every engine.
"""
