"""Raking and calibration, against the tables of Kalton & Flores-Cervantes 2003 as R's survey package prints them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from services.roadmap.priority.calibration import Margin, calibrate, rake

SAMPLE = [[20, 40, 40], [50, 140, 310], [100, 50, 50], [30, 100, 70]]
MARGINS = [Margin((0,), [175, 550, 430, 345]), Margin((1,), [365, 415, 720])]
PRINTED = 0.00501


def test_raking_reproduces_table_b() -> None:
    """IPF on both margins gives the weights of table B."""
    expected = [[1.81, 1.45, 2.02], [1.08, 0.87, 1.21], [2.20, 1.76, 2.45], [1.83, 1.47, 2.04]]
    found = rake(SAMPLE, MARGINS)
    assert found.converged
    assert np.allclose(found.weights, expected, atol=PRINTED)


def test_linear_calibration_reproduces_table_c() -> None:
    """The GREG estimator gives the weights of table C in one step."""
    expected = [[1.82, 1.50, 1.97], [1.09, 0.78, 1.24], [2.19, 1.88, 2.34], [1.83, 1.52, 1.98]]
    found = calibrate(SAMPLE, MARGINS)
    assert (found.converged, found.rounds) == (True, 1)
    assert np.allclose(found.weights, expected, atol=PRINTED)


def test_truncated_linear_calibration_reproduces_table_g() -> None:
    """Bounds 0.5 and 2.2 cut the weights of table C, and the margins still hold."""
    expected = [[1.81, 1.48, 1.99], [1.08, 0.75, 1.26], [2.20, 2.00, 2.20], [1.83, 1.50, 2.00]]
    found = calibrate(SAMPLE, MARGINS, bounds=(0.5, 2.2))
    assert found.converged
    assert np.allclose(found.weights, expected, atol=PRINTED)


def test_logit_calibration_reproduces_table_g() -> None:
    """The logit distance with the same bounds gives its own weights of table G."""
    expected = [[1.87, 1.46, 1.98], [1.08, 0.74, 1.27], [2.17, 2.09, 2.18], [1.89, 1.49, 1.99]]
    found = calibrate(SAMPLE, MARGINS, distance="logit", bounds=(0.5, 2.2))
    assert found.converged
    assert np.allclose(found.weights, expected, atol=PRINTED)


def test_raking_to_a_joint_margin_keeps_structural_zeros() -> None:
    """A 2 x 2 x 2 table raked to a joint margin and a third one meets both, and its zero cells stay zero."""
    sample = [[[10, 5], [20, 0]], [[5, 5], [6, 8]]]
    joint, third = [[150, 200], [150, 220]], [500, 220]
    found = rake(sample, [Margin((0, 1), joint), Margin((2,), third)])
    assert found.converged
    assert np.allclose(found.fitted.sum(axis=2), joint)
    assert np.allclose(found.fitted.sum(axis=(0, 1)), third)
    assert found.fitted[0, 1, 1] == 0.0
    assert math.isnan(found.weights[0, 1, 1])


def test_axes_of_a_joint_margin_may_come_in_any_order() -> None:
    """A margin over (1, 0) is the transpose of the same margin over (0, 1)."""
    sample = [[4, 4, 4], [4, 4, 4]]
    found = rake(sample, [Margin((1, 0), [[1, 2], [3, 4], [5, 6]])])
    assert found.fitted.tolist() == [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]


def test_raking_keeps_the_odds_ratio_of_the_sample() -> None:
    """IPF changes the margins, not the association: the odds ratio of 6 stays."""
    fitted = rake([[30, 10], [10, 20]], [Margin((0,), [60, 60]), Margin((1,), [70, 50])]).fitted
    assert fitted[0, 0] * fitted[1, 1] / (fitted[0, 1] * fitted[1, 0]) == pytest.approx(6.0)


def test_margins_that_contradict_each_other_are_reported() -> None:
    """Populations of 100 and 120 cannot both hold: raking stops at its cap and says by how much it fails."""
    found = rake([[1, 1], [1, 1]], [Margin((0,), [50, 50]), Margin((1,), [60, 60])], max_sweeps=7)
    assert (found.converged, found.rounds) == (False, 7)
    assert found.error == pytest.approx(10 / 60)


def test_population_without_participants_is_reported() -> None:
    """Nobody took part in a row the population has: neither solver invents people there."""
    sample, margins = [[10, 10], [0, 0]], [Margin((0,), [30, 70])]
    for found in (rake(sample, margins, max_sweeps=3), calibrate(sample, margins)):
        assert not found.converged
        assert found.error == pytest.approx(1.0)
        assert np.isnan(found.weights[1]).all()


def test_bounds_too_tight_for_the_margins_are_reported() -> None:
    """Weights of at most 1.2 cannot lift 1,000 participants to 1,500 people."""
    for distance in ("linear", "logit"):
        found = calibrate(SAMPLE, MARGINS, distance=distance, bounds=(0.5, 1.2))
        assert not found.converged
        assert np.nanmax(found.weights) <= 1.2


def test_margin_of_the_wrong_shape_is_refused() -> None:
    """The error names the margin and the shape the table asks for."""
    with pytest.raises(ValueError, match=r"margin over axes \(1,\) has shape \(2,\): the table asks for \(3,\)"):
        rake(SAMPLE, [Margin((1,), [1, 2])])


def test_logit_without_bounds_is_refused() -> None:
    """The error says which bounds to give."""
    with pytest.raises(ValueError, match="logit calibration needs bounds"):
        calibrate(SAMPLE, MARGINS, distance="logit")


def test_bounds_beside_one_are_refused() -> None:
    """Bounds must allow the weight that calibration starts from."""
    with pytest.raises(ValueError, match="choose low < 1 < high"):
        calibrate(SAMPLE, MARGINS, bounds=(1.1, 2.0))
