"""What a dataset is: columns, header aliases, keys, rules with dimension and severity, in one module per dataset.

Belongs here: descriptions of datasets and the vocabulary they are written in. Does not belong here: reading files
(``ingestion``), applying a contract to rows (``transforms``), counting and judging (``quality``).
"""

import os

# Importing Pandera sets this to 1 for the whole process, and pyarrow then drops the offset of an instant without a
# word: 12:00+02:00 becomes 12:00 UTC. What is set already, Pandera leaves alone.
os.environ.setdefault("PYARROW_IGNORE_TIMEZONE", "")
