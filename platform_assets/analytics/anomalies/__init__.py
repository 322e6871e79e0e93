"""What is unlike the past: days, spans of days, and single sale lines.

Belongs here: the reduction of sales to measures per day or week and segment, the baseline that knows nothing but the
past, incidents with their size in money and their name, and sale lines whose price, quantity or amount is unlike the
product's. Does not belong here: what to tell people about it, and how many such things chance alone would show
(``insights``); whether a delivery is complete (``quality``).
"""
