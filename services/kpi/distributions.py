"""Normal and Student-t distributions, and mixtures of Student-t with one number of degrees of freedom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

NORMAL = NormalDist()
Z95 = NORMAL.inv_cdf(0.975)

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)
_FAR = 15.0  # the tail beyond is below 1e-23 once there are _MANY degrees of freedom
_MANY = 60.0
_CLOSE = 1e-11
_ROOT_STEPS = 200


def t_cdf(t: Floats, df: float) -> Floats:
    """P(T <= t) for Student's t with `df` >= 1 degrees of freedom, element by element (absolute error below 1e-9).

    With t = sqrt(df) tan(a) the density becomes cos(a)^(df-1), smooth enough for one Gauss-Legendre rule.
    """
    reach = np.abs(t) if df < _MANY else np.minimum(np.abs(t), _FAR)
    angle = np.arctan(reach / math.sqrt(df))
    heights = np.cos(angle[..., None] * (_NODES + 1) / 2) ** (df - 1)
    constant = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    return np.asarray(0.5 + np.sign(t) * constant * angle * (heights @ _NODE_WEIGHTS) / 2)


def t_quantile(probability: float, df: float) -> float:
    """The value that Student's t with `df` degrees of freedom stays below with `probability` (strictly within 0..1)."""
    return StudentMixture(np.ones(1), np.zeros(1), np.ones(1), df).quantile(probability)


@dataclass(frozen=True, slots=True, eq=False)
class StudentMixture:
    """Sum of `weights[i]` x Student-t(`means[i]`, `scales[i]`, `df`); the weights add up to one."""

    weights: Floats
    means: Floats
    scales: Floats
    df: float

    @property
    def mean(self) -> float:
        """Expectation of the mixture."""
        return float(self.weights @ self.means)

    @property
    def sd(self) -> float:
        """Standard deviation of the mixture; `df` must be above 2."""
        inner = self.scales**2 * self.df / (self.df - 2)
        return math.sqrt(float(self.weights @ (inner + (self.means - self.mean) ** 2)))

    def cdf(self, x: float) -> float:
        """P(X <= x)."""
        return float(self.weights @ t_cdf((x - self.means) / self.scales, self.df))

    def quantile(self, probability: float) -> float:
        """The value the mixture stays below with `probability`: Newton's method, kept inside a bracket by bisection."""
        low, high = self._bracket(probability)
        x = (low + high) / 2
        for _ in range(_ROOT_STEPS):
            excess = self.cdf(x) - probability
            low, high = (low, x) if excess > 0 else (x, high)
            if abs(excess) < _CLOSE:
                break
            newton = x - excess / max(self._density(x), math.ulp(0))
            x = newton if low < newton < high else (low + high) / 2
        return x

    def _bracket(self, probability: float) -> tuple[float, float]:
        centre, reach = self.mean, float(self.scales.max())
        low, high = centre - reach, centre + reach
        while self.cdf(low) > probability:
            low, high, reach = low - reach, low, 2 * reach
        while self.cdf(high) < probability:
            low, high, reach = high, high + reach, 2 * reach
        return low, high

    def _density(self, x: float) -> float:
        t = (x - self.means) / self.scales
        log_constant = math.lgamma((self.df + 1) / 2) - math.lgamma(self.df / 2) - 0.5 * math.log(self.df * math.pi)
        shape = np.exp(log_constant - (self.df + 1) / 2 * np.log1p(t * t / self.df))
        return float(self.weights @ (shape / self.scales))
