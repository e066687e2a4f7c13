"""How sure a share or a difference is, and how many answers it takes to see one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from services.kpi.distributions import NORMAL, Z95, t_cdf, t_quantile

_BISECTIONS = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Mean, standard deviation (n - 1) and size of a sample."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second, with its 95 % interval and two-sided p where there is a test."""

    value: float
    interval: Interval
    p: float | None = None


def wilson(successes: float, total: float) -> Interval | None:
    """Wilson's score interval of a share (Newcombe 1998, Statist. Med. 17:857); undefined without answers."""
    if total <= 0:
        return None
    share, z2 = successes / total, Z95**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    return Interval(max(centre - half, 0.0), min(centre + half, 1.0))


def wald(successes: float, total: float) -> Interval | None:
    """Share +- 1.96 standard errors: known for collapsing at 0 and 1, here only to compare with."""
    if total <= 0:
        return None
    share = successes / total
    half = Z95 * math.sqrt(share * (1 - share) / total)
    return Interval(share - half, share + half)


def share_difference(a: tuple[float, float], b: tuple[float, float]) -> Difference | None:
    """Share of `a` minus share of `b`, each (successes, total): Newcombe's method 10 (1998, Statist. Med. 17:873)."""
    wilson_a, wilson_b = wilson(*a), wilson(*b)
    if wilson_a is None or wilson_b is None:
        return None
    share_a, share_b = a[0] / a[1], b[0] / b[1]
    value = share_a - share_b
    low = value - math.hypot(share_a - wilson_a.low, wilson_b.high - share_b)
    high = value + math.hypot(wilson_a.high - share_a, share_b - wilson_b.low)
    return Difference(value, Interval(low, high))


def mean_difference(a: Sample, b: Sample) -> Difference | None:
    """Mean of `a` minus mean of `b` by Welch's t (1947, Biometrika 34:28); undefined for samples of fewer than two."""
    if min(a.n, b.n) < 2:  # noqa: PLR2004
        return None
    variance_a, variance_b = a.sd**2 / a.n, b.sd**2 / b.n
    value, error = a.mean - b.mean, math.sqrt(variance_a + variance_b)
    if error == 0:
        return Difference(value, Interval(value, value))
    df = (variance_a + variance_b) ** 2 / (variance_a**2 / (a.n - 1) + variance_b**2 / (b.n - 1))
    half = t_quantile(0.975, df) * error
    p = 2 * float(t_cdf(np.array(-abs(value) / error), df))
    return Difference(value, Interval(value - half, value + half), p)


def answers_needed(p1: float, p2: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Answers per period to tell share `p1` from `p2` by a two-sided test (the formula of R's power.prop.test).

    The null's variance is pooled, the alternative's is not. Not rounded up. Undefined when the shares are equal.
    """
    if p1 == p2:
        return None
    null, alternative = _spreads(p1, p2)
    return ((NORMAL.inv_cdf(1 - alpha / 2) * null + NORMAL.inv_cdf(power) * alternative) / (p1 - p2)) ** 2


def power_of(n: float, p1: float, p2: float, *, alpha: float = 0.05) -> float:
    """Probability of telling share `p1` from `p2` with `n` answers per period (as `answers_needed`)."""
    null, alternative = _spreads(p1, p2)
    if alternative == 0:
        return 1.0 if p1 != p2 else alpha / 2
    return NORMAL.cdf((math.sqrt(n) * abs(p1 - p2) - NORMAL.inv_cdf(1 - alpha / 2) * null) / alternative)


def detectable_gain(p1: float, n: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Smallest rise from share `p1` that `n` answers per period show with `power`; undefined if 100 % would not."""
    if n <= 0 or p1 >= 1 or power_of(n, p1, 1.0, alpha=alpha) < power:
        return None
    low, high = p1, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if power_of(n, p1, middle, alpha=alpha) >= power else (middle, high)
    return high - p1


def _spreads(p1: float, p2: float) -> tuple[float, float]:
    mean = (p1 + p2) / 2
    return math.sqrt(2 * mean * (1 - mean)), math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
