"""KPI formulas: satisfaction, loyalty, retention and churn of a period, progress. None means undefined, never zero."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.kpi.distributions import Z95
from services.kpi.intervals import Interval

BOXES = 2  # "satisfied" is the two best answers, "dissatisfied" the two worst
PROMOTER, PASSIVE = 9, 7
LARGEST_SCORE = 10
MONTHS = 12
CLOSE_TO_PLAN = 0.9


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """Answers on a scale of 1 (worst) to `scale`, as shares of all answers."""

    answers: int
    satisfied: int
    csat: float | None
    """Top-two-box share: not the mean, and not comparable with it."""
    top_box: float | None
    net: float | None
    """Top two boxes minus bottom two."""
    mean: float | None
    """Mean answer, in points of the scale."""


def satisfaction(counts: Mapping[int, int], scale: int) -> Satisfaction:
    """CSAT from the number of answers per point of the scale.

    Raises:
        ValueError: An answer outside 1..scale, or a negative count.
    """
    wrong = [answer for answer, count in counts.items() if not 1 <= answer <= scale or count < 0]
    if wrong:
        raise ValueError(f"answer {wrong[0]} is not a count on a scale of 1 to {scale}")
    answers = sum(counts.values())
    satisfied = sum(count for answer, count in counts.items() if answer > scale - BOXES)
    dissatisfied = sum(count for answer, count in counts.items() if answer <= BOXES)
    return Satisfaction(
        answers=answers,
        satisfied=satisfied,
        csat=ratio(satisfied, answers),
        top_box=ratio(counts.get(scale, 0), answers),
        net=ratio(satisfied - dissatisfied, answers),
        mean=ratio(sum(answer * count for answer, count in counts.items()), answers),
    )


def weighted_mean(weights: Mapping[str, float], counts: Mapping[str, int]) -> float | None:
    """Mean of the answers' `weights`, an answer nobody gave counting nothing.

    Raises:
        ValueError: An answer without a weight.
    """
    unknown = sorted(set(counts) - set(weights))
    if unknown:
        raise ValueError(f"answer {unknown[0]!r} has no weight: give one of {', '.join(weights)}")
    return ratio(sum(weights[answer] * count for answer, count in counts.items()), sum(counts.values()))


@dataclass(frozen=True, slots=True)
class NetPromoter:
    """Net Promoter Score in points, -100..100, and its standard error."""

    promoters: int
    passives: int
    detractors: int
    score: float | None
    error: float | None
    interval: Interval | None
    """95 %, normal approximation."""


def net_promoter(promoters: int, passives: int, detractors: int) -> NetPromoter:
    """NPS with the multinomial variance p + d - (p - d)^2 of one answer."""
    n = promoters + passives + detractors
    if n == 0:
        return NetPromoter(0, 0, 0, None, None, None)
    good, bad = promoters / n, detractors / n
    score, error = 100 * (good - bad), 100 * math.sqrt((good + bad - (good - bad) ** 2) / n)
    interval = Interval(score - Z95 * error, score + Z95 * error)
    return NetPromoter(promoters, passives, detractors, score, error, interval)


def net_promoter_of(scores: Iterable[int]) -> NetPromoter:
    """NPS of single answers 0..10: 9 and 10 promote, 7 and 8 are passive.

    Raises:
        ValueError: A score outside 0..10.
    """
    given = list(scores)
    wrong = [score for score in given if not 0 <= score <= LARGEST_SCORE]
    if wrong:
        raise ValueError(f"score {wrong[0]} is not on the scale of 0 to {LARGEST_SCORE}")
    promoters = sum(score >= PROMOTER for score in given)
    passives = sum(PASSIVE <= score < PROMOTER for score in given)
    return net_promoter(promoters, passives, len(given) - promoters - passives)


@dataclass(frozen=True, slots=True)
class Period:
    """Customers of one period: at its start, at its end, and those of the end who are new."""

    start: int
    end: int
    new: int

    @property
    def lost(self) -> int:
        """Customers of the start who are gone at the end."""
        return self.start - (self.end - self.new)

    @property
    def retention(self) -> float | None:
        """Share of the start's customers who are still there."""
        return ratio(self.end - self.new, self.start)

    @property
    def churn(self) -> float | None:
        """Share of the start's customers who are gone; growth does not hide it."""
        return ratio(self.lost, self.start)

    @property
    def shrinkage(self) -> float | None:
        """(start - end) / start: often taken for churn, and negative as soon as growth outruns it."""
        return ratio(self.start - self.end, self.start)


def annual_churn(monthly: float) -> float:
    """Churn compounds: 1 - (1 - monthly)^12, not twelve times the monthly share."""
    return 1.0 - (1.0 - monthly) ** MONTHS


def progress(start: float, target: float, current: float) -> float | None:
    """Share of the way from start to target; negative when it went backwards; undefined without a way to go."""
    return ratio(current - start, target - start)


def planned_progress(low: float, high: float, days_passed: float, total_days: float) -> float | None:
    """Where a straight line from `low` to `high` would be today."""
    passed = ratio(days_passed, total_days)
    return None if passed is None else low + (high - low) * passed


def pace(current: float, planned: float) -> str:
    """`on track` at or above plan, `progressing` within 10 % of it, else `off track`."""
    if current >= planned:
        return "on track"
    return "progressing" if current >= CLOSE_TO_PLAN * planned else "off track"


def rollup(parts: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    """Mean progress of key results, weighted where weights are given; undefined when they add up to zero.

    Raises:
        ValueError: Not one weight per part.
    """
    weights = [1.0] * len(parts) if weights is None else weights
    if len(weights) != len(parts):
        raise ValueError(f"{len(parts)} key results have {len(weights)} weights: give one each")
    return ratio(sum(part * weight for part, weight in zip(parts, weights, strict=True)), sum(weights))


def stage_score(weights: Mapping[str, float], progresses: Mapping[str, float]) -> float | None:
    """Score of a product at its stage: every KPI's progress, clipped to 0..1, weighted by what matters at that stage.

    Raises:
        ValueError: A weighted KPI without progress.
    """
    missing = sorted(set(weights) - set(progresses))
    if missing:
        raise ValueError(f"KPI {missing[0]!r} has a weight but no progress: measure it or give it no weight")
    clipped = [min(max(progresses[kpi], 0.0), 1.0) for kpi in weights]
    return rollup(clipped, list(weights.values()))


def ratio(part: float, whole: float) -> float | None:
    """`part` / `whole`, undefined over zero."""
    return None if whole == 0 else part / whole
