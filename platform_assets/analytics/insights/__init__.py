"""What changed, how sure that is, what it is worth and what to do: a short list, or the answer "nothing unusual".

Belongs here: exact decomposition of change, contributions of segments, p-values from what segments did in other weeks,
control of false discoveries over all tests of a report, ranking, and findings as records with their evidence. Does not
belong here: what is unlike the past day by day and line by line (``anomalies``), which is one source of findings.
"""
