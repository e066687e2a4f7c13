import pytest

from services.kpi import objectives
from services.kpi.objectives import BaseRate, Outlook


def test_the_unit_of_a_change_must_be_said() -> None:
    """Ten per cent more than 70 % is 77 %; ten points more is 80 %."""
    assert objectives.target(0.7, 0.1, "relative") == pytest.approx(0.77)
    assert objectives.target(0.7, 0.1, "points") == pytest.approx(0.8)


def test_standing_there_is_less_likely_than_having_touched_it() -> None:
    """Drift .1 and deviation .8 a week: 72 stands at 75 after 12 weeks with .258, has touched it with .424."""
    assert objectives.chance_at_date(72, 75, 12, 0.1, 0.8) == pytest.approx(0.258001, abs=1e-6)
    assert objectives.chance_any_time(3, 12, 0.1, 0.8) == pytest.approx(0.424, abs=5e-4)
    assert objectives.chance_any_time(3, 12, 0.0, 0.8) == pytest.approx(0.279016, abs=1e-6)


def test_certain_paths() -> None:
    """Without noise the drift decides, at the goal the goal is reached, and a huge drift overflows nothing."""
    assert objectives.chance_at_date(72, 75, 12, 0.25, 0.0) == 1.0
    assert objectives.chance_at_date(72, 75, 0, 0.25, 0.8) == 0.0
    assert objectives.chance_any_time(0, 12, 0.0, 0.8) == 1.0
    assert objectives.chance_any_time(3, 12, 0.2, 0.0) == 0.0
    assert objectives.chance_any_time(3, 12, 500.0, 0.1) == 1.0
    assert objectives.chance_any_time(3, 12, -500.0, 0.1) == 0.0


def test_the_mean_of_a_window_is_steadier_than_a_value() -> None:
    """From ten values around 70 with deviation 2, four weeks average 72 or more with t = 1.6903 of 9 df: .0626."""
    assert objectives.chance_of_window_mean(10, 70, 2, 4, 72) == pytest.approx(0.0626, abs=5e-4)
    assert objectives.chance_of_window_mean(1, 70, 2, 4, 72) is None
    assert objectives.chance_of_window_mean(10, 72, 0, 4, 72) == 1.0


def test_base_rate() -> None:
    """Of three windows of two periods two gained at least 10 %; no window, no rate; a rise from -10 to -5 is a gain."""
    found = objectives.base_rate([10.0, 10, 11, 10.5, 13], 2, 0.1)
    assert (found.windows, found.hits) == (3, 2)
    assert found.share == pytest.approx(0.666667, abs=1e-6)
    assert objectives.base_rate([10.0], 2, 0.1).share is None
    assert objectives.base_rate([-10.0, -5.0], 1, 0.5).hits == 1


@pytest.mark.parametrize(
    ("outlook", "word"),
    [
        (Outlook(0.95, 1.045, 0.0, 1.0), "impossible"),
        (Outlook(0.7, 0.65), "already_met"),
        (Outlook(0.7, 0.75, chance=0.97), "already_met"),
        (Outlook(0.72, 0.75, answers_per_period=200), "unverifiable"),
        (Outlook(0.72, 0.85, answers_per_period=200), "open"),
        (Outlook(0.7, 0.75, chance=0.02), "unrealistic"),
        (Outlook(0.7, 0.75, chance=0.02, past=BaseRate(100, 20)), "ambitious"),
        (Outlook(0.7, 0.75, chance=0.3), "ambitious"),
        (Outlook(0.7, 0.75, chance=0.6), "likely"),
    ],
)
def test_realism(outlook: Outlook, word: str) -> None:
    """The hardest objection to an objective comes first: bounds, nothing to do, not to be seen, chance, past."""
    assert objectives.realism(outlook) == word
