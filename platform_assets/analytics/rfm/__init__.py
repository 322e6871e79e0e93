"""Recency, frequency, monetary: scores, segments, and how both change from run to run.

Belongs here: the three measures of a customer, the edges that turn them into scores, the map of the 125 cells, who
moved between two runs, and whether the base is still the one the edges were made for. Does not belong here:
probabilities and money to come (``lifetime``, ``churn``).
"""
