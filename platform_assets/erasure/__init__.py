"""Forgetting people: who was forgotten, and taking them out of everything that is kept.

Belongs here: the register of forgotten people, erasing them from files, lake and databases, and the proof that nothing
is left. Does not belong here: what people type and see (``cli.forget``), and Dagster: the job that computes anew what
followed from the rows is run by the command.

Nothing here keeps an id or a name: the register has keyed hashes, and compares what it reads with those.
"""
