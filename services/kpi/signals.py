"""Signal or noise? XmR charts (Wheeler, Understanding Variation; Making Sense of Data): limits from the moving range.

They assume values that do not depend on one another: a KPI with a season or autocorrelation breaks them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

RUN = 8
NEAR, WINDOW = 3, 4

# Wheeler's published constants, rounded as he prints them: 3 / d2 and D4 for ranges of two values, and the same for the
# median moving range.
AVERAGE_LIMIT, AVERAGE_RANGE_LIMIT = 2.660, 3.268
MEDIAN_LIMIT, MEDIAN_RANGE_LIMIT = 3.145, 3.865
D2 = 1.128  # the expected range of two standard normal values, rounded as NIST's handbook prints it


@dataclass(frozen=True, slots=True)
class Limits:
    """Natural process limits of a KPI and of its moving range."""

    centre: float
    moving_range: float
    low: float
    high: float
    range_high: float


def xmr(values: Sequence[float], *, baseline: int | None = None) -> Limits | None:
    """Limits from the first `baseline` values (all by default); undefined from fewer than two.

    A share's limits may lie outside 0..1: clip them where they are shown, not here.
    """
    based = values[:baseline]
    if len(based) < 2:  # noqa: PLR2004
        return None
    centre, moving_range = fmean(based), fmean(abs(after - before) for before, after in pairwise(based))
    reach = AVERAGE_LIMIT * moving_range
    return Limits(centre, moving_range, centre - reach, centre + reach, AVERAGE_RANGE_LIMIT * moving_range)


def three_sigma(limits: Limits) -> tuple[float, float]:
    """Low and high limit with the constant unrounded: centre +- 3 mR / d2 (NIST/SEMATECH e-Handbook, 6.3.2.2)."""
    reach = 3 * limits.moving_range / D2
    return limits.centre - reach, limits.centre + reach


def outside(values: Sequence[float], limits: Limits) -> list[int]:
    """Rule 1: indices of values beyond a limit, the sign of a dominant cause."""
    return [i for i, value in enumerate(values) if value < limits.low or value > limits.high]


def runs(values: Sequence[float], limits: Limits) -> list[int]:
    """Rule 2: indices within runs of eight or more on one side of the centre, the sign of a weak but lasting cause."""
    return _in_windows([_sign(value - limits.centre) for value in values], RUN, RUN)


def near_limits(values: Sequence[float], limits: Limits) -> list[int]:
    """Rule 3: indices of four in a row with three in the same outer quarter, the sign of a moderate lasting cause."""
    half = (limits.high - limits.centre) / 2
    sides = [_sign(value - limits.centre) if abs(value - limits.centre) > half else 0 for value in values]
    return _in_windows(sides, NEAR, WINDOW)


def _in_windows(sides: Sequence[int], enough: int, length: int) -> list[int]:
    flagged: set[int] = set()
    for start in range(len(sides) - length + 1):
        window = sides[start : start + length]
        if max(window.count(1), window.count(-1)) >= enough:
            flagged.update(range(start, start + length))
    return sorted(flagged)


def _sign(value: float) -> int:
    return 0 if value == 0 else int(math.copysign(1, value))
