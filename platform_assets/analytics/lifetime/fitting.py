"""Maximum likelihood: the parameters of a transaction model that make what was seen most likely."""

import numpy as np
from scipy.optimize import OptimizeResult

from platform_assets.analytics.lifetime.beta_geometric import BgNbd, MbgNbd
from platform_assets.analytics.lifetime.climbing import climbed
from platform_assets.analytics.lifetime.histories import Array, Histories
from platform_assets.analytics.lifetime.model import Fit, TransactionModel
from platform_assets.analytics.lifetime.pareto import ParetoNbd

MODELS: tuple[TransactionModel, ...] = (MbgNbd(), ParetoNbd(), BgNbd())
"""Every transaction model; where two are equally good, the first is preferred."""
_AGE = 10.0
"""The longest age while fitting, so that no parameter is far from 1."""
_THIN = 4000
"""Distinct histories on which the starts are compared; the best of them is finished on all."""
_LOG_BOUND = 9.0
"""Of log parameters: a ridge leads no farther than exp(9). A shape of that differs from certainty by one per cent, and
the hypergeometric function is not computed for much greater ones."""
_VANISHES = 1e-5
"""Of the gradient of the mean log-likelihood by log parameters."""
_ROUGHLY, _NEARLY, _EXACTLY = 1e-2, _VANISHES / 2, _VANISHES / 30
"""Where climbing ends: near enough to see which start is best, from a fit that is near, and at the top."""


def fit(model: TransactionModel, histories: Histories, near: Fit | None = None) -> Fit:
    """Fit a model by maximum likelihood, with analytic gradients, from several starts that are always the same.

    Args:
        model: Which one.
        histories: What the customers did, times in weeks.
        near: A fit of the same model to similar customers, to start from instead of the model's own starts.

    Raises:
        ValueError: There is no repeat order, so nothing to fit.
    """
    if not (histories.frequency * histories.customers).sum() > 0:
        raise ValueError("a transaction model needs customers who came back; there are none")
    scale = _AGE / histories.age.max()
    scaled, unit = histories.scaled(scale), np.ones(len(model.parameters))
    unit[list(model.times)] = scale
    if near is None:
        found, evaluations = _best(model, scaled, [np.log(start) for start in model.starts()])
    else:
        climb = _climb(model, scaled, np.log(near.theta * unit), _NEARLY, near.covariance * near.customers)
        found, evaluations = np.asarray(climb.x), climb.nfev
    found = np.clip(found, -_LOG_BOUND, _LOG_BOUND)
    _, gradient = model.scores(np.exp(found), scaled)
    theta = np.exp(found) / unit
    likelihood = log_likelihood(model, theta, histories)
    slope = np.abs(histories.customers @ gradient).max() / histories.total
    information = (gradient * histories.customers[:, None]).T @ gradient
    is_inside = bool(np.abs(found).max() < _LOG_BOUND)
    return Fit(
        model,
        theta,
        likelihood,
        histories.total,
        evaluations,
        bool(slope < _VANISHES) and is_inside,
        np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64),
    )


def log_likelihood(model: TransactionModel, theta: Array, histories: Histories) -> float:
    """Of all customers together, in the unit of time of the histories."""
    return float(histories.customers @ model.scores(theta, histories)[0])


def _best(model: TransactionModel, rows: Histories, starts: list[Array]) -> tuple[Array, int]:
    """Roughly from every start, on some of the histories; then from the best of them exactly, then on all."""
    thin = rows.thinned(_THIN)
    tried = [_climb(model, thin, start, _ROUGHLY) for start in starts]
    best = min(tried, key=lambda result: float(result.fun))
    evaluations = sum(result.nfev for result in tried)
    for part in (thin, rows) if len(thin.age) < len(rows.age) else (rows,):
        best = _climb(model, part, best.x, _EXACTLY, np.asarray(best.hess_inv))
        evaluations += best.nfev
    return np.asarray(best.x), evaluations


def _climb(
    model: TransactionModel, rows: Histories, start: Array, steepest: float, inverse: Array | None = None
) -> OptimizeResult:
    total = rows.customers.sum()

    def loss(log_theta: Array) -> tuple[float, Array]:
        bounded = np.clip(log_theta, -_LOG_BOUND, _LOG_BOUND)
        likelihood, gradient = model.scores(np.exp(bounded), rows)
        return -float(rows.customers @ likelihood) / total, -(rows.customers @ gradient) / total

    return climbed(loss, start, steepest, inverse)
