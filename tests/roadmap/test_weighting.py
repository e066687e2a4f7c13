"""Weights and what they cost, against published examples and arithmetic by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from services.roadmap.priority import weighting


def test_post_stratification_reproduces_kalton() -> None:
    """Cell weights are population over sample (Kalton & Flores-Cervantes 2003, table A)."""
    sample = [[20, 40, 40], [50, 140, 310], [100, 50, 50], [30, 100, 70]]
    population = [[80, 40, 55], [60, 150, 340], [170, 60, 200], [55, 165, 125]]
    expected = [[4.0, 1.0, 1.38], [1.2, 1.07, 1.1], [1.7, 1.2, 4.0], [1.83, 1.65, 1.79]]
    assert np.allclose(weighting.post_stratify(sample, population), expected, atol=0.00501)


def test_empty_cell_has_no_weight() -> None:
    """Where nobody took part the weight is undefined, not infinite."""
    weights = weighting.post_stratify([4, 0], [8, 2])
    assert weights[0] == 2.0
    assert math.isnan(weights[1])


def test_tables_of_different_cells_are_refused() -> None:
    """The error says both shapes and asks for the same cells."""
    with pytest.raises(ValueError, match=r"sample has shape \(2,\), population \(3,\): give both by the same cells"):
        weighting.post_stratify([1, 2], [1, 2, 3])


def test_row_weights_keep_the_ratio_of_design_weights_in_a_cell() -> None:
    """Design weights 0.5 and 1 scaled to a cell of 2 become 2/3 and 4/3 (balance, test_poststratify)."""
    weights = weighting.post_stratify_rows(["1", "2", "3", "1"], [0.5, 2, 1, 1], {"1": 2, "2": 0.5, "3": 1})
    assert weights.tolist() == pytest.approx([0.6666666667, 0.5, 1.0, 1.3333333333])


def test_row_without_a_target_has_no_weight() -> None:
    """A person of a cell the population does not name is not guessed at."""
    weights = weighting.post_stratify_rows(["a", "b"], [1, 1], {"a": 3})
    assert weights[0] == 3.0
    assert math.isnan(weights[1])


def test_coverage_names_the_cells_to_recruit() -> None:
    """With only loyal customers present, 20% of the population is covered and the others are named."""
    found = weighting.coverage({"loyal": 100, "other": 0}, {"loyal": 0.2, "other": 0.8})
    assert found.covered_share == pytest.approx(0.2)
    assert (found.empty_cells, found.status) == (("other",), "not identified")


def test_full_coverage_is_identified() -> None:
    """Somebody in each cell identifies the whole population."""
    found = weighting.coverage({"loyal": 100, "other": 10}, {"loyal": 200, "other": 800})
    assert (found.covered_share, found.status) == (1.0, "identified")


def test_nothing_is_covered_of_no_population() -> None:
    """An unknown population has no covered part."""
    assert weighting.coverage({"loyal": 3}, {}).covered_share == 0.0


def test_shrinkage_moves_thin_cells_most() -> None:
    """Five pseudo-participants at 40% move 1 of 10 to 20% and 80 of 100 only to 78.1%."""
    shares = weighting.shrunk_shares([80, 1], [100, 10], 0.4, 5)
    assert shares.tolist() == pytest.approx([0.7809523810, 0.2])


def test_share_of_nobody_is_undefined_without_a_prior() -> None:
    """Without pseudo-participants an empty cell has no share."""
    assert math.isnan(weighting.shrunk_shares([0], [0], 0.5, 0)[0])


def test_weighted_mean_uses_only_held_cells() -> None:
    """Weights 1 and 3 on cells of mean 2 and 4 give 3.5, and a cell without people changes nothing."""
    assert weighting.weighted_mean([1, 3, math.nan], [2, 2, 0], [4, 8, 0]) == pytest.approx(3.5)


def test_weighted_mean_of_nothing_is_undefined() -> None:
    """No people, no mean."""
    assert weighting.weighted_mean([1.0], [0], [0]) is None


def test_kish_design_effect() -> None:
    """Weights 0, 1, 2, 3 lose 1.56 in variance: four people are worth 2.57 (balance, design_effect)."""
    assert weighting.design_effect([0, 1, 2, 3]) == pytest.approx(1.5555555556)
    assert weighting.effective_sample_size([0, 1, 2, 3]) == pytest.approx(2.5714285714)


def test_kish_by_cell_equals_kish_by_person() -> None:
    """A hundred weights of 0.22 and ten of 8.8 are worth 15.53 answers."""
    assert weighting.effective_sample_size([0.22, 8.8], [100, 10]) == pytest.approx(15.527950311)


def test_kish_without_weights_is_undefined() -> None:
    """No weight: no design effect, and nobody's worth of answers."""
    assert weighting.design_effect([0.0, 0.0]) is None
    assert weighting.effective_sample_size([]) == 0.0


def test_trimming_keeps_the_sum_and_gains_precision() -> None:
    """8.8 cut at 5 times the mean and scaled back is 7.64; the answers are then worth 20.3 instead of 15.5."""
    trimmed = weighting.trim([0.22, 8.8], [100, 10], cap_ratio=5)
    assert trimmed.tolist() == pytest.approx([0.336111111, 7.638888889])
    assert weighting.effective_sample_size(trimmed, [100, 10]) == pytest.approx(20.342175, abs=1e-6)


def test_trimming_leaves_small_weights_and_no_weights_alone() -> None:
    """Nothing above the cap, or nothing at all, stays as it is."""
    assert weighting.trim([1.0, 2.0]).tolist() == [1.0, 2.0]
    assert weighting.trim([0.0, 0.0]).tolist() == [0.0, 0.0]


def test_coverage_counts_customers_and_not_cells() -> None:
    """Whoever is in no table took no part, one person speaks for a cell, and a cell without customers lacks nobody."""
    found = weighting.coverage({"a": 1}, {"a": 6, "b": 2, "c": 0})
    assert (found.covered_share, found.empty_cells) == (0.75, ("b",))


def test_one_person_stands_for_a_cell() -> None:
    """Weights, means and design effects begin with the first answer, however small its weight."""
    assert weighting.post_stratify([1], [8]).tolist() == [8.0]
    assert weighting.weighted_mean([0.5], [1], [3]) == 3.0
    assert weighting.design_effect([2.0]) == 1.0
    assert weighting.effective_sample_size([0.1, 0.1]) == pytest.approx(2.0)


def test_a_cell_of_nobody_needs_no_weight() -> None:
    """What has no weight is left out where nobody holds it."""
    assert weighting.effective_sample_size([1, math.nan], [2, 0]) == 2.0


def test_row_weights_without_design_weights_are_undefined() -> None:
    """Nothing can be scaled to the cell's target; a weight for each person is asked for."""
    assert math.isnan(weighting.post_stratify_rows(["a"], [0.0], {"a": 3})[0])
    with pytest.raises(ValueError, match="shorter"):
        weighting.post_stratify_rows(["a", "a"], [1.0], {"a": 3})


def test_a_prior_of_more_weight_than_people() -> None:
    """Two of two with four pseudo-participants at a quarter are half; nobody with one is the prior."""
    assert weighting.shrunk_shares([2, 0], [2, 0], 0.25, [4, 1]).tolist() == [0.5, 0.25]


def test_trimming_cuts_at_five_times_the_mean_unless_told() -> None:
    """91 among nine of 1 is cut at 50 and scaled back by 100/59; parts of 1 are cut the same way."""
    assert weighting.trim([1.0] * 9 + [91.0])[-1] == pytest.approx(84.7457627119)
    assert weighting.trim([0.05] * 9 + [0.55])[-1] == pytest.approx(0.5263157895)
