"""What weighting did to an idea, and what would change the order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.roadmap.priority.audience import audience
from services.roadmap.priority.explaining import mover, passing
from services.roadmap.priority.frame import Frame
from services.roadmap.priority.measured import Idea, prioritise

EVERYBODY = audience({"loyal": 100, "other": 10}, Frame({"loyal": 200.0, "other": 800.0}))
WANTED = Idea({"loyal": 20, "other": 6}, default_impact=2.0, kpi_gap=0.5, effort_weeks=4.0)


def test_the_segment_that_moved_the_share_is_named() -> None:
    """80% of customers, 9% of those who took part, 60% of them for it: (0.8 - 1/11) x (0.6 - 26/110)."""
    found = mover(prioritise(WANTED, EVERYBODY, 0.3))
    assert found is not None
    assert (found.cell, found.population_share, found.support) == ("other", 0.8, 0.6)
    assert found.active_share == pytest.approx(1 / 11)
    assert found.effect == pytest.approx(0.2578512)


def test_effects_of_all_segments_are_what_weighting_does() -> None:
    """Without pseudo-participants the effects add up to weighted minus unweighted share."""
    weighted = 0.2 * 0.2 + 0.8 * 0.6
    loyal = (0.2 - 100 / 110) * (0.2 - 26 / 110)
    other = (0.8 - 10 / 110) * (0.6 - 26 / 110)
    assert loyal + other == pytest.approx(weighted - 26 / 110)


def test_unweighted_nothing_moved() -> None:
    """Where everybody counts once there is no mover."""
    assert mover(prioritise(WANTED, audience({"loyal": 100, "other": 10}), 0.3)) is None
    assert mover(prioritise(Idea({}), EVERYBODY, 0.0)) is None


@pytest.mark.parametrize("factor", [1.001, 1.2, 2.0])
def test_what_it_takes_to_pass_brings_the_idea_level(factor: float) -> None:
    """With the effort, the impact or the share that is named, the score is that of the idea above."""
    found = prioritise(WANTED, EVERYBODY, 0.3)
    above = found.score * factor
    takes = passing(found, "above", above)
    assert takes.effort_weeks is not None
    assert prioritise(replace(WANTED, effort_weeks=takes.effort_weeks), EVERYBODY, 0.3).score == pytest.approx(above)
    if takes.impact is not None:
        assert found.conservative_reach * takes.impact * found.kpi_factor / 4.0 == pytest.approx(above)
    assert takes.share is not None
    # The Wilson interval of that share begins at the reach that is needed.
    z, n, share = 1.6448536269514722, EVERYBODY.n_eff, takes.share
    low = (share + z**2 / (2 * n) - z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5) / (1 + z**2 / n)
    assert 1000 * low * found.impact * found.kpi_factor / 4.0 == pytest.approx(above)


def test_what_cannot_be_is_not_promised() -> None:
    """A hundred times the score takes more than everybody, more than critical, and less than the least effort."""
    found = prioritise(WANTED, EVERYBODY, 0.3)
    takes = passing(found, "above", found.score * 100)
    assert (takes.effort_weeks, takes.share, takes.impact) == (None, None, None)


def test_an_idea_without_reach_passes_by_nothing_but_votes() -> None:
    """Nobody speaks for it, so neither effort nor impact helps."""
    found = prioritise(Idea({}), audience({}, Frame({"loyal": 10.0})), 0.0)
    takes = passing(found, "above", 5.0)
    assert (takes.effort_weeks, takes.share, takes.impact) == (None, None, None)
