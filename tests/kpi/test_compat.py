import numpy as np
import pytest
from numpy.typing import NDArray

from services.kpi.compat import causal_impact

WAVE = np.sin(np.arange(100) * 1.7) + np.cos(np.arange(100) * 0.9)


def raised(values: NDArray[np.float64], effect: float) -> NDArray[np.float64]:
    return values + np.where(np.arange(100) >= 70, effect, 0.0)


def test_average_and_total_are_one_effect() -> None:
    """The cumulative effect is the average times the periods measured, its interval too; actual less predicted."""
    found = causal_impact(raised(20 + WAVE, 3.0), 70)
    assert found.cumulative == pytest.approx(30 * found.average)
    assert found.cumulative_interval[1] == pytest.approx(30 * found.average_interval[1])
    assert found.average == pytest.approx(found.actual_average - found.predicted_average)
    assert found.average_interval[0] < 3.0 < found.average_interval[1]


def test_p_never_falls_below_what_the_draws_can_see() -> None:
    """A certain effect has p = 1 / draws, as R's sampler would print it."""
    assert causal_impact(raised(20 + WAVE, 30.0), 70, draws=5000).p_one_sided == 0.0002


def test_a_control_is_used_and_a_useless_one_does_little() -> None:
    """A control that carries the KPI at least halves the interval; noise as a control leaves it alike."""
    control = 10 * WAVE
    values = 5 + control + np.random.default_rng(1).normal(size=100)
    alone = causal_impact(values, 70)
    explained = causal_impact(values, 70, controls=control)
    useless = causal_impact(values, 70, controls=np.random.default_rng(2).normal(size=100))
    width, narrow, same = (
        found.average_interval[1] - found.average_interval[0] for found in (alone, explained, useless)
    )
    assert narrow < width / 2
    assert same == pytest.approx(width, rel=0.25)


def test_the_same_control_three_times_is_one_control() -> None:
    """Collinear controls do not break the sum over subsets and predict what one of them predicts."""
    control = 10 * WAVE
    values = 5 + control + np.random.default_rng(1).normal(size=100)
    one = causal_impact(values, 70, controls=control)
    three = causal_impact(values, 70, controls=np.column_stack([control, control, control]))
    assert three.average == pytest.approx(one.average, abs=0.05)


def test_a_season_is_taken_out() -> None:
    """A weekly pattern of a hundred times the noise does not hide an effect of one."""
    pattern = 100 * np.array([0.0, 1, 2, 1, 0, -2, -2])[np.arange(100) % 7]
    values = raised(pattern + np.random.default_rng(3).normal(size=100), 10.0)
    found = causal_impact(values, 70, season=7)
    assert found.average == pytest.approx(10.0, abs=1.0)


def test_too_many_controls_are_refused() -> None:
    """More controls than subsets can be summed over are named, with what to do."""
    with pytest.raises(ValueError, match="at most 8 can be compared"):
        causal_impact(WAVE, 70, controls=np.ones((100, 9)))
