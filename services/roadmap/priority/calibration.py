"""Weights from population margins alone: raking and calibration, for when the joint cell sizes are not known.

Each margin names axes of the table of participants and the population over them. Every solver reports how far its
margins are from the target instead of looping on: margins that contradict each other, or that ask for people in
cells where nobody took part, cannot be met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Distance = Literal["linear", "logit"]
Curve = Callable[[Floats], tuple[Floats, Floats]]

MAX_SWEEPS = 200
MAX_STEPS = 100
MAX_HALVINGS = 30
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Margin:
    """Population counts over some axes of the table: `axes` (0,) for the first alone, (0, 1) for a joint margin."""

    axes: tuple[int, ...]
    totals: ArrayLike


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Weights per cell (NaN where nobody took part) and the table they lead to.

    `error` is the largest distance of any margin class from its target, as a share of the largest target; `rounds`
    are sweeps or Newton steps.
    """

    weights: Floats
    fitted: Floats
    error: float
    rounds: int
    converged: bool


def rake(
    sample: ArrayLike, margins: Sequence[Margin], *, tolerance: float = TOLERANCE, max_sweeps: int = MAX_SWEEPS
) -> Calibrated:
    """Iterative proportional fitting: scale the table to each margin in turn until all hold (Deming & Stephan 1940).

    `sample` is a table of counts or design weights. Cells of 0 stay 0, and the odds ratios of the table are kept.
    """
    table = np.asarray(sample, dtype=np.float64)
    design, target = _constraints(table.shape, margins)
    fitted, error, sweeps = table.copy(), _error(table.ravel() @ design, target), 0
    while error > tolerance and sweeps < max_sweeps:
        for margin in margins:
            fitted *= _factors(fitted, margin)
        error = _error(fitted.ravel() @ design, target)
        sweeps += 1
    return _result(table, fitted, error, sweeps, tolerance)


def calibrate(
    sample: ArrayLike,
    margins: Sequence[Margin],
    *,
    distance: Distance = "linear",
    bounds: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
    max_steps: int = MAX_STEPS,
) -> Calibrated:
    """Calibration estimator: the weights nearest to 1 whose margins hold (Deville & Särndal 1992, JASA 87:376).

    "linear" is the GREG estimator, with `bounds` (low, high) its truncated form; "logit" always needs bounds around 1
    and stays strictly inside. Unlike trimming afterwards, bounded weights still meet the margins, when they can.
    """
    curve = _curve(distance, bounds)
    table = np.asarray(sample, dtype=np.float64)
    design, target = _constraints(table.shape, margins)
    held = table.ravel() > 0
    scaled = design[held] * table.ravel()[held, None]
    weights, steps = _newton(curve, design[held], scaled, target, tolerance=tolerance, max_steps=max_steps)
    fitted = np.zeros(table.size)
    fitted[held] = table.ravel()[held] * weights
    error = _error(fitted @ design, target)
    return _result(table, fitted.reshape(table.shape), error, steps, tolerance)


def _newton(
    curve: Curve, design: Floats, scaled: Floats, target: Floats, *, tolerance: float, max_steps: int
) -> tuple[Floats, int]:
    """Weights that solve `weights @ scaled = target` along the curve, or come nearest, and the steps it took."""
    multipliers = np.zeros(design.shape[1])
    weights, slopes = curve(design @ multipliers)
    for step_number in range(max_steps):
        misfit = target - weights @ scaled
        if _error(weights @ scaled, target) <= tolerance:
            return weights, step_number
        # Margins overlap (each adds up to the population), so the system is singular: least squares picks one root.
        step = np.linalg.lstsq((design * slopes[:, None]).T @ scaled, misfit, rcond=None)[0]
        for _ in range(MAX_HALVINGS):
            weights, slopes = curve(design @ (multipliers + step))
            if np.linalg.norm(target - weights @ scaled) < np.linalg.norm(misfit):
                break
            step = step / 2
        else:
            return curve(design @ multipliers)[0], step_number
        multipliers = multipliers + step
    return weights, max_steps


def _constraints(shape: tuple[int, ...], margins: Sequence[Margin]) -> tuple[Floats, Floats]:
    """Indicator matrix (cells x margin classes) and the population of each class."""
    columns, totals = [], []
    places = np.indices(shape).reshape(len(shape), -1)
    for margin in margins:
        wanted = np.asarray(margin.totals, dtype=np.float64)
        expected = tuple(shape[axis] for axis in margin.axes)
        if wanted.shape != expected:
            raise ValueError(f"margin over axes {margin.axes} has shape {wanted.shape}: the table asks for {expected}")
        classes = np.ravel_multi_index(tuple(places[axis] for axis in margin.axes), expected)
        columns.append(np.eye(wanted.size)[classes])
        totals.append(wanted.ravel())
    return np.hstack(columns), np.concatenate(totals)


def _factors(fitted: Floats, margin: Margin) -> Floats:
    """What to multiply each cell by so that this margin holds; 1 where nobody can be scaled."""
    others = tuple(axis for axis in range(fitted.ndim) if axis not in margin.axes)
    current = fitted.sum(axis=others, keepdims=True)
    # The margin lists its axes in its own order; the table has them in ascending order.
    wanted = np.transpose(np.asarray(margin.totals, dtype=np.float64), np.argsort(margin.axes)).reshape(current.shape)
    factors: Floats = np.divide(wanted, current, out=np.ones(current.shape), where=current > 0)
    return factors


def _error(reached: Floats, target: Floats) -> float:
    largest = max(float(np.max(np.abs(target))), np.finfo(np.float64).tiny)
    return float(np.max(np.abs(reached - target))) / largest


def _result(table: Floats, fitted: Floats, error: float, rounds: int, tolerance: float) -> Calibrated:
    weights = np.divide(fitted, table, out=np.full(table.shape, np.nan), where=table > 0)
    return Calibrated(weights, fitted, error, rounds, converged=error <= tolerance)


def _curve(distance: Distance, bounds: tuple[float, float] | None) -> Curve:
    """Weight and its slope as functions of the linear predictor."""
    if bounds is not None and not bounds[0] < 1 < bounds[1]:
        raise ValueError(f"bounds {bounds} leave out 1, the weight before calibration: choose low < 1 < high")
    if distance == "logit":
        if bounds is None:
            raise ValueError("logit calibration needs bounds: give (low, high) with low < 1 < high")
        return _logit(*bounds)
    low, high = bounds or (-np.inf, np.inf)

    def linear(u: Floats) -> tuple[Floats, Floats]:
        inside = (u + 1 > low) & (u + 1 < high)
        return np.clip(u + 1, low, high), inside.astype(np.float64)

    return linear


def _logit(low: float, high: float) -> Curve:
    steepness = (high - low) / ((1 - low) * (high - 1))

    def logit(u: Floats) -> tuple[Floats, Floats]:
        # Beyond +-500 the exponential overflows while the weight already equals its bound.
        grown = np.exp(np.clip(steepness * u, -500, 500))
        weight = (low * (high - 1) + high * (1 - low) * grown) / (high - 1 + (1 - low) * grown)
        return weight, (weight - low) * (high - weight) / ((1 - low) * (high - 1))

    return logit
