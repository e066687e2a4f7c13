"""The same question asked with the priors of R's CausalImpact, to hold the two side by side.

Model and constants follow google/CausalImpact 1.4 (R/impact_model.R) and the priors it takes from bsts and
BoomSpikeSlab: a local level whose innovations are held near `prior_level_sd` standard deviations, a spike-and-slab
regression with an expected R^2 of .8 and 50 prior degrees of freedom, and (optionally) a seasonal pattern. Where R
draws from the posterior by Gibbs sampling, this sums over every subset of the regressors and integrates the two
variances on a grid. The season's own innovations, which R holds near zero, are left out.

These priors are narrow on a KPI that wanders, drifts or is autocorrelated; `impact.assess` is what a verdict rests on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.kpi.counterfactual import season_columns
from services.kpi.distributions import Floats, StudentMixture
from services.kpi.statespace import Dynamics, kalman_filter, look_ahead

LEVEL_PRIOR_SIZE = 32.0
EXPECTED_MODEL_SIZE, EXPECTED_R2, PRIOR_DF = 3.0, 0.8, 50.0
INFORMATION_WEIGHT, DIAGONAL_SHRINKAGE = 0.01, 0.5
ALONE_GUESS, ALONE_SIZE = 1.0, 0.01  # the residual's prior where there is nothing to regress on
LARGEST_RESIDUAL = 1.2

MAX_CONTROLS = 8
RESIDUAL_SD = np.geomspace(0.01, LARGEST_RESIDUAL, 45)
LEVEL_RATIO = np.geomspace(1e-6, 10.0, 45)  # level variance over residual variance
_NEGLIGIBLE = 1e-8
_NEARLY_NORMAL = 1e7  # degrees of freedom of the mixture's parts, which are normal given both variances


@dataclass(frozen=True, slots=True)
class Summary:
    """CausalImpact's summary table: the average and the sum over the post period, 95 % intervals."""

    average: float
    average_sd: float
    average_interval: tuple[float, float]
    cumulative: float
    cumulative_sd: float
    cumulative_interval: tuple[float, float]
    relative: float
    relative_interval: tuple[float, float]
    p_one_sided: float
    actual_average: float
    predicted_average: float


def causal_impact(
    values: ArrayLike,
    released_index: int,
    *,
    controls: ArrayLike | None = None,
    prior_level_sd: float = 0.01,
    season: int | None = None,
    draws: int = 1000,
) -> Summary:
    """R's `CausalImpact(data, pre.period, post.period)` for a response (T,) and complete `controls` (T, C).

    `draws` only sets the floor of the p value, 1 / draws, below which R's sampler cannot see. Missing responses (NaN)
    are skipped.

    Raises:
        ValueError: More controls than all subsets of can be summed over.
    """
    y = np.asarray(values, dtype=float)
    x = np.asarray(controls, dtype=float).reshape(len(y), -1) if controls is not None else np.empty((len(y), 0))
    if x.shape[1] > MAX_CONTROLS:
        raise ValueError(f"{x.shape[1]} controls: at most {MAX_CONTROLS} can be compared, choose the closest ones")
    predicted = _post_mean(y, released_index, x, prior_level_sd, season)
    return _summary(y[released_index:], predicted, draws)


def _summary(after: Floats, predicted: StudentMixture, draws: int) -> Summary:
    seen = after[np.isfinite(after)]
    actual, count = float(seen.mean()), len(seen)
    low, high = actual - predicted.quantile(0.975), actual - predicted.quantile(0.025)
    below = predicted.cdf(actual)
    average = actual - predicted.mean
    return Summary(
        average=average,
        average_sd=predicted.sd,
        average_interval=(low, high),
        cumulative=average * count,
        cumulative_sd=predicted.sd * count,
        cumulative_interval=(low * count, high * count),
        relative=_expected_ratio(actual, predicted),
        relative_interval=(low / (actual - low), high / (actual - high)),
        p_one_sided=max(min(below, 1.0 - below), 1.0 / draws),
        actual_average=actual,
        predicted_average=predicted.mean,
    )


def _expected_ratio(actual: float, predicted: StudentMixture) -> float:
    """Mean of actual / predicted - 1 over the posterior, as R averages it over its draws (Gauss-Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    at = predicted.means[:, None] + predicted.scales[:, None] * nodes
    return float(predicted.weights @ ((actual / at - 1.0) @ (weights / weights.sum())))


def _post_mean(y: Floats, released: int, x: Floats, prior_level_sd: float, season: int | None) -> StudentMixture:
    """Posterior predictive distribution of the response's mean over the observed post period."""
    observed = np.isfinite(y)
    past = y[:released][observed[:released]]
    centre, scale = float(past[0]), float(past.std(ddof=1))
    standard = np.where(observed, (y - centre) / scale, 0.0)
    x = (x - x[:released].mean(axis=0)) / x[:released].std(axis=0, ddof=1)
    pattern = np.empty((len(y), 0)) if season is None else season_columns(len(y), season)[0]
    always = np.column_stack([np.ones(len(y)), pattern])
    scan = _scan(np.column_stack([standard, always, x]), released, observed)
    slab = INFORMATION_WEIGHT * _shrunk(x[:released].T @ x[:released] / released)

    log_variances = _log_prior_of_variances(prior_level_sd, alone=x.shape[1] == 0)
    inclusion = min(1.0, EXPECTED_MODEL_SIZE / (x.shape[1] + 1))  # R counts the intercept as a regressor
    parts = []
    for chosen in product((False, True), repeat=x.shape[1]):
        size = sum(chosen)
        if inclusion == 1.0 and size < len(chosen):
            continue
        log_subset = size * math.log(inclusion) + (len(chosen) - size) * math.log(max(1.0 - inclusion, math.ulp(0)))
        parts.append(_given(scan, always.shape[1], np.array(chosen, dtype=bool), slab, log_variances + log_subset))
    log_weight, means, variances = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    weight = np.exp(log_weight - log_weight.max())
    kept = weight > _NEGLIGIBLE
    weight = weight[kept] / weight[kept].sum()
    return StudentMixture(weight, centre + scale * means[kept], scale * np.sqrt(variances[kept]), _NEARLY_NORMAL)


def _shrunk(information: Floats) -> Floats:
    """Halfway to its diagonal, so that collinear controls keep a proper prior."""
    return (1.0 - DIAGONAL_SHRINKAGE) * information + DIAGONAL_SHRINKAGE * np.diag(np.diag(information))


def _log_prior_of_variances(prior_level_sd: float, *, alone: bool) -> Floats:
    """(E, Q): log density of residual and level variance, inverse gamma both, on the two logarithmic grids."""
    guess, size = (ALONE_GUESS, ALONE_SIZE) if alone else (math.sqrt(1.0 - EXPECTED_R2), PRIOR_DF)
    residual = RESIDUAL_SD[:, None] ** 2
    level = residual * LEVEL_RATIO[None, :]
    density = _log_inverse_gamma(residual, size, guess) + _log_inverse_gamma(level, LEVEL_PRIOR_SIZE, prior_level_sd)
    return np.where(level <= 1.0, density, -np.inf)  # R keeps the level's step below the response's deviation


def _log_inverse_gamma(variance: Floats, size: float, guess: float) -> Floats:
    """Log density of log variance, up to a constant, for `size` observations' worth of a guess at the deviation."""
    return -size / 2 * (np.log(variance) + guess**2 / variance)


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """The series filtered once for every level ratio (Q): all else is algebra on these moments."""

    count: int
    log_variances: Floats
    moments: Floats
    """(Q, C, C): products of the whitened columns, the response first."""
    unexplained: Floats
    """(Q, C): mean over the post period of each column minus its prediction."""
    predicted: Floats
    mean_variance: Floats


def _scan(columns: Floats, released: int, observed: NDArray[np.bool_]) -> _Scan:
    seen, size = observed[:released], np.ones(len(columns))
    dynamics = Dynamics(LEVEL_RATIO, np.zeros_like(LEVEL_RATIO))
    filtered = kalman_filter(columns[:released], size[:released], seen, dynamics)
    ahead = look_ahead(filtered, size[released:], observed[released:], dynamics)
    variances = filtered.variances[seen]
    errors = columns[:released][seen][:, None] - filtered.predictions[seen]
    white = (errors / np.sqrt(variances)[:, :, None]).transpose(1, 2, 0)
    predicted = ahead.predictions[observed[released:]].mean(axis=0)
    return _Scan(
        count=int(seen.sum()),
        log_variances=np.log(variances).sum(axis=0),
        moments=white @ white.transpose(0, 2, 1),
        unexplained=columns[released:][observed[released:]].mean(axis=0) - predicted,
        predicted=predicted[:, 0],
        mean_variance=ahead.mean_variance,
    )


def _given(
    scan: _Scan, always: int, chosen: NDArray[np.bool_], slab: Floats, log_prior: Floats
) -> tuple[Floats, Floats, Floats]:
    """Log weight, mean and variance of the post mean for every pair of variances, with the `chosen` controls only."""
    columns = 1 + np.flatnonzero(np.concatenate([np.ones(always, dtype=bool), chosen]))
    moments = scan.moments[:, columns[:, None], columns]
    with_response = scan.moments[:, columns, 0]
    residual = RESIDUAL_SD[:, None] ** 2
    prior = np.zeros((len(RESIDUAL_SD), len(columns), len(columns)))
    # Level and season start with the response's own variance, one; in units of the residual's that is 1 / residual.
    prior[:, range(always), range(always)] = residual
    prior[:, always:, always:] = slab[chosen][:, chosen]
    precision = moments[None] + prior[:, None]
    covariance = np.linalg.inv(precision)
    coefficients = np.einsum("eqij,qj->eqi", covariance, with_response)
    unexplained = scan.moments[:, 0, 0] - np.einsum("qi,eqi->eq", with_response, coefficients)
    log_weight = log_prior - scan.count / 2 * np.log(residual) - 0.5 * scan.log_variances - 0.5 * unexplained / residual
    log_weight = log_weight + 0.5 * (np.linalg.slogdet(prior)[1][:, None] - np.linalg.slogdet(precision)[1])
    ahead = scan.unexplained[:, columns]
    mean = scan.predicted + np.einsum("qi,eqi->eq", ahead, coefficients)
    variance = residual * (scan.mean_variance + np.einsum("qi,eqij,qj->eq", ahead, covariance, ahead))
    return log_weight.ravel(), mean.ravel(), variance.ravel()
