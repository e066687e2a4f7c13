"""Prioritisation formulas, against published examples and arithmetic by hand."""

from __future__ import annotations

import itertools
import math

import pytest

from services.roadmap.priority import scoring
from services.roadmap.priority.scoring import KANO_ANSWERS, NO_MOMENTUM, ImportanceEvent, KanoAnswer, KanoClass


def test_rice_divides_expected_benefit_by_effort() -> None:
    """2,000 people x 2 x 80% in 4 person-months is 800."""
    assert scoring.rice(2000, 2, 0.8, 4) == pytest.approx(800)


@pytest.mark.parametrize("effort", [0, -1])
def test_effort_that_cannot_divide_is_refused(effort: float) -> None:
    """RICE names the number to correct instead of dividing by zero."""
    with pytest.raises(ValueError, match=r"effort is .*: give a value above zero"):
        scoring.rice(1, 1, 1, effort)


def test_ice_is_a_product() -> None:
    """Impact 8, confidence 5, ease 3 is 120."""
    assert scoring.ice(8, 5, 3) == pytest.approx(120)


def test_wsjf_divides_cost_of_delay_by_size() -> None:
    """(8 + 5 + 3) / 4 is 4."""
    assert scoring.wsjf(8, 5, 3, 4) == pytest.approx(4)


@pytest.mark.parametrize(("importance", "satisfaction", "score"), [(9, 3, 15), (9, 9, 9), (4, 8, 4)])
def test_opportunity_never_falls_below_importance(importance: float, satisfaction: float, score: float) -> None:
    """Ulwick's gap counts only when a need is underserved."""
    assert scoring.opportunity(importance, satisfaction) == pytest.approx(score)


def test_kano_table_is_the_published_one() -> None:
    """All 25 pairs of answers get the class of Berger et al. 1993."""
    table = ["".join(scoring.kano_class(row, column) for column in KANO_ANSWERS) for row in KANO_ANSWERS]
    assert table == ["QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ"]


def test_unknown_kano_answer_is_refused_with_the_known_ones() -> None:
    """The error lists the answers the questionnaire has."""
    answer: KanoAnswer = "love"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="'love' is unknown: use one of like, must, neutral, live, dislike"):
        scoring.kano_class("like", answer)


def test_kano_coefficients_leave_out_reverse_and_questionable() -> None:
    """30 A, 20 O, 10 M, 40 I satisfy half and dissatisfy 30%, however many R and Q there are."""
    people: dict[KanoClass, int] = {"A": 30, "O": 20, "M": 10, "I": 40, "R": 7, "Q": 3}
    found = scoring.kano_coefficients(people)
    assert found is not None
    assert (found.better, found.worse) == (0.5, -0.3)


def test_kano_coefficients_are_undefined_without_answers() -> None:
    """Nobody to count gives no coefficient, not a zero."""
    assert scoring.kano_coefficients({"R": 4}) is None


def test_latest_importance_of_a_person_wins() -> None:
    """A person counts once per feature with the most recent word, and saying none means nice to have."""
    events = [
        ImportanceEvent("ana", "export", 1),
        ImportanceEvent("ana", "export", 3),
        ImportanceEvent("ben", "export", 0),
        ImportanceEvent("cho", "export", None),
        ImportanceEvent("ana", "search", 2),
    ]
    assert scoring.latest_importance(events) == {
        ("ana", "export"): 3,
        ("ben", "export"): 0,
        ("cho", "export"): 1,
        ("ana", "search"): 2,
    }


def test_hacker_news_decays_points_by_age() -> None:
    """100 points after 24 hours score 0.28098502 at gravity 1.8."""
    assert scoring.hacker_news(100, 24) == pytest.approx(0.2809850206670197, abs=1e-12)


def test_bayesian_average_pulls_few_ratings_to_the_prior() -> None:
    """Two fives after ten prior threes average 40/12, and no rating at all is the prior."""
    assert scoring.bayesian_average(2, 5, prior_mean=3, prior_weight=10) == pytest.approx(3.3333333333)
    assert scoring.bayesian_average(0, 0, prior_mean=3, prior_weight=10) == pytest.approx(3)


def test_bayesian_average_of_nothing_is_refused() -> None:
    """Neither ratings nor prior is an error, not a number."""
    with pytest.raises(ValueError, match="number of ratings plus prior weight is 0"):
        scoring.bayesian_average(0, 0, prior_mean=3, prior_weight=0)


@pytest.mark.parametrize(
    ("k", "n", "bound"),
    [(99, 100, 0.9455138038212947), (3321, 4123, 0.7931170637778907), (1, 1, 0.2065493143772375), (0, 0, 0.0)],
)
def test_wilson_lower_bound_trusts_many_more_than_few(k: int, n: int, bound: float) -> None:
    """99 of 100 ranks above 1 of 1, and nothing is known from nobody."""
    assert scoring.wilson_lower_bound(k, n) == pytest.approx(bound, abs=1e-9)


def test_wilson_interval_matches_newcombe() -> None:
    """15 of 148 lies within 0.0624 and 0.1605 (Newcombe 1998, table I)."""
    low, high = scoring.wilson_interval(15 / 148, 148)
    assert low == pytest.approx(0.0624, abs=5e-5)
    assert high == pytest.approx(0.1605, abs=5e-5)


def test_wilson_interval_stays_within_a_share() -> None:
    """None and all of twenty end exactly at 0 and 1."""
    assert scoring.wilson_interval(0.0, 20)[0] == 0.0
    assert scoring.wilson_interval(1.0, 20)[1] == 1.0


def test_first_vote_starts_momentum_at_its_own_time() -> None:
    """Before any vote there is nothing, so the first vote's momentum is its time in tau."""
    assert scoring.add_vote(NO_MOMENTUM, 300.0, tau=100.0) == 3.0


def test_momentum_does_not_depend_on_the_order_of_votes() -> None:
    """Votes that arrive late or shuffled give ln(1 + 1 + e^(1/7) + e) all the same."""
    votes = [0.0, 0.0, 86_400.0, 604_800.0]
    for order in itertools.permutations(votes):
        momentum = NO_MOMENTUM
        for voted_at in order:
            momentum = scoring.add_vote(momentum, voted_at, tau=604_800.0)
        assert momentum == pytest.approx(1.7701692050, abs=1e-9)


def test_default_momentum_halves_every_fourteen_days() -> None:
    """Two votes weigh as much as one vote fourteen days later."""
    old = scoring.add_vote(scoring.add_vote(NO_MOMENTUM, 0.0), 0.0)
    assert old == pytest.approx(scoring.add_vote(NO_MOMENTUM, 14 * 86_400.0), abs=1e-12)


def test_momentum_of_todays_dates_stays_finite() -> None:
    """Ten thousand votes in 2026 neither overflow nor lose the order."""
    momentum = NO_MOMENTUM
    for vote in range(10_000):
        momentum = scoring.add_vote(momentum, 1_790_000_000.0 + vote)
    assert momentum == pytest.approx(1_790_000_000.0 * math.log(2) / 1_209_600 + math.log(10_000), abs=0.01)


def test_removing_a_vote_undoes_adding_it() -> None:
    """One vote taken back leaves the other, and taking back the last leaves nothing."""
    one = scoring.add_vote(NO_MOMENTUM, 100.0, tau=100.0)
    both = scoring.add_vote(one, 250.0, tau=100.0)
    assert scoring.remove_vote(both, 250.0, tau=100.0) == pytest.approx(1.0, abs=1e-12)
    assert scoring.remove_vote(one, 100.0, tau=100.0) == NO_MOMENTUM
    assert scoring.remove_vote(NO_MOMENTUM, 100.0, tau=100.0) == NO_MOMENTUM


def test_without_observations_nothing_is_excluded() -> None:
    """The interval of no answers is all there is, and no interval reaches beyond it."""
    assert scoring.wilson_interval(0.5, 0) == (0.0, 1.0)
    assert max(scoring.wilson_interval(1.0, n)[1] for n in range(1, 1_000)) == 1.0
    assert min(scoring.wilson_interval(0.0, n)[0] for n in range(1, 1_000)) == 0.0


def test_the_share_behind_a_lower_end() -> None:
    """20% of 100 is the lower end of 27.84%, at 95% unless told otherwise; of 400 that of 23.92%."""
    assert scoring.share_for_lower_bound(0.2, 100) == pytest.approx(0.2783985594)
    assert scoring.share_for_lower_bound(0.2, 400) == pytest.approx(0.2391992797)
    assert scoring.wilson_interval(0.2783985594, 100)[0] == pytest.approx(0.2)


def test_effort_below_one_divides() -> None:
    """Half a person-month doubles the benefit of a month."""
    assert scoring.rice(100, 1, 1, 0.5) == 200.0
