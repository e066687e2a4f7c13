"""Which periods and which other releases an assessment looks at."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from services.kpi.effects import Impact, Question, answer, ask
from services.kpi.impact import NotYet
from services.kpi.kpis import Kpi, Measurement
from tests.kpi.examples import FIRST, HIGHER, QUIET, RELEASED, WEEK

CSAT = Kpi("csat", FIRST, "CSAT", "%")
SCORE = Kpi("score", FIRST, "Score", "points")


def one(start: datetime, value: float, length: timedelta = WEEK, size: int | None = None) -> Measurement:
    return Measurement("csat", start, start + length, value, start + length, size)


def weekly(values: list[float], size: int | None = None) -> list[Measurement]:
    return [one(FIRST + place * WEEK, value, size=size) for place, value in enumerate(values)]


def effect_of(question: Question) -> Impact:
    found = answer(question)
    assert not isinstance(found, NotYet)
    return found[0]


def test_a_release_that_lifts_a_quiet_kpi_improved_it() -> None:
    """A quiet KPI that stands five points higher after the release improved by about five, and the path says how."""
    found = answer(ask(SCORE, weekly(QUIET + HIGHER), RELEASED, [RELEASED]))
    assert not isinstance(found, NotYet)
    impact, path = found
    assert impact.verdict == "improved"
    assert impact.effect == pytest.approx(4.9, abs=0.3)
    assert 3.5 < impact.low < 4.9 < impact.high < 6.5
    assert (impact.periods_before, impact.periods_after) == (20, 8)
    assert path.starts[0] == RELEASED
    assert [len(path.expected), len(path.low), len(path.high)] == [8, 8, 8]
    assert 69.5 < path.expected[0] < 70.5
    assert path.low[0] < path.expected[0] < path.high[0]


def test_lower_may_be_better() -> None:
    """The same rise worsened a KPI of which less is better."""
    churn = Kpi("churn", FIRST, "Churn", "points", higher_is_better=False)
    assert effect_of(ask(churn, weekly(QUIET + HIGHER), RELEASED, [RELEASED])).verdict == "worsened"


def test_too_few_periods_say_what_is_missing() -> None:
    """With 20 weeks before and 2 after a release there is no effect yet, but a number of weeks to wait."""
    found = answer(ask(CSAT, weekly([*QUIET, 75.0, 75.0]), RELEASED, [RELEASED]))
    assert found == NotYet(more_before=0, more_after=1)


def test_nothing_measured_is_no_fault() -> None:
    """A release of a KPI that was never measured waits for 8 periods before and 3 after it."""
    assert answer(ask(CSAT, [], RELEASED, [RELEASED])) == NotYet(more_before=8, more_after=3)


def test_the_period_of_the_release_is_left_out() -> None:
    """A period into which the release falls belongs to neither side."""
    question = ask(CSAT, weekly(QUIET + HIGHER), RELEASED + timedelta(days=2), [RELEASED + timedelta(days=2)])
    assert question.values[20] is None
    assert question.released_index == 21


def test_gaps_stay_gaps() -> None:
    """A week that was not measured is an empty period, so that distances in time stay what they are."""
    series = weekly(QUIET)
    question = ask(CSAT, series[:3] + series[5:], RELEASED, [RELEASED])
    assert len(question.values) == 20
    assert question.values[2:6] == (70.8, None, None, 69.9)
    assert question.starts[3:5] == (datetime(2025, 8, 25, tzinfo=UTC), datetime(2025, 9, 1, tzinfo=UTC))


def test_months_are_evenly_spaced() -> None:
    """Months follow each other without gaps although they differ in length."""
    firsts = [datetime(2025, month, 1, tzinfo=UTC) for month in range(1, 13)]
    series = [one(start, 5.0, end - start) for start, end in pairwise(firsts)]
    question = ask(CSAT, series, firsts[8], [firsts[8]])
    assert question.values == (5.0,) * 11
    assert question.released_index == 8


def test_periods_of_another_length_do_not_belong() -> None:
    """A month among weeks is left out."""
    question = ask(CSAT, [*weekly(QUIET), one(FIRST, 1.0, timedelta(days=30))], RELEASED, [RELEASED])
    assert len(question.values) == 20
    assert 1.0 not in question.values


def test_of_two_cuts_of_one_period_the_later_measured_holds() -> None:
    """The same week cut in two time zones counts once, with the later measurement."""
    shifted = Measurement("csat", FIRST - timedelta(hours=1), FIRST - timedelta(hours=1) + WEEK, 99.0, RELEASED)
    question = ask(CSAT, [*weekly(QUIET), shifted], RELEASED, [RELEASED])
    assert question.values[:2] == (99.0, 69.1)


def test_days_have_a_weekly_season() -> None:
    """Daily measurements are compared by day of the week, weekly ones are not."""
    days = [one(FIRST + timedelta(days=day), 5.0, timedelta(days=1)) for day in range(30)]
    assert ask(CSAT, days, RELEASED, [RELEASED]).season == 7
    assert ask(CSAT, weekly(QUIET), RELEASED, [RELEASED]).season is None


def test_the_next_release_ends_what_is_observed() -> None:
    """Weeks touched by a later release say nothing about the earlier one."""
    following = RELEASED + 4 * WEEK + timedelta(days=3)
    question = ask(CSAT, weekly(QUIET + HIGHER), RELEASED, [RELEASED, following])
    assert len(question.values) == 24


def test_an_earlier_release_is_a_step_of_its_own() -> None:
    """An earlier release enters as a step, one older than all measurements or of the same moment does not."""
    earlier = FIRST + 10 * WEEK
    question = ask(CSAT, weekly(QUIET + HIGHER), RELEASED, [FIRST - WEEK, earlier, RELEASED, RELEASED])
    assert question.steps == ((0.0,) * 10 + (1.0,) * 18,)


def test_many_earlier_releases_shorten_the_history() -> None:
    """Six earlier releases are told apart; what lies before them is left out."""
    earlier = [FIRST + place * WEEK for place in range(2, 16, 2)]
    question = ask(CSAT, weekly(QUIET + HIGHER), RELEASED, [*earlier, RELEASED])
    assert len(question.steps) == 6
    assert question.starts[0] == FIRST + 2 * WEEK


def test_releases_do_not_take_credit_for_one_another() -> None:
    """Of two releases four points and one point strong, each is found with its own strength."""
    draw = random.Random(7)
    levels = [50.0] * 30 + [54.0] * 20 + [55.0] * 20
    series = weekly([level + draw.gauss(0, 0.4) for level in levels])
    first, second = FIRST + 30 * WEEK, FIRST + 50 * WEEK
    assert effect_of(ask(SCORE, series, first, [first, second])).effect == pytest.approx(4.0, abs=0.4)
    assert effect_of(ask(SCORE, series, second, [first, second])).effect == pytest.approx(1.0, abs=0.4)


def test_one_wild_date_does_no_harm() -> None:
    """Measurements thousands of years away are too far from the release to count, and cost nothing."""
    wild = [one(datetime(1, 1, 2, tzinfo=UTC), 1.0), one(datetime(9999, 12, 1, tzinfo=UTC), 1.0)]
    question = ask(CSAT, [*weekly(QUIET + HIGHER), *wild], RELEASED, [RELEASED])
    assert len(question.values) == 28


def test_answers_behind_a_percentage_make_its_noise_known() -> None:
    """With five answers a week a five-point rise proves nothing: the sampling noise alone is larger."""
    impact = effect_of(ask(CSAT, weekly(QUIET + HIGHER, size=5), RELEASED, [RELEASED]))
    assert impact.verdict == "cannot_tell"
    assert impact.smallest_visible > 10


def test_percentages_beyond_a_whole_are_no_shares() -> None:
    """A growth of 170 % with a sample size is judged by its course, not as a share of answers."""
    series = weekly([value + 100 for value in QUIET + HIGHER], size=5)
    assert effect_of(ask(CSAT, series, RELEASED, [RELEASED])).verdict == "improved"


def test_only_full_samples_count() -> None:
    """Sizes are used only where every period has one."""
    series = [*weekly(QUIET, size=40)[1:], one(FIRST, 70.2)]
    assert ask(CSAT, series, RELEASED, [RELEASED]).sizes is None
    assert ask(CSAT, weekly(QUIET, size=40), RELEASED, [RELEASED]).sizes == (40,) * 20


def test_the_digest_tells_questions_apart() -> None:
    """The digest is the same for the same question and another for another value, release or unit."""
    series = weekly(QUIET)
    digest = ask(CSAT, series, RELEASED, [RELEASED]).digest
    others = [
        ask(CSAT, weekly([*QUIET[:-1], 70.0]), RELEASED, [RELEASED]),
        ask(CSAT, series, RELEASED + WEEK, [RELEASED + WEEK]),
        ask(SCORE, series, RELEASED, [RELEASED]),
    ]
    assert ask(CSAT, list(reversed(series)), RELEASED, [RELEASED]).digest == digest
    assert digest not in {other.digest for other in others}
    assert len({other.digest for other in others}) == 3
