"""What a dataset is: columns, header aliases, keys, rules with dimension and severity, in one module per dataset.

Belongs here: descriptions of datasets and the vocabulary they are written in. Does not belong here: reading files
(``ingestion``), applying a contract to rows (``transforms``), counting and judging (``quality``).
"""
