"""Maximum likelihood for a local level with regressors: one whole series, its known interventions as steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from services.kpi.counterfactual import season_columns
from services.kpi.distributions import Floats
from services.kpi.statespace import Dynamics, kalman_filter

_ZOOMS = 6
_AS_GOOD = 1e-9
_RATIOS = np.concatenate([[0.0], np.geomspace(1e-6, 1e4, 41)])


@dataclass(frozen=True, slots=True)
class LocalLevel:
    """Estimates for y = level + regressors + irregular, level a random walk; variances in squared units of y."""

    irregular_variance: float
    level_variance: float
    log_likelihood: float
    """Diffuse log likelihood (Durbin & Koopman 2012, section 7.2.2)."""
    coefficients: tuple[float, ...]
    standard_errors: tuple[float, ...]


def fit_local_level(values: ArrayLike, regressors: ArrayLike | None = None, *, season: int | None = None) -> LocalLevel:
    """Estimates both variances and the coefficients of `regressors` (T, R); NaN values are skipped.

    A fixed pattern of `season` periods is fitted along, its coefficients not reported. Everything but the ratio of the
    two variances has a closed form, so that ratio is searched on a grid drawn ever closer.

    Raises:
        ValueError: Fewer observed values than coefficients.
    """
    y = np.asarray(values, dtype=float)
    given = np.asarray(regressors, dtype=float).reshape(len(y), -1) if regressors is not None else np.empty((len(y), 0))
    pattern = season_columns(len(y), season)[0] if season is not None else np.empty((len(y), 0))
    columns = np.column_stack([y, given, np.ones(len(y)), pattern])
    if np.isfinite(y).sum() <= columns.shape[1]:
        raise ValueError(f"{int(np.isfinite(y).sum())} values cannot support {columns.shape[1] - 1} coefficients")
    ratios = _RATIOS
    for _ in range(_ZOOMS):
        best = _best(_profile(columns, ratios))
        low, high = ratios[max(best - 1, 0)], ratios[min(best + 1, len(ratios) - 1)]
        ratios = np.unique(np.append(np.linspace(low, high, 21), ratios[best]))
    profile = _profile(columns, ratios)
    best = _best(profile)
    irregular, reported = float(profile.irregular[best]), slice(0, given.shape[1])
    errors = np.sqrt(np.diagonal(profile.covariance[best]) * irregular)
    return LocalLevel(
        irregular_variance=irregular,
        level_variance=irregular * float(ratios[best]),
        log_likelihood=float(profile.log_likelihood[best]),
        coefficients=tuple(profile.coefficients[best, reported].tolist()),
        standard_errors=tuple(errors[reported].tolist()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    """Per ratio of variances (Q): everything else at its best."""

    log_likelihood: Floats
    irregular: Floats
    coefficients: Floats
    covariance: Floats


def _best(profile: _Profile) -> int:
    """The smallest ratio that is as good as any: zero where the level does not wander, whatever the rounding says."""
    return int(np.argmax(profile.log_likelihood >= profile.log_likelihood.max() - _AS_GOOD))


def _profile(columns: Floats, ratios: Floats) -> _Profile:
    observed = np.isfinite(columns[:, 0])
    dynamics = Dynamics(ratios, np.zeros_like(ratios))
    filtered = kalman_filter(np.where(observed[:, None], columns, 0.0), np.ones(len(columns)), observed, dynamics)
    variances = filtered.variances[observed]
    errors = columns[observed][:, None] - filtered.predictions[observed]
    white = (errors / np.sqrt(variances)[:, :, None]).transpose(1, 2, 0)
    moments = white @ white.transpose(0, 2, 1)
    covariance = np.asarray(np.linalg.inv(moments[:, 1:, 1:]), dtype=np.float64)
    coefficients = np.einsum("qij,qj->qi", covariance, moments[:, 1:, 0])
    free = int(observed.sum()) - (columns.shape[1] - 1)
    unexplained = moments[:, 0, 0] - np.einsum("qi,qi->q", moments[:, 1:, 0], coefficients)
    # A perfect fit leaves rounding, of either sign.
    irregular = np.maximum(unexplained, np.finfo(float).eps * moments[:, 0, 0] + np.finfo(float).tiny) / free
    log_likelihood = -0.5 * (free * (np.log(2 * math.pi * irregular) + 1.0) + np.log(variances).sum(axis=0))
    log_likelihood = log_likelihood - 0.5 * np.linalg.slogdet(moments[:, 1:, 1:])[1]
    return _Profile(log_likelihood, irregular, coefficients, covariance)
