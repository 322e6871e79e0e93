"""Revenue ahead, with how far to trust it: series, baselines, models, combination, intervals, backtest, skill.

Belongs here: daily and weekly series of core/sales, models of a single series in plain numpy, the optional models of
statsforecast behind the same protocol, the rolling-origin backtest that weighs them, conformal intervals from its
errors, and the gate that says "not forecastable". Does not belong here: what happened already and was odd
(``anomalies``), why it happened (``insights``), and anything of Dagster or PostgreSQL.
"""
