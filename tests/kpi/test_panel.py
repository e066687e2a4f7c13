import numpy as np
import pytest

from services.kpi.panel import (
    assess_panel,
    difference_in_differences,
    synthetic_control,
    synthetic_difference_in_differences,
)

SHARED = np.array([0.0, 1, 3, 2, 4, 5, 4, 6])
ONE = 10 + SHARED
TWO = 30 - SHARED
THREE = np.array([5.0, 7, 5, 6, 5, 7, 6, 5])
UNTOUCHED = np.array([ONE, TWO, THREE])


def test_difference_in_differences_by_hand() -> None:
    """Treated rises from 1 to 9, untouched from 2 and 4 to 3 and 7: 8 less 2 is 6."""
    found = assess_panel([[1.0, 1, 9]], [[2.0, 2, 3], [4.0, 4, 7]], 2, difference_in_differences)
    assert found.effect == pytest.approx(6.0)
    assert found.placebo_error is None


def test_synthetic_control_finds_the_unit_that_was_copied() -> None:
    """A treated unit that follows one untouched unit until the release and rises by 7 has an effect of 7."""
    treated = ONE + np.where(np.arange(8) >= 5, 7.0, 0.0)
    assert assess_panel(treated, UNTOUCHED, 5, synthetic_control).effect == pytest.approx(7.0, abs=1e-3)


def test_synthetic_control_mixes_units() -> None:
    """A treated unit halfway between two untouched ones is given half of each."""
    treated = (ONE + THREE) / 2 + np.where(np.arange(8) >= 5, -2.0, 0.0)
    assert assess_panel(treated, UNTOUCHED, 5, synthetic_control).effect == pytest.approx(-2.0, abs=1e-3)


def test_synthetic_difference_in_differences_ignores_a_constant_gap() -> None:
    """A treated unit 100 above the untouched ones that moves like them and rises by 3 more has an effect of 3."""
    rng = np.random.default_rng(1)
    common = np.cumsum(rng.normal(size=20))
    untouched = common + rng.normal(size=(30, 20)) * 0.1 + np.arange(30)[:, None]
    treated = 100 + common + np.where(np.arange(20) >= 15, 3.0, 0.0)
    found = assess_panel(treated, untouched, 15, synthetic_difference_in_differences)
    assert found.effect == pytest.approx(3.0, abs=0.2)
    assert found.placebo_error is not None
    assert found.placebo_error < 0.3


def test_units_that_are_exactly_alike_share_the_weight() -> None:
    """Untouched units without any difference are no reason to fail."""
    found = assess_panel(np.arange(8.0), np.ones((4, 8)), 5, synthetic_control)
    assert found.effect == pytest.approx(5.0)


def test_a_panel_that_cannot_be_compared_is_refused() -> None:
    """A missing value, or a release before the first period, is named."""
    with pytest.raises(ValueError, match="missing values"):
        assess_panel([1.0, np.nan, 3.0], [[1.0, 2.0, 3.0]], 1, synthetic_control)
    with pytest.raises(ValueError, match="both sides of the release"):
        assess_panel([1.0, 2.0], [[1.0, 2.0]], 0, difference_in_differences)
