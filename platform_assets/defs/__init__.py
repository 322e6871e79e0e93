"""Everything Dagster loads, and only that: assets, checks, the job, sensors and resources, named and wired.

Does not belong here: computing anything; that is done by packages that know no Dagster.
"""
