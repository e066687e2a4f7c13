"""What is told of many measurements."""

import math
from collections.abc import Iterable, Sequence
from statistics import median as _median


def median(values: Iterable[float]) -> float:
    return float(_median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` percent of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]
