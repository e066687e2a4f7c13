"""A wandering level plus autocorrelated noise, filtered for many parameter values at once.

The model of one series, all variances in units of the noise variance:

    y[t]     = level[t] + size[t] * noise[t]
    level[t] = level[t-1] + N(0, wander)               starts at zero; an intercept belongs to the regressors
    noise[t] = ar * noise[t-1] + N(0, 1 - ar^2)        stationary, variance one

The Kalman filter is linear, so it whitens the response and every regressor by the same gains: pass them as columns and
generalised least squares is ordinary least squares on the prediction errors (Durbin & Koopman 2012, section 6.2.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.kpi.distributions import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Dynamics:
    """G parameter pairs tried side by side: the level's `wander` per period and the noise's `ar`; (G,) each."""

    wander: Floats
    ar: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Filtered:
    """One-step-ahead predictions of T periods and C columns, and what is known after the last of them."""

    predictions: Floats
    """(T, G, C)."""
    variances: Floats
    """(T, G): variance of a prediction error."""
    level: Floats
    """(G, C): level of each column after the last period."""
    noise: Floats
    """(G, C): noise of each column after the last period."""
    covariance: tuple[Floats, Floats, Floats]
    """(G,) each: variance of the level, covariance of level and noise, variance of the noise."""


def kalman_filter(columns: Floats, size: Floats, observed: NDArray[np.bool_], dynamics: Dynamics) -> Filtered:
    """Filters `columns` (T, C); a period that is not `observed` (T,) is predicted, and nothing is learnt from it."""
    wander, ar = dynamics.wander, dynamics.ar
    grid, (periods, width) = len(wander), columns.shape
    level, noise = np.zeros((grid, width)), np.zeros((grid, width))
    p_level, p_both, p_noise = np.zeros(grid), np.zeros(grid), np.ones(grid)
    predictions, variances = np.empty((periods, grid, width)), np.empty((periods, grid))
    for t in range(periods):
        noise = noise * ar[:, None]
        p_level, p_both, p_noise = p_level + wander, p_both * ar, p_noise * ar**2 + (1.0 - ar**2)
        to_level = p_level + size[t] * p_both
        to_noise = p_both + size[t] * p_noise
        variances[t] = to_level + size[t] * to_noise
        predictions[t] = level + size[t] * noise
        if not observed[t]:
            continue
        error = columns[t] - predictions[t]
        gain_level, gain_noise = to_level / variances[t], to_noise / variances[t]
        level = level + gain_level[:, None] * error
        noise = noise + gain_noise[:, None] * error
        p_level = p_level - gain_level * to_level
        p_both = p_both - gain_level * to_noise
        p_noise = p_noise - gain_noise * to_noise
    return Filtered(predictions, variances, level, noise, (p_level, p_both, p_noise))


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Predictions of the M periods that follow the last filtered one."""

    predictions: Floats
    """(M, G, C)."""
    variances: Floats
    """(M, G): variance of one period's prediction error."""
    mean_variance: Floats
    """(G,): variance of the error of the mean over the counted periods."""


def look_ahead(state: Filtered, size: Floats, counted: NDArray[np.bool_], dynamics: Dynamics) -> Ahead:
    """Predicts the next periods, whose noise has `size` (M,); the mean is taken over those `counted` (M,)."""
    steps = np.arange(1, len(size) + 1)[:, None]
    p_level, p_both, p_noise = state.covariance
    carry = dynamics.ar**steps
    reach = size[:, None] * carry
    variances = p_level + steps * dynamics.wander + 2 * reach * p_both + reach**2 * p_noise
    return Ahead(
        predictions=state.level + reach[:, :, None] * state.noise,
        variances=variances + size[:, None] ** 2 * (1.0 - carry**2),
        mean_variance=_mean_variance(state.covariance, np.where(counted, size, 0.0), counted, dynamics),
    )


def _mean_variance(
    covariance: tuple[Floats, Floats, Floats], size: Floats, counted: NDArray[np.bool_], dynamics: Dynamics
) -> Floats:
    """A shock of one period reaches the sum through every later period, so walk back from the end."""
    level_reach, level_shocks = 0.0, 0.0
    noise_reach, noise_shocks = np.zeros_like(dynamics.ar), np.zeros_like(dynamics.ar)
    for counts, scale in zip(counted[::-1], size[::-1], strict=True):
        level_reach += float(counts)
        noise_reach = scale + dynamics.ar * noise_reach
        level_shocks += level_reach**2
        noise_shocks = noise_shocks + noise_reach**2
    p_level, p_both, p_noise = covariance
    start = dynamics.ar * noise_reach
    known = level_reach**2 * p_level + 2 * level_reach * start * p_both + start**2 * p_noise
    shocks = level_shocks * dynamics.wander + noise_shocks * (1.0 - dynamics.ar**2)
    return np.asarray((known + shocks) / level_reach**2)
