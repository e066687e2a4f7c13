"""What a KPI would have done without the release, with its uncertainty.

A Bayesian structural time series (Brodersen et al. 2015, Annals of Applied Statistics 9:247), integrated instead of
sampled: given the level's wander and the noise's autocorrelation, coefficients and noise variance integrate out in
closed form to a Student-t; the two that remain are averaged over a grid, with and without a drift. So the same input
always gives the same answer, in milliseconds. Priors are in units of the standard deviation before the release.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.kpi.distributions import Floats, StudentMixture, t_quantile
from services.kpi.statespace import Ahead, Dynamics, Filtered, kalman_filter, look_ahead

# Priors, chosen so that the interval keeps its promise on series that wander, drift or are autocorrelated, not only on
# stable ones: the level may not wander at all, or by about 2 % of the noise variance per period within a wide range.
STILL = 0.5
WANDER_GRID = np.geomspace(5e-4, 1.5, 12)
WANDER_CENTRE, WANDER_SPREAD = 0.02, 1.4
AR_GRID = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9])
AR_PRIOR = np.array([0.40, 0.15, 0.15, 0.15, 0.10, 0.05])

INTERCEPT_VARIANCE, CONTROL_VARIANCE, SEASON_VARIANCE = 1e4, 4.0, 4.0
DRIFT_VARIANCE = 4.0  # a straight line spans 3.5 of its own standard deviations, so no drift can be much steeper
NOISE_SHAPE, NOISE_RATE = 1.0, 0.5
KNOWN_NOISE_SHAPE = 8.0  # when the sampling variance is known, as sure of it as 16 periods would make us

OUTLIER_LIMIT = 3.0  # in robust standard deviations; beyond it a period's variance grows with its distance
_MAD_TO_SD = 1.4826
_REWEIGHTINGS = 8
_NEGLIGIBLE = 1e-7
SMALLEST_SCALE = 1e-100  # its square is still a number


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One KPI, a value per period; everything (T,)."""

    values: Floats
    observed: NDArray[np.bool_]
    released: int
    """Index of the first period after the release."""
    variances: Floats
    """Variance of each period's noise: absolute when `variance_known`, else only relative to one another."""
    variance_known: bool
    regressors: Floats
    """(T, R): controls and season, already scaled; a drift is added here."""
    regressor_variances: Floats
    """(R,): prior variance of their coefficients."""

    @property
    def before(self) -> NDArray[np.bool_]:
        """Observed periods before the release."""
        return self.observed & (np.arange(len(self.values)) < self.released)

    @property
    def after(self) -> NDArray[np.bool_]:
        """Observed periods from the release on."""
        return self.observed & (np.arange(len(self.values)) >= self.released)


@dataclass(frozen=True, slots=True, eq=False)
class Counterfactual:
    """The KPI without the release."""

    mean: StudentMixture
    """Its mean over the observed periods after the release."""
    expected: Floats
    """(T,): one-step-ahead predictions before the release, the counterfactual from the release on."""
    half_width: Floats
    """(T,): half the width of the pointwise 95 % band around `expected`."""


def controls_columns(controls: Floats, before: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Controls (T, C) scaled on the periods `before` the release alone, and their coefficients' prior variance."""
    spread = controls[before].std(axis=0)
    scaled = (controls - controls[before].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.where(np.isnan(scaled), 0.0, scaled), np.full(controls.shape[1], CONTROL_VARIANCE)


def season_columns(periods: int, season: int) -> tuple[Floats, Floats]:
    """A pattern that repeats every `season` periods and sums to zero, and the prior variance of its coefficients."""
    dummies = np.eye(season)[np.arange(periods) % season]
    return dummies[:, 1:] - dummies[:, :1], np.full(season - 1, SEASON_VARIANCE)


def counterfactual(series: Series, *, drift: float) -> Counterfactual:
    """Averages over level wander, autocorrelation and drift (`drift` = prior probability that the KPI drifts, 0..1)."""
    before, after = series.before, series.after
    centre, scale = _centre_and_scale(series)
    standard = np.where(series.observed, (series.values - centre) / scale, 0.0)
    trend = (np.arange(len(standard)) - series.released) / series.released
    design = np.column_stack([np.ones(len(standard)), series.regressors, trend])
    prior = np.concatenate([[INTERCEPT_VARIANCE], series.regressor_variances, [DRIFT_VARIANCE]])

    variances = series.variances / (scale**2 if series.variance_known else 1.0)
    typical = float(variances[before].mean())
    size = np.sqrt(variances / typical * _outlier_inflation(standard, design, before, after))
    shape = KNOWN_NOISE_SHAPE if series.variance_known else NOISE_SHAPE
    rate = shape * typical if series.variance_known else NOISE_RATE

    dynamics, log_prior = _dynamics()
    columns = np.column_stack([standard, design])
    released = series.released
    filtered = kalman_filter(columns[:released], size[:released], before[:released], dynamics)
    ahead = look_ahead(filtered, size[released:], after[released:], dynamics)
    whole = _Whole(columns, before, after, filtered, ahead)
    parts = [
        _conditional(whole, prior[:width], shape, rate, log_prior + math.log(probability))
        for width, probability in ((len(prior) - 1, 1.0 - drift), (len(prior), drift))
        if probability > 0
    ]
    return _average(parts, shape + before.sum() / 2, centre, scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """Everything the conditional posteriors with and without drift share."""

    columns: Floats
    before: NDArray[np.bool_]
    after: NDArray[np.bool_]
    filtered: Filtered
    ahead: Ahead


@dataclass(frozen=True, slots=True, eq=False)
class _Conditional:
    """Per grid point (G,): log weight, and location and squared scale of the mean and of each period (T, G)."""

    log_weight: Floats
    mean: Floats
    mean_scale2: Floats
    path: Floats
    path_scale2: Floats


def _conditional(whole: _Whole, prior: Floats, shape: float, rate: float, log_prior: Floats) -> _Conditional:
    """Conjugate regression on the whitened columns: the response first, then as many regressors as `prior` has."""
    width = len(prior)
    released = len(whole.filtered.variances)
    seen = whole.before[:released]
    variances = whole.filtered.variances[seen]
    errors = whole.columns[:released][seen][:, None, : width + 1] - whole.filtered.predictions[seen][:, :, : width + 1]
    white = (errors / np.sqrt(variances)[:, :, None]).transpose(1, 2, 0)
    moments = white @ white.transpose(0, 2, 1)
    precision = moments[:, 1:, 1:] + np.diag(1.0 / prior)
    covariance = np.linalg.inv(precision)
    coefficients = np.einsum("gij,gj->gi", covariance, moments[:, 1:, 0])
    shape = shape + seen.sum() / 2
    rates = rate + 0.5 * (moments[:, 0, 0] - np.einsum("gi,gi->g", moments[:, 1:, 0], coefficients))
    log_weight = log_prior - 0.5 * np.log(variances).sum(axis=0) - shape * np.log(rates)
    log_weight = log_weight - 0.5 * (np.linalg.slogdet(precision)[1] + np.log(prior).sum())

    regressors = whole.columns[:, None, 1 : width + 1]
    predictions = np.concatenate([whole.filtered.predictions, whole.ahead.predictions])[:, :, : width + 1]
    unexplained = regressors - predictions[:, :, 1:]
    path = predictions[:, :, 0] + np.einsum("tgi,gi->tg", unexplained, coefficients)
    spread = np.concatenate([whole.filtered.variances, whole.ahead.variances])
    unsure = unexplained[released:]
    spread[released:] += np.einsum("tgi,gij,tgj->tg", unsure, covariance, unsure)
    mean_unsure = unexplained[whole.after].mean(axis=0)
    mean_spread = whole.ahead.mean_variance + np.einsum("gi,gij,gj->g", mean_unsure, covariance, mean_unsure)
    noise = rates / shape
    return _Conditional(log_weight, path[whole.after].mean(axis=0), mean_spread * noise, path, spread * noise)


def _average(parts: list[_Conditional], shape: float, centre: float, scale: float) -> Counterfactual:
    log_weight = np.concatenate([part.log_weight for part in parts])
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    kept = weight > _NEGLIGIBLE
    weight = weight[kept] / weight[kept].sum()
    mean = np.concatenate([part.mean for part in parts])[kept]
    mean_scale = np.sqrt(np.concatenate([part.mean_scale2 for part in parts])[kept])
    path = np.concatenate([part.path for part in parts], axis=1)[:, kept]
    path_scale2 = np.concatenate([part.path_scale2 for part in parts], axis=1)[:, kept]
    expected = path @ weight
    # One period's mixture is nearly symmetric, so a Student-t with its variance is close enough for a band.
    spread = np.sqrt((path_scale2 + (path - expected[:, None]) ** 2) @ weight)
    return Counterfactual(
        mean=StudentMixture(weight, centre + scale * mean, scale * mean_scale, 2 * shape),
        expected=centre + scale * expected,
        half_width=t_quantile(0.975, 2 * shape) * scale * spread,
    )


def _centre_and_scale(series: Series) -> tuple[float, float]:
    """Mean and deviation before the release, outliers pulled in: a wild period must not set the units of the priors."""
    past = series.values[series.before]
    reach = OUTLIER_LIMIT * _robust_sd(past) or math.inf
    past = np.clip(past, np.median(past) - reach, np.median(past) + reach)
    centre = float(past.mean())
    # A KPI that never moved gives no scale of its own: take that of the whole series, else a hundredth of its size.
    scale = float(past.std(ddof=1)) or float(series.values[series.observed].std()) or abs(centre) / 100 or 1.0
    return centre, max(scale, SMALLEST_SCALE)


def _outlier_inflation(standard: Floats, design: Floats, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Floats:
    """Variance factor per period by Huber's M-estimate, each side of the release around its own median."""
    factor = np.ones(len(standard))
    for _ in range(_REWEIGHTINGS):
        weight = 1.0 / np.sqrt(factor[before])
        coefficients = np.linalg.lstsq(design[before] * weight[:, None], standard[before] * weight, rcond=None)[0]
        residuals = standard - design @ coefficients
        spread = _robust_sd(residuals[before])
        if spread == 0:
            break
        for side in (before, after):
            distance = np.abs(residuals[side] - np.median(residuals[side]))
            factor[side] = np.maximum(1.0, distance / (OUTLIER_LIMIT * spread))
    return factor**2


def _robust_sd(values: Floats) -> float:
    return _MAD_TO_SD * float(np.median(np.abs(values - np.median(values))))


def _dynamics() -> tuple[Dynamics, Floats]:
    """The grid of level wander x autocorrelation, flattened, and its log prior."""
    slab = np.exp(-0.5 * ((np.log(WANDER_GRID) - math.log(WANDER_CENTRE)) / WANDER_SPREAD) ** 2)
    wander = np.concatenate([[0.0], WANDER_GRID])
    wander_prior = np.concatenate([[STILL], (1.0 - STILL) * slab / slab.sum()])
    dynamics = Dynamics(np.repeat(wander, len(AR_GRID)), np.tile(AR_GRID, len(wander)))
    return dynamics, np.log(np.outer(wander_prior, AR_PRIOR)).ravel()
