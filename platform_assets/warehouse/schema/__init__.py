"""Tables, views and roles: the files of ``sql``, applied.

Belongs here: migrations, repeatable files, roles and logins. Does not belong here: DDL itself (``sql/``).
"""
