import numpy as np
import pytest

from services.kpi.statespace import Dynamics, kalman_filter, look_ahead

ONE = Dynamics(np.array([0.5]), np.array([0.5]))


def test_the_second_period_is_predicted_from_the_first() -> None:
    """With level steps of variance .5 and noise of autocorrelation .5 the covariance of two periods is 1.5, 1, 2."""
    filtered = kalman_filter(np.array([[1.0], [2.0]]), np.ones(2), np.array([True, True]), ONE)
    assert filtered.predictions.ravel().tolist() == pytest.approx([0.0, 0.6666667], abs=1e-7)
    assert filtered.variances.ravel().tolist() == pytest.approx([1.5, 1.3333333], abs=1e-7)


def test_an_unobserved_period_teaches_nothing() -> None:
    """A period that was not measured leaves the prediction of the next one at zero, with its full variance."""
    filtered = kalman_filter(np.array([[9.0], [2.0]]), np.ones(2), np.array([False, True]), ONE)
    assert filtered.predictions.ravel().tolist() == [0.0, 0.0]
    assert filtered.variances.ravel().tolist() == [1.5, 2.0]


def test_the_mean_of_later_periods_knows_that_they_move_together() -> None:
    """Two periods ahead of an unmeasured one have variances 2 and 2.5 and covariance 1.5, their mean 1.875."""
    filtered = kalman_filter(np.array([[0.0]]), np.ones(1), np.array([False]), ONE)
    ahead = look_ahead(filtered, np.ones(2), np.array([True, True]), ONE)
    assert ahead.variances.ravel().tolist() == [2.0, 2.5]
    assert ahead.mean_variance.tolist() == [1.875]


def test_a_period_that_does_not_count_is_left_out_of_the_mean() -> None:
    """The mean over the second of two later periods alone has that period's variance."""
    filtered = kalman_filter(np.array([[0.0]]), np.ones(1), np.array([False]), ONE)
    ahead = look_ahead(filtered, np.ones(2), np.array([False, True]), ONE)
    assert ahead.mean_variance.tolist() == [2.5]
