"""Measured RICE, against a worked example by hand and the edges a live board meets."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.roadmap.priority.audience import Audience, audience
from services.roadmap.priority.frame import Frame
from services.roadmap.priority.measured import (
    FORMULA_VERSION,
    CellRow,
    Idea,
    Priority,
    kpi_gap,
    mean_support,
    prioritise,
    prioritise_all,
)

ACTIVE = {"loyal": 100, "other": 10}
CUSTOMERS = {"loyal": 200.0, "other": 800.0}
LOUD = Idea({"loyal": 80, "other": 1}, effort_weeks=2.0)
WANTED = Idea({"loyal": 20, "other": 6}, default_impact=2.0, kpi_gap=0.5, effort_weeks=4.0)


def numbers(found: Priority) -> list[float]:
    values = [getattr(found, item.name) for item in fields(found)]
    return [float(value) for value in values if isinstance(value, int | float)] + list(found.interval)


def plain(row: CellRow) -> tuple[str, int, int, float, float, float]:
    share, weight, contribution = (round(value, 10) for value in (row.population_share, row.weight, row.contribution))
    return row.cell, row.supporters, row.active, share, weight, contribution


def test_loyal_votes_are_weighted_to_the_customer_base() -> None:
    """81 votes, 80 of them from the loyal 20%, stand for 27% of customers and surely for 128 of 1,000."""
    everybody = audience(ACTIVE, Frame(CUSTOMERS))
    found = prioritise(LOUD, everybody, mean_support(81 + 26, 2, everybody.active))
    assert found.raw_votes == 81
    assert found.mean_support == pytest.approx(0.4863636364)
    assert found.share == pytest.approx(0.267478111)
    assert found.n_eff == pytest.approx(15.527950311)
    assert found.conservative_reach == pytest.approx(128.015926)
    assert found.score == pytest.approx(64.007963)


def test_what_the_silent_majority_wants_overtakes_the_loud_idea() -> None:
    """26 votes outrank 81 once the few who speak for the other 80% count for them."""
    everybody = audience(ACTIVE, Frame(CUSTOMERS))
    found = prioritise(WANTED, everybody, mean_support(81 + 26, 2, everybody.active))
    assert found.share == pytest.approx(0.512302594)
    assert (found.impact, found.kpi_factor) == (2.0, 1.25)
    assert found.score == pytest.approx(198.702549)


def test_explanation_names_each_cell() -> None:
    """Each row gives supporters, active people, population share, weight and contribution."""
    found = prioritise(LOUD, audience(ACTIVE, Frame(CUSTOMERS)), 0.5)
    assert [plain(row) for row in found.rows] == [
        ("loyal", 80, 100, 0.2, 0.22, 0.1594059406),
        ("other", 1, 10, 0.8, 8.8, 0.1090909091),
    ]
    assert (found.weighted, found.covered_share, found.formula_version) == (True, 1.0, "measured-rice-1")


def test_unknown_customer_base_is_not_weighted() -> None:
    """Without a population everybody weighs 1, and the share is the plain one with one pseudo-participant in all."""
    found = prioritise(LOUD, audience(ACTIVE), 0.5)
    assert not found.weighted
    assert [row.weight for row in found.rows] == [1.0, 1.0]
    assert found.share == pytest.approx(81.5 / 111)
    assert (found.population, found.n_eff, found.covered_share) == (110.0, 110.0, 1.0)
    assert found.conservative_reach == pytest.approx(72.6, abs=0.1)


def test_empty_population_is_no_population() -> None:
    """Customer counts that add up to zero do not pretend to weigh."""
    assert not audience(ACTIVE, Frame({"loyal": 0, "other": 0})).weighted


def test_nobody_active_scores_zero() -> None:
    """A new board has no share, the widest interval and score 0."""
    found = prioritise(Idea({}), audience({}), 0.0)
    assert (found.share, found.interval, found.score) == (0.0, (0.0, 1.0), 0.0)


def test_nobody_active_in_a_known_customer_base_scores_zero() -> None:
    """Customers who never spoke give no evidence: nothing is covered and the conservative reach is 0."""
    found = prioritise(Idea({}), audience({}, Frame(CUSTOMERS)), 0.0)
    assert (found.covered_share, found.n_eff, found.conservative_reach) == (0.0, 0.0, 0.0)


def test_idea_without_votes_scores_low_but_not_nothing() -> None:
    """Without a vote only the pseudo-participants speak, so the reach stays small."""
    found = prioritise(Idea({}), audience(ACTIVE, Frame(CUSTOMERS)), 0.4)
    assert found.raw_votes == 0
    assert found.share == pytest.approx(0.2 * 0.4 / 101 + 0.8 * 0.4 / 11)
    assert 0 < found.conservative_reach < 10


def test_silent_cell_is_assumed_to_think_like_the_mean() -> None:
    """A cell nobody is active in contributes the mean support and is shown as not covered."""
    found = prioritise(Idea({"loyal": 50}), audience({"loyal": 100}, Frame(CUSTOMERS)), 0.3)
    assert found.covered_share == pytest.approx(0.2)
    assert plain(found.rows[1]) == ("other", 0, 0, 0.8, 0.0, 0.24)
    assert found.n_eff == pytest.approx(100.0)


def test_votes_from_an_unknown_cell_count_raw_but_weigh_nothing() -> None:
    """People of a segment the population does not name are seen in the votes and the rows, not in the share."""
    everybody = audience({**ACTIVE, "unknown": 5}, Frame(CUSTOMERS))
    found = prioritise(Idea({"unknown": 5, "never seen": 1}), everybody, 0.0)
    assert (found.raw_votes, found.share) == (6, 0.0)
    assert found.n_eff == pytest.approx(15.527950311)
    assert [row.cell for row in found.rows] == ["loyal", "never seen", "other", "unknown"]


def test_more_supporters_than_active_people_count_as_all() -> None:
    """A vote counted before its voter is counted as active cannot lift a share above 1."""
    found = prioritise(Idea({"loyal": 7}), audience({"loyal": 5}, Frame({"loyal": 50})), 1.0)
    assert (found.raw_votes, found.share) == (7, 1.0)


def test_importance_is_drawn_to_the_default_by_three_people() -> None:
    """Two people who call it critical lift the impact from 1 to 9/5."""
    found = prioritise(Idea({}, importance_sum=6, importance_people=2), audience(ACTIVE), 0.5)
    assert found.impact == pytest.approx(1.8)


@pytest.mark.parametrize(
    ("estimate", "used", "assumed"), [(None, 1.0, True), (0.0, 0.25, False), (0.1, 0.25, False), (6.0, 6.0, False)]
)
def test_effort_has_a_default_and_a_floor(estimate: float | None, used: float, *, assumed: bool) -> None:
    """No estimate counts as one person-week and is said to be assumed; tiny ones count as a quarter."""
    found = prioritise(Idea({}, effort_weeks=estimate), audience(ACTIVE), 0.5)
    assert (found.effort_weeks, found.effort_assumed) == (used, assumed)


@pytest.mark.parametrize(
    ("baseline", "current", "target", "gap"),
    [
        (0.70, 0.70, 0.80, 1.0),
        (0.70, 0.75, 0.80, 0.5),
        (0.70, 0.85, 0.80, 0.0),
        (0.70, 0.60, 0.80, 1.0),
        (0.10, 0.08, 0.05, 0.6),
        (0.10, 0.12, 0.05, 1.0),
        (0.70, 0.60, 0.70, 0.0),
    ],
)
def test_kpi_gap_is_what_is_left_in_either_direction(
    baseline: float, current: float, target: float, gap: float
) -> None:
    """Targets above and below the baseline count alike, between 0 (reached) and 1 (nothing gained yet)."""
    assert kpi_gap(baseline, current, target) == pytest.approx(gap)


def test_mean_support_of_an_empty_board_is_zero() -> None:
    """No ideas, or nobody active, gives a mean of 0."""
    assert mean_support(0, 0, 110) == 0.0
    assert mean_support(0, 1, 0) == 0.0


def test_same_counts_give_the_same_score_in_any_cell_order() -> None:
    """Rebuilding the board from events in another order does not change a score by a bit."""
    forward = prioritise(WANTED, audience(ACTIVE, Frame(CUSTOMERS)), 0.3)
    turned = Idea({"other": 6, "loyal": 20}, default_impact=2.0, kpi_gap=0.5, effort_weeks=4.0)
    backward = prioritise(turned, audience({"other": 10, "loyal": 100}, Frame({"other": 800.0, "loyal": 200.0})), 0.3)
    assert forward == backward


CELLS = st.sampled_from(["a", "b", "c", "d"])
COUNTS = st.dictionaries(CELLS, st.integers(0, 1_000_000))
FRAMES = st.none() | st.dictionaries(CELLS, st.floats(0, 1e9))


@given(active=COUNTS, population=FRAMES, supporters=COUNTS, p0=st.floats(0, 1), effort=st.none() | st.floats(0, 1e4))
def test_every_board_gives_finite_numbers(
    active: dict[str, int],
    population: dict[str, float] | None,
    supporters: dict[str, int],
    p0: float,
    effort: float | None,
) -> None:
    """Whatever the counts, all terms are finite, none is negative, and contributions added one by one are the share."""
    everybody: Audience = audience(active, Frame(population or {}))
    found = prioritise(Idea(supporters, effort_weeks=effort), everybody, p0)
    assert all(math.isfinite(value) and value >= 0 for value in numbers(found))
    assert reduce(add, (row.contribution for row in found.rows), 0.0) == found.share
    assert found.interval[0] <= found.interval[1]
    assert found.share <= 1 + 1e-9
    assert found.formula_version == FORMULA_VERSION


def test_many_ideas_score_as_each_alone() -> None:
    """Scoring a whole board gives each idea what it gets alone, strangers' cells and all."""
    everybody = audience({"loyal": 100, "other": 10}, Frame({"loyal": 200, "other": 800}))
    ideas = [Idea({"loyal": 80, "other": 1}), Idea({}), Idea({"other": 6, "elsewhere": 2})]
    assert prioritise_all(ideas, everybody, 0.3) == [prioritise(idea, everybody, 0.3) for idea in ideas]


def test_one_person_and_one_idea_have_a_mean() -> None:
    """One supporter of one active person for one idea is all of them; half of two is half."""
    assert mean_support(1, 1, 1) == 1.0
    assert mean_support(1, 1, 2) == 0.5
    assert mean_support(0, 0, 2) == 0.0


def test_no_gap_counts_for_more_than_a_whole_one() -> None:
    """The KPI factor is 1.5 at most, and 1 at least, whatever a gap says."""
    everybody = audience({"a": 4})
    factors = [prioritise(Idea({"a": 2}, kpi_gap=gap), everybody, 0.5).kpi_factor for gap in (-1.0, 1.0, 7.0)]
    assert factors == [1.0, 1.5, 1.5]


def test_supporters_in_a_cell_nobody_is_known_to_be_in_count_for_nothing() -> None:
    """A vote can be counted a moment before its voter is: the line is there, and adds nothing to the share."""
    found = prioritise(Idea({"a": 2, "ghost": 3}), audience({"a": 4}), 0.5)
    assert [plain(row) for row in found.rows] == [("a", 2, 4, 1.0, 1.0, 0.5), ("ghost", 3, 0, 0.0, 0.0, 0.0)]
    assert found.share == pytest.approx(0.5)


def test_an_audience_says_who_counts() -> None:
    """Of 115 people five are outside the frame; the other 110 are worth 15.5, and nobody lacks in an empty cell."""
    found = audience({"loyal": 100, "other": 10, "ghost": 5}, Frame(CUSTOMERS | {"none": 0.0}))
    assert (found.active, found.outside, found.weighted, found.silent) == (115, 5, True, {})
    assert found.design_effect == pytest.approx(7.084)
    assert audience({"loyal": 3}, Frame(CUSTOMERS)).silent == {"other": 0.8}


def test_an_audience_without_a_frame() -> None:
    """One person is a whole audience; nobody is none, of whom nothing can be said."""
    one, none = audience({"a": 1}), audience({})
    assert (list(one.cells), one.outside, one.covered_share, one.design_effect) == (["a"], 0, 1.0, 1.0)
    assert (none.cells, none.outside, none.covered_share, none.design_effect) == ({}, 0, 0.0, None)
