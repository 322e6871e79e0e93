"""PostgreSQL: the star, and how rows come to it exactly, in one transaction, or not at all.

Belongs here: applying ``sql``, bringing Arrow batches into tables, the dimensions and facts, the audit trail, and the
few reads the pipeline needs for it. Does not belong here: DDL (it is in ``sql/``), what the rows mean (``transforms``,
``analytics``, ``quality``), starting a server (``services``), Dagster (``defs``).

Assets hand over ``loads``, which ``audited`` applies. Below them: ``star`` (what there is), ``loading`` (how rows get
there), ``quality`` (records of judgement and quarantine), ``trail`` (who did what), ``schema`` (tables, views, roles).
"""
