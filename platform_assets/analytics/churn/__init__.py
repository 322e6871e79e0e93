"""Churn and retention: who will not buy for some time, how well that is known, what is at stake and what to do.

Belongs here: churn probabilities and their calibration, the challenger model, the evaluation on later data, retention
actions and the measurement of their effect. Does not belong here: the transaction models (``lifetime``).
"""
