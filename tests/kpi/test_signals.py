import pytest

from services.kpi import signals
from services.kpi.signals import Limits


def test_limits_by_hand() -> None:
    """10, 50, 40, 30: mean 32.5, moving ranges 40, 10, 10, limits 32.5 +- 2.66 x 20, range limit 3.268 x 20."""
    limits = signals.xmr([10, 50, 40, 30])
    assert limits is not None
    assert (limits.centre, limits.moving_range) == (32.5, 20.0)
    assert (limits.low, limits.high, limits.range_high) == pytest.approx((-20.7, 85.7, 65.36))
    assert signals.three_sigma(limits) == pytest.approx((-20.691489, 85.691489), abs=1e-6)


def test_one_value_has_no_limits() -> None:
    """Without a moving range there is nothing to tell signal from noise by."""
    assert signals.xmr([5.0]) is None


def test_a_point_outside_the_limits_of_the_baseline() -> None:
    """Limits come from the first ten values, so that the eleventh cannot widen them and is seen."""
    values = [10.0, 11, 9, 10, 11, 9, 10, 11, 9, 10, 20]
    limits = signals.xmr(values, baseline=10)
    assert limits is not None
    assert signals.outside(values, limits) == [10]
    assert signals.runs(values, limits) == []
    assert signals.near_limits(values, limits) == []


LIMITS = Limits(centre=0.0, moving_range=1.0, low=-4.0, high=4.0, range_high=3.0)


def test_eight_on_one_side_are_a_run() -> None:
    """Nine values above the centre are one run; a value on the centre line ends it."""
    assert signals.runs([-1.0, *[1.0] * 9, -1.0], LIMITS) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert signals.runs([1.0] * 7 + [0.0] + [1.0] * 7, LIMITS) == []


def test_three_of_four_near_a_limit() -> None:
    """Three of four beyond half the way to the same limit are flagged; two on each side are not."""
    assert signals.near_limits([0.0, 3.0, 3.0, 0.0, 3.0, 0.0, 0.0], LIMITS) == [1, 2, 3, 4]
    assert signals.near_limits([3.0, -3.0, 3.0, -3.0], LIMITS) == []
