"""What must hold of retention cohorts, the time to the second order and repeat rates, judged from the tables alone.

Belongs here: what follows from what the columns mean. Does not belong here: whether retention is good.

Every function gives what breaks what it is named after, in words.
"""

from itertools import pairwise

import pyarrow as pa

_NEARLY = 1e-9


def impossible_cohorts(cohorts: pa.Table) -> list[str]:
    """Cells with more customers than the cohort, a first month without all of them, or neither figure nor reason."""
    found = []
    for row in cohorts.to_pylist():
        size, some = row["cohort_customers"], row["customers"]
        where = f"{row['cohort_month_date']} month {row['month_number']}"
        if (some is None) != bool(row["reason"]):
            found.append(f"{where}: {some} customers, and the reason {row['reason']}")
        elif some is not None and not (
            0 <= some <= size and abs(row["retention_rate"] * size - some) <= _NEARLY * size
        ):
            found.append(f"{where}: {some} of {size} customers is not {row['retention_rate']}")
        elif row["month_number"] == 0 and some not in (size, None):
            found.append(f"{where}: {some} of {size} customers ordered in the month of their first order")
    return found


def impossible_curve(curve: pa.Table) -> list[str]:
    """Steps of the curve that go down, leave 0 to 1 or their interval, or have more events than people."""
    rows = curve.to_pylist()
    found = [
        f"after {row['days']} days: {row['low_rate']} to {row['high_rate']} around {row['second_order_rate']}"
        for row in rows
        if not -_NEARLY <= row["low_rate"] <= row["second_order_rate"] + _NEARLY
        or not row["second_order_rate"] - _NEARLY <= row["high_rate"] <= 1 + _NEARLY
        or not 0 < row["second_orders"] <= row["at_risk"]
    ]
    falls = [(a, b) for a, b in pairwise(rows) if b["second_order_rate"] < a["second_order_rate"] - _NEARLY]
    return [*found, *(f"after {b['days']} days it is lower than after {a['days']}" for a, b in falls)]


def impossible_repeats(repeats: pa.Table) -> list[str]:
    """Windows with more repeaters than customers, a rate outside its interval, or neither rate nor reason."""
    found = []
    for row in repeats.to_pylist():
        rate, window = row["repeat_rate"], f"{row['window_days']} days"
        if (rate is None) != bool(row["reason"]):
            found.append(f"{window}: {rate}, and the reason {row['reason']}")
        elif rate is not None and not (
            row["repeaters"] <= row["customers"] and row["low_rate"] <= rate <= row["high_rate"]
        ):
            found.append(f"{window}: {row['repeaters']} of {row['customers']} customers is not {rate}")
    return found
