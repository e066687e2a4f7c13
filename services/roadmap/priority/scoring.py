"""Prioritisation formulas product teams know, each on plain numbers: the lenses beside the measured priority.

`priority` holds the score the roadmap is ranked by. The formulas here are shown next to it, or are its parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, NamedTuple

KanoAnswer = Literal["like", "must", "neutral", "live", "dislike"]
KanoClass = Literal["A", "O", "M", "I", "R", "Q"]

KANO_ANSWERS: tuple[KanoAnswer, ...] = ("like", "must", "neutral", "live", "dislike")
"""Answers of the Kano questionnaire: I like it, it must be so, I am neutral, I can live with it, I dislike it."""

_KANO_ROWS: dict[KanoAnswer, tuple[KanoClass, ...]] = {
    "like": ("Q", "A", "A", "A", "O"),
    "must": ("R", "I", "I", "I", "M"),
    "neutral": ("R", "I", "I", "I", "M"),
    "live": ("R", "I", "I", "I", "M"),
    "dislike": ("R", "R", "R", "R", "Q"),
}

_KANO_COUNTED: tuple[KanoClass, ...] = ("A", "O", "M", "I")

DEFAULT_IMPORTANCE = 1
"""Importance of a request that says none: nice to have."""

NO_MOMENTUM = -math.inf
"""Momentum before the first vote. Zero would count as one vote cast at the epoch."""

MOMENTUM_TAU_SECONDS = 14 * 86_400 / math.log(2)
"""Decay time that halves a vote's part in the momentum every 14 days."""


class ImportanceEvent(NamedTuple):
    """One person said how much one feature matters: 0 not, 1 nice to have, 2 important, 3 critical, None unsaid."""

    person: str
    feature: str
    importance: int | None


class KanoCoefficients(NamedTuple):
    """Share of people a feature would satisfy (0..1) and share its absence would dissatisfy (-1..0)."""

    better: float
    worse: float


def rice(reach: float, impact: float, confidence: float, effort: float) -> float:
    """Reach x impact x confidence / effort (Intercom, Sean McBride 2018).

    Reach in people per period, impact 3/2/1/0.5/0.25, confidence 0..1, effort in person-months.
    Raises ValueError when effort is not above zero.
    """
    return reach * impact * confidence / _above_zero(effort, "effort")


def ice(impact: float, confidence: float, ease: float) -> float:
    """Impact x confidence x ease, each usually 1..10 (Sean Ellis)."""
    return impact * confidence * ease


def wsjf(user_value: float, time_criticality: float, risk_reduction: float, job_size: float) -> float:
    """Weighted shortest job first: cost of delay / job size (SAFe; Reinertsen 2009).

    All four are relative points. Raises ValueError when the job size is not above zero.
    """
    return (user_value + time_criticality + risk_reduction) / _above_zero(job_size, "job size")


def opportunity(importance: float, satisfaction: float) -> float:
    """Importance + max(importance - satisfaction, 0) (Ulwick 2005, What Customers Want).

    Both are the share of people answering 4 or 5 of 5, times 10: 0..10. Above 10 the need is underserved.
    """
    return importance + max(importance - satisfaction, 0.0)


def kano_class(functional: KanoAnswer, dysfunctional: KanoAnswer) -> KanoClass:
    """Class of one person's answers to "if we had it" and "if we did not" (Berger et al. 1993, evaluation table).

    A attractive, O one-dimensional, M must-be, I indifferent, R reverse, Q questionable.
    Raises ValueError for an answer outside KANO_ANSWERS.
    """
    for answer in (functional, dysfunctional):
        if answer not in _KANO_ROWS:
            raise ValueError(f"Kano answer {answer!r} is unknown: use one of {', '.join(KANO_ANSWERS)}")
    return _KANO_ROWS[functional][KANO_ANSWERS.index(dysfunctional)]


def kano_coefficients(people: Mapping[KanoClass, int]) -> KanoCoefficients | None:
    """Better = (A+O)/(A+O+M+I), worse = -(O+M)/(A+O+M+I) (Berger et al. 1993).

    `people` counts the answers of each class; reverse and questionable ones are left out. None when none remains.
    """
    attractive, one_dimensional, must_be, indifferent = (people.get(kind, 0) for kind in _KANO_COUNTED)
    total = attractive + one_dimensional + must_be + indifferent
    if total == 0:
        return None
    return KanoCoefficients((attractive + one_dimensional) / total, -(one_dimensional + must_be) / total)


def latest_importance(events: Iterable[ImportanceEvent]) -> dict[tuple[str, str], int]:
    """Importance by (person, feature): each person counts once, the most recent word wins (Productboard's rule).

    Events come in the order they were said.
    """
    return {
        (event.person, event.feature): DEFAULT_IMPORTANCE if event.importance is None else event.importance
        for event in events
    }


def hacker_news(points: float, age_hours: float, gravity: float = 1.8) -> float:
    """(points - 1) / (age + 2)^gravity (Hacker News, Paul Graham's news.arc).

    Age in hours, at least 0. It changes with the clock, so a list must be sorted again at every read.
    """
    return (points - 1) / math.pow(age_hours + 2, gravity)


def bayesian_average(n: float, mean: float, prior_mean: float, prior_weight: float) -> float:
    """Mean of n ratings drawn towards a prior worth `prior_weight` ratings: (C m + n x) / (C + n).

    Raises ValueError when there is neither a rating nor a prior.
    """
    total = _above_zero(prior_weight + n, "number of ratings plus prior weight")
    return (prior_weight * prior_mean + n * mean) / total


@lru_cache(maxsize=100)
def normal_quantile(confidence: float) -> float:
    """Half the width, in standard deviations, of the middle of a normal distribution that holds this part (0..1)."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def share_for_lower_bound(low: float, n: float, confidence: float = 0.95) -> float:
    """The share whose Wilson interval begins at `low` (0..1), which is what the interval inverts; may lie above 1."""
    return low + normal_quantile(confidence) * math.sqrt(low * (1 - low) / n)


def wilson_interval(share: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided score interval of a share (Wilson 1927, JASA 22:209); n may be an effective sample size.

    Share and confidence are 0..1. Without observations (n = 0) nothing is excluded: (0, 1).
    """
    if n <= 0:
        return 0.0, 1.0
    z2 = normal_quantile(confidence) ** 2
    centre = share + z2 / (2 * n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))
    scale = 1 + z2 / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def wilson_lower_bound(k: float, n: float, confidence: float = 0.95) -> float:
    """Lower end of the Wilson interval of k out of n: ranks 99 of 100 above 1 of 1 (Evan Miller 2009)."""
    return wilson_interval(k / n, n, confidence)[0] if n > 0 else 0.0


def add_vote(momentum: float, voted_at: float, tau: float = MOMENTUM_TAU_SECONDS) -> float:
    """Momentum after one more vote: log(exp(momentum) + exp(voted_at / tau)).

    Forward decay (Cormode et al. 2009, ICDE): a vote's weight never changes, newer votes weigh more, so order by
    momentum holds at any later time, costs O(1) per vote, and late votes give the same result. `voted_at` and `tau`
    share one unit (seconds since the epoch by default); start at NO_MOMENTUM. For sorting only: it has no scale.
    """
    vote = voted_at / tau
    high, low = max(momentum, vote), min(momentum, vote)
    return high + math.log1p(math.exp(low - high))


def remove_vote(momentum: float, voted_at: float, tau: float = MOMENTUM_TAU_SECONDS) -> float:
    """Momentum without a vote counted before with the same `voted_at` and `tau`; NO_MOMENTUM when it was the last.

    Older votes fade below float precision behind much newer ones: after taking back the newest vote of an idea,
    add its stored votes up again where the exact order matters.
    """
    if momentum == NO_MOMENTUM:
        return NO_MOMENTUM
    remaining = -math.expm1(voted_at / tau - momentum)
    return momentum + math.log(remaining) if remaining > 0 else NO_MOMENTUM


def _above_zero(value: float, name: str) -> float:
    if value <= 0:
        raise ValueError(f"{name} is {value:g}: give a value above zero")
    return value
