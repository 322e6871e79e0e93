"""Names of the checks that are made for every dataset and follow from no rule: what settings may speak of.

Belongs here: names, and nothing that would have to be imported for them.
"""

VOLUME = "volume_as_usual"
NULLS = "nulls_as_usual"
DISTRIBUTION = "distribution_as_usual"
CATEGORIES = "categories_as_usual"
DISTINCT = "distinct_as_usual"
SCHEMA = "schema_known"

WITH_THRESHOLDS = (VOLUME, NULLS, DISTRIBUTION, CATEGORIES, DISTINCT, SCHEMA)
"""Those that may be given thresholds beside the rules."""
