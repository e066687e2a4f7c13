import numpy as np
import pytest

from services.kpi.structural import fit_local_level


def test_a_level_that_does_not_wander_has_variance_zero() -> None:
    """Values 0, 2, 0 have mean 2/3, residual variance 4/3 and diffuse log likelihood -3.674865 (by hand)."""
    found = fit_local_level([0.0, 2.0, 0.0])
    assert found.level_variance == 0.0
    assert found.irregular_variance == pytest.approx(1.3333333, abs=1e-6)
    assert found.log_likelihood == pytest.approx(-3.674865, abs=1e-6)


def test_a_step_in_a_level_that_does_not_wander_is_the_difference_of_means() -> None:
    """With values alternating around 10 and then 4 the step is -6, its error the one of two means of eight."""
    values = [9.0, 11.0] * 4 + [3.0, 5.0] * 4
    found = fit_local_level(values, [0.0] * 8 + [1.0] * 8)
    assert found.coefficients == pytest.approx((-6.0,))
    assert found.standard_errors == pytest.approx((0.534522,), abs=1e-6)
    assert found.level_variance == 0.0


def test_a_random_walk_is_all_level() -> None:
    """A random walk of unit steps has level variance near 1 and hardly any irregular."""
    found = fit_local_level(np.cumsum(np.random.default_rng(1).normal(size=2000)))
    assert found.level_variance == pytest.approx(1.0, abs=0.1)
    assert found.irregular_variance < 0.05


def test_a_season_and_a_missing_value_do_not_move_the_step() -> None:
    """A yearly pattern is fitted along and a missing month skipped: the step of -2 stays -2."""
    pattern = np.array([3.0, 1, 0, 0, 1, 2, -1, -2, -1, 0, -1, -2])[np.arange(96) % 12]
    step = (np.arange(96) >= 60).astype(float)
    values = 50 + pattern - 2 * step + np.where(np.arange(96) % 2, 0.01, -0.01)
    values[17] = np.nan
    assert fit_local_level(values, step, season=12).coefficients == pytest.approx((-2.0,), abs=0.02)


def test_too_few_values_are_refused() -> None:
    """As many coefficients as values cannot be estimated, and that is said."""
    with pytest.raises(ValueError, match="2 values cannot support 2 coefficients"):
        fit_local_level([1.0, 2.0], [0.0, 1.0])
