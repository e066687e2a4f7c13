"""Did a release move a KPI? A verdict with its size, its uncertainty, and the smallest change it could have shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.kpi.counterfactual import Counterfactual, Series, controls_columns, counterfactual, season_columns
from services.kpi.distributions import NORMAL, Z95, Floats

Verdict = Literal["improved", "worsened", "no_visible_change", "cannot_tell"]

MIN_BEFORE = 8
MIN_AFTER = 3
SEASONS_BEFORE = 2
DRIFT_PLAUSIBLE = 0.1
P_FLOOR = 1e-4  # the model is not trusted further into its tails than this
_POWER_FACTOR = 1.0 + NORMAL.inv_cdf(0.8) / Z95


@dataclass(frozen=True, slots=True)
class NotYet:
    """Too little was measured to assess anything."""

    more_before: int
    more_after: int

    def __str__(self) -> str:
        """What to do about it, in one sentence."""
        needs = [
            f"{count} more measured period{'s' if count > 1 else ''} {side} the release"
            for count, side in ((self.more_before, "before"), (self.more_after, "after"))
            if count
        ]
        return f"Not yet: needs {' and '.join(needs)}."


@dataclass(frozen=True, slots=True)
class Assessment:
    """The effect of one release on one KPI; all values in the KPI's own unit, intervals at 95 %."""

    verdict: Verdict
    effect: float
    """Average over the observed periods after the release of measured minus expected."""
    low: float
    high: float
    relative: float | None
    """Effect over what was expected; undefined where the expectation's interval touches zero."""
    relative_low: float | None
    relative_high: float | None
    p: float
    """Two-sided probability of an effect on the other side of zero, never below `P_FLOOR`."""
    minimum_detectable: float
    """The smallest effect this series would have shown with 80 % power."""
    measured_mean: float
    expected_mean: float
    n_before: int
    n_after: int
    expected: tuple[float, ...]
    """Per period: the prediction from the periods before it, and from the release on what to expect without it."""
    expected_low: tuple[float, ...]
    expected_high: tuple[float, ...]


def assess(
    values: ArrayLike,
    released_index: int,
    *,
    controls: ArrayLike | None = None,
    sizes: ArrayLike | None = None,
    answer_variance: float | None = None,
    season: int | None = None,
    drift: float = DRIFT_PLAUSIBLE,
    higher_is_better: bool = True,
    effect_of_interest: float | None = None,
) -> Assessment | NotYet:
    """Compares a KPI after a release with what it would have been, judged by its own past and by untouched controls.

    Args:
        values: One value per period, evenly spaced, in time order (T,); NaN = not measured, and skipped.
        released_index: Index of the first period that lies wholly after the release.
        controls: Series the release cannot have touched (T,) or (T, C); a period with a NaN is skipped.
        sizes: Answers behind each value (T,); a period with none is skipped.
        answer_variance: Variance of one answer, e.g. `share_variance(values, sizes)`: makes the noise of each value
            known (variance / size); without it the sizes only weigh the periods against one another.
        season: Length of a repeating pattern in periods (7 for days of the week).
        drift: Prior probability that the KPI was drifting anyway, 0..1.
        higher_is_better: The KPI's good direction.
        effect_of_interest: The smallest effect that would matter: if the series could not have shown it, the verdict is
            `cannot_tell`. By default one standard deviation of the KPI before the release.

    Raises:
        ValueError: Lengths differ, a number is infinite, or an option is out of its range.
    """
    series = _series(values, released_index, controls, sizes, answer_variance, season)
    if not 0.0 <= drift <= 1.0:
        raise ValueError(f"drift is a probability: give a number from 0 to 1, not {drift}")
    before, after = int(series.before.sum()), int(series.after.sum())
    need_before = max(MIN_BEFORE, SEASONS_BEFORE * (season or 0))
    if before < need_before or after < MIN_AFTER:
        return NotYet(max(need_before - before, 0), max(MIN_AFTER - after, 0))
    without = counterfactual(series, drift=drift)
    if effect_of_interest is None:
        # Where nothing ever moved, there is no change too small to have been seen.
        effect_of_interest = float(series.values[series.before].std(ddof=1)) or math.inf
    return _assessment(series, without, higher_is_better=higher_is_better, interest=effect_of_interest)


def share_variance(values: ArrayLike, sizes: ArrayLike, *, whole: float = 1.0) -> float:
    """Variance p(1 - p) of one yes-or-no answer behind a share; `whole` = 100 for percentages.

    Pass the periods before the release. The share is kept within 2..98 %, lest a few unanimous answers claim certainty.
    """
    share, size = np.asarray(values, dtype=float) / whole, np.asarray(sizes, dtype=float)
    counted = np.isfinite(share) & (size > 0)
    if not counted.any():
        raise ValueError("no period has both a value and answers behind it: the variance of an answer is unknown")
    pooled = min(max(float(np.average(share[counted], weights=size[counted])), 0.02), 0.98)
    return pooled * (1.0 - pooled) * whole**2


def _series(
    values: ArrayLike,
    released: int,
    controls: ArrayLike | None,
    sizes: ArrayLike | None,
    answer_variance: float | None,
    season: int | None,
) -> Series:
    response = _numbers("values", values, None)
    periods = len(response)
    if not 0 <= released <= periods:
        raise ValueError(f"released_index is {released}: with {periods} values it must lie from 0 to {periods}")
    if season is not None and season < 2:  # noqa: PLR2004
        raise ValueError(f"season is {season}: a repeating pattern is at least 2 periods long")
    observed = np.isfinite(response)
    variances = np.ones(periods)
    if sizes is not None:
        size = _numbers("sizes", sizes, periods)
        observed &= np.nan_to_num(size) > 0
        variances = np.where(
            observed, (1.0 if answer_variance is None else answer_variance) / np.where(observed, size, 1.0), 1.0
        )
    elif answer_variance is not None:
        raise ValueError("answer_variance needs sizes: give the number of answers behind each value")
    if answer_variance is not None and answer_variance <= 0:
        raise ValueError(
            f"answer_variance is {answer_variance}: answers that cannot differ carry no noise, leave it out"
        )
    columns: list[tuple[Floats, Floats]] = []
    if controls is not None:
        control = _numbers("controls", controls, periods).reshape(periods, -1)
        observed &= np.isfinite(control).all(axis=1)
        before = observed & (np.arange(periods) < released)
        if before.any():
            columns.append(controls_columns(control, before))
    if season is not None:
        columns.append(season_columns(periods, season))
    regressors = np.column_stack([np.empty((periods, 0)), *(column for column, _ in columns)])
    priors = np.concatenate([np.empty(0), *(prior for _, prior in columns)])
    return Series(response, observed, released, variances, answer_variance is not None, regressors, priors)


def _numbers(name: str, given: ArrayLike, length: int | None) -> Floats:
    numbers: NDArray[np.float64] = np.asarray(given, dtype=np.float64)
    if length is not None and len(numbers) != length:
        raise ValueError(f"{name} has {len(numbers)} periods, values has {length}: give one per period")
    if np.isinf(numbers).any():
        raise ValueError(f"{name} holds an infinite number at period {int(np.argwhere(np.isinf(numbers))[0][0])}")
    return numbers


def _assessment(series: Series, without: Counterfactual, *, higher_is_better: bool, interest: float) -> Assessment:
    measured = float(series.values[series.after].mean())
    expected_low, expected_high = without.mean.quantile(0.025), without.mean.quantile(0.975)
    low, high = measured - expected_high, measured - expected_low
    detectable = (high - low) / 2 * _POWER_FACTOR
    below = without.mean.cdf(measured)
    expected = without.mean.mean
    # Over an expectation that may be zero a ratio says nothing.
    defined = expected_low * expected_high > 0
    ratios = sorted((low / abs(expected_high), high / abs(expected_low))) if defined else (None, None)
    return Assessment(
        verdict=_verdict(low, high, detectable, interest, higher_is_better=higher_is_better),
        effect=measured - expected,
        low=low,
        high=high,
        relative=(measured - expected) / abs(expected) if defined else None,
        relative_low=ratios[0],
        relative_high=ratios[1],
        p=min(max(2 * min(below, 1.0 - below), P_FLOOR), 1.0),
        minimum_detectable=detectable,
        measured_mean=measured,
        expected_mean=expected,
        n_before=int(series.before.sum()),
        n_after=int(series.after.sum()),
        expected=tuple(without.expected.tolist()),
        expected_low=tuple((without.expected - without.half_width).tolist()),
        expected_high=tuple((without.expected + without.half_width).tolist()),
    )


def _verdict(low: float, high: float, detectable: float, interest: float, *, higher_is_better: bool) -> Verdict:
    if low > 0:
        return "improved" if higher_is_better else "worsened"
    if high < 0:
        return "worsened" if higher_is_better else "improved"
    return "cannot_tell" if detectable > interest else "no_visible_change"
