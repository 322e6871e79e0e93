"""The models of purchases and of spend on the page of customers: how well they foresaw, what they suppose."""

import pyarrow as pa

from platform_assets.reports.drawing import bar_figure, bars
from platform_assets.reports.formats import amount, counted, day, decimal, model, signed_percent, whole, yes
from platform_assets.reports.page import Block, Column, Grid, Heading, Plot, Section, Text
from platform_assets.reports.selecting import one, ordered, where

_COLUMNS = (
    Column("Model", "model", model),
    Column("In use", "is_chosen", yes),
    Column("Orders expected", "expected_orders", whole),
    Column("Orders that came", "orders", whole),
    Column("Bias", "bias_rate", signed_percent),
    Column("Correlation", "correlation", decimal),
    Column("Mean error (orders)", "mean_absolute_error", decimal),
    Column("Deviance", "deviance", whole),
    Column("Behind the best", "behind_best", decimal),
    Column("Log-likelihood", "holdout_log_likelihood", amount),
)


_SPEND_COLUMNS = (
    Column("Parameter", "parameter"),
    Column("Value", "value", decimal),
    Column("Standard error", "standard_error", decimal),
)


def models_section(models: pa.Table, groups: pa.Table) -> Section:
    """The comparison on days that no model had seen, and the model of spend."""
    rows = ordered(models, "-is_chosen", "deviance", "model")
    used = one(models, is_chosen=True)
    if used is None:
        finding = "No model was chosen: too few customers came back to compare any."
        return Section("models", "Models", finding, _spend(groups))
    names = [*(model(row["model"]) for row in rows), "what came"]
    orders = [*(row["expected_orders"] for row in rows), used["orders"]]
    colors = [*("score" if row["is_chosen"] else "muted" for row in rows), "pass"]
    hints = [f"{name}: {whole(value)} orders" for name, value in zip(names, orders, strict=True)]
    return Section(
        "models",
        "Models",
        f"{model(used['model'])} is in use: it expected {whole(used['expected_orders'])} orders in the "
        f"{whole(used['holdout_days'])} days after {day(used['split_date'])}, and {whole(used['orders'])} came "
        f"({signed_percent(used['bias_rate'])}).",
        (
            Plot(
                "models",
                f"Orders of {counted(used['customers'], 'customer')} in the holdout",
                bar_figure([bars(names, orders, hints, color=colors)], "orders"),
            ),
            Grid(_COLUMNS, rows, "Transaction models on the holdout"),
            Text(
                "The one with the least Poisson deviance of the orders expected of each customer is used: that "
                "expectation is what value is made of. (Churn has a choice of its own, made earlier.)"
            ),
            *_spend(groups),
        ),
    )


def _spend(groups: pa.Table) -> tuple[Block, ...]:
    """The spend model with what it supposes."""
    rows = ordered(where(groups, grouping="spend"), "parameter")
    if not rows:
        return (Text("Money per order is not modelled: too few customers came back with money in their orders."),)
    first = rows[0]
    found = "" if first["is_converged"] else " Its parameters were not found: they lie on a ridge."
    used = "" if first["is_used"] else " It is not in use: by it the mean spend of customers is not finite."
    return (
        Heading("Money per order"),
        Text(
            f"Gamma-Gamma, fitted to {counted(first['customers'], 'customer')} who came back. It supposes that money "
            "per order does not depend on the number of orders; their correlation is "
            f"{decimal(first['correlation'])}, and a check warns where that is far from 0.{found}{used}"
        ),
        Grid(_SPEND_COLUMNS, rows, "Parameters of the model of spend"),
    )
