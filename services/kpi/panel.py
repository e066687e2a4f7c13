"""A release that reached some accounts and not others: difference in differences, synthetic control, and both at once.

Rows are units, columns are periods. Synthetic difference in differences after Arkhangelsky, Athey, Hirshberg, Imbens &
Wager (2021, American Economic Review 111:4088), whose two ingredients the other methods are; standard errors by
placebo: each untouched unit in turn is taken for the treated one (their algorithm 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.kpi.distributions import Floats

Method = Callable[[Floats, Floats, int], float]

_TIME_RIDGE = 1e-6
_HEAVY = 1e4
_FAINT = 1e-10
_ROUNDS = 10
_SETTLED = 1e-9
_GONE = 1e-12


@dataclass(frozen=True, slots=True)
class PanelEffect:
    """Average effect on the treated units over the periods from the release on, and its placebo standard error."""

    effect: float
    placebo_error: float | None
    """Undefined with fewer than three untouched units."""


def assess_panel(treated: ArrayLike, untouched: ArrayLike, released_index: int, method: Method) -> PanelEffect:
    """Effect of a release on `treated` (U, T) against `untouched` (C, T) units.

    Raises:
        ValueError: No untouched unit, no period on one side of the release, or a missing value.
    """
    ours, others = np.atleast_2d(np.asarray(treated, dtype=float)), np.atleast_2d(np.asarray(untouched, dtype=float))
    if not len(others) or not 0 < released_index < ours.shape[1]:
        raise ValueError("a comparison needs an untouched unit and periods on both sides of the release")
    if not (np.isfinite(ours).all() and np.isfinite(others).all()):
        raise ValueError("the panel has missing values: leave out the units or periods that have them")
    placebos = [
        method(others[i : i + 1], np.delete(others, i, axis=0), released_index)
        for i in range(len(others))
        if len(others) > 2  # noqa: PLR2004
    ]
    return PanelEffect(method(ours, others, released_index), float(np.std(placebos)) if placebos else None)


def difference_in_differences(treated: Floats, untouched: Floats, released: int) -> float:
    """Change of the treated units' mean minus change of the untouched units' mean."""
    return _change(treated.mean(axis=0), released) - _change(untouched.mean(axis=0), released)


def synthetic_control(treated: Floats, untouched: Floats, released: int) -> float:
    """Treated mean minus the weighted untouched units that resembled it most before the release (Abadie 2010)."""
    weights = _unit_weights(treated, untouched, released, ridge=_TIME_RIDGE, intercept=False)
    gap = treated.mean(axis=0) - weights @ untouched
    return float(gap[released:].mean())


def synthetic_difference_in_differences(treated: Floats, untouched: Floats, released: int) -> float:
    """Difference in differences, units weighted to move like the treated ones, periods to be like those after."""
    after = untouched.shape[1] - released
    ridge = (len(treated) * after) ** 0.25
    units = _unit_weights(treated, untouched, released, ridge=ridge, intercept=True)
    periods = _simplex_fit(
        untouched[:, :released] - untouched[:, :released].mean(axis=0),
        untouched[:, released:].mean(axis=1) - untouched[:, released:].mean(),
        _TIME_RIDGE * _noise(untouched, released),
    )
    gap = treated.mean(axis=0) - units @ untouched
    return float(gap[released:].mean() - periods @ gap[:released])


def _change(mean: Floats, released: int) -> float:
    return float(mean[released:].mean() - mean[:released].mean())


def _noise(untouched: Floats, released: int) -> float:
    return float(np.diff(untouched[:, :released], axis=1).std(ddof=1)) if released > 1 else 0.0


def _unit_weights(treated: Floats, untouched: Floats, released: int, *, ridge: float, intercept: bool) -> Floats:
    goal, columns = treated[:, :released].mean(axis=0), untouched[:, :released].T
    if intercept:
        goal, columns = goal - goal.mean(), columns - columns.mean(axis=0)
    return _simplex_fit(columns, goal, ridge * _noise(untouched, released))


def _simplex_fit(columns: Floats, goal: Floats, ridge: float) -> Floats:
    """Weights w >= 0 adding up to one that minimise |columns w - goal|^2 / rows + ridge^2 |w|^2.

    Non-negative least squares (Lawson & Hanson 1974, chapter 23) with the sum as one heavy equation.
    """
    rows, width = columns.shape
    fit = columns.T @ columns / rows
    scale = float(np.trace(fit)) or 1.0
    # The faint extra ridge decides between units that are exactly alike.
    hessian = fit + (ridge**2 + _FAINT * scale) * np.eye(width) + _HEAVY * scale
    linear = columns.T @ goal / rows + _HEAVY * scale
    weights, free = np.zeros(width), np.zeros(width, dtype=bool)
    for _ in range(_ROUNDS * width):
        gain = np.where(free, -np.inf, linear - hessian @ weights)
        best = int(np.argmax(gain))
        if gain[best] <= _SETTLED * scale:
            break
        free[best] = True
        weights = _inside(hessian, linear, weights, free)
    return np.asarray(weights / weights.sum())


def _inside(hessian: Floats, linear: Floats, weights: Floats, free: NDArray[np.bool_]) -> Floats:
    """The best weights among the `free`, those that would turn negative on the way being let go (`free` is updated)."""
    while True:
        trial = np.zeros(len(weights))
        trial[free] = np.linalg.solve(hessian[np.ix_(free, free)], linear[free])
        falling = free & (trial <= 0)
        if not falling.any():
            return trial
        share = float(np.min(weights[falling] / np.maximum(weights[falling] - trial[falling], _GONE)))
        weights = weights + share * (trial - weights)
        free &= weights > _GONE
        weights = np.where(free, weights, 0.0)
