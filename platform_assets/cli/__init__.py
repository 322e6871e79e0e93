"""The command line: what a person types, and nothing that another program would want to call.

Belongs here: arguments, printing, exit codes. Does not belong here: work; a command calls the package that does it,
and imports it only when it runs, because some of these imports cost seconds.
"""
