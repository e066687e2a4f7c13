"""From a KPI's measurements and its releases to the question that `impact.assess` answers, and to an answer to keep."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from statistics import median_low

import numpy as np

from services.kpi.distributions import Floats
from services.kpi.impact import NotYet, Verdict, assess, share_variance
from services.kpi.kpis import Kpi, Measurement

ENGINE = 1
"""Part of every digest: raise it when the same data are to be assessed anew."""

MOST_BEFORE, MOST_AFTER = 400, 200  # periods; older ones say little about today, later ones little about the release
MOST_STEPS = 6  # earlier releases told apart from the one in question
LEAST_LENGTH, MOST_LENGTH = 2 / 3, 3 / 2  # of the usual period's: months differ, a week among days does not belong
DAY = timedelta(days=1)
DAYS_OF_WEEK = 7
PERCENT = 100.0


@dataclass(frozen=True, slots=True)
class Question:
    """Did the release move the KPI? One element per period, evenly spaced, in time order."""

    released_at: datetime
    unit: str | None
    higher_is_better: bool
    starts: tuple[datetime, ...]
    values: tuple[float | None, ...]
    """None: not measured, or a release fell into the period, so that it is half exposed."""
    sizes: tuple[int | None, ...] | None
    """Answers behind each value, where all have them."""
    released_index: int
    steps: tuple[tuple[float, ...], ...]
    """For each earlier release 0 before it and 1 from it on."""
    season: int | None

    @property
    def digest(self) -> str:
        """Equal for equal questions."""
        content = json.dumps([ENGINE, asdict(self)], default=datetime.isoformat)
        return sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Path:
    """What was to be expected without the release, one element per measured period from it on."""

    starts: tuple[datetime, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What a release did to a KPI, in the KPI's unit, intervals at 95 %."""

    released_at: datetime
    unit: str | None
    verdict: Verdict
    effect: float
    low: float
    high: float
    smallest_visible: float
    periods_before: int
    periods_after: int


def ask(kpi: Kpi, measurements: Sequence[Measurement], released_at: datetime, releases: Iterable[datetime]) -> Question:
    """The question about one release among all `releases` of the KPI.

    Releases must not take credit for one another: an earlier one counts as a lasting step of its own, and with the next
    one the period observed ends.
    """
    earlier, later = _around(released_at, releases)
    usual, step = _usual(measurements)
    oldest = earlier[-MOST_STEPS - 1] if len(earlier) > MOST_STEPS else None
    within = [
        one
        for one in usual
        if -MOST_BEFORE <= (one.period_start - released_at) / step <= MOST_AFTER
        and (oldest is None or one.period_start >= oldest)
        and (later is None or one.period_end <= later)
    ]
    starts, slots = _evenly_spaced(within, step)
    mixed = [released_at, *earlier]
    seen = [one is not None and not any(one.period_start < at < one.period_end for at in mixed) for one in slots]
    index = bisect_left(starts, released_at)
    steps = dict.fromkeys(tuple(float(start >= at) for start in starts) for at in earlier[-MOST_STEPS:])
    return Question(
        released_at=released_at,
        unit=kpi.unit,
        higher_is_better=kpi.higher_is_better,
        starts=tuple(starts),
        values=tuple(one.value if one and ok else None for one, ok in zip(slots, seen, strict=True)),
        sizes=tuple(one.sample_size if one else None for one in slots)
        if all(one.sample_size for one in within)
        else None,
        released_index=index,
        # A step that all periods before the release share cannot be told from the level.
        steps=tuple(column for column in steps if len(set(column[:index])) > 1),
        season=DAYS_OF_WEEK if usual and abs(step - DAY) < DAY / 10 else None,
    )


def answer(question: Question) -> tuple[Impact, Path] | NotYet:
    """The release's effect and what was to be expected without it, or what is missing."""
    values = _numbers(question.values)
    sizes = None if question.sizes is None else np.nan_to_num(_numbers(question.sizes))
    found = assess(
        values,
        question.released_index,
        controls=np.array(question.steps).T if question.steps else None,
        sizes=sizes,
        answer_variance=_answer_variance(question, values, sizes),
        season=question.season,
        higher_is_better=question.higher_is_better,
    )
    if isinstance(found, NotYet):
        return found
    impact = Impact(
        released_at=question.released_at,
        unit=question.unit,
        verdict=found.verdict,
        effect=found.effect,
        low=found.low,
        high=found.high,
        smallest_visible=found.minimum_detectable,
        periods_before=found.n_before,
        periods_after=found.n_after,
    )
    after = [i for i in range(question.released_index, len(values)) if question.values[i] is not None]
    path = Path(
        starts=tuple(question.starts[i] for i in after),
        expected=tuple(found.expected[i] for i in after),
        low=tuple(found.expected_low[i] for i in after),
        high=tuple(found.expected_high[i] for i in after),
    )
    return impact, path


def _around(released_at: datetime, releases: Iterable[datetime]) -> tuple[list[datetime], datetime | None]:
    """Earlier releases in order, and the next one; those of the same moment are one release."""
    moments = sorted(set(releases))
    later = [at for at in moments if at > released_at]
    return [at for at in moments if at < released_at], later[0] if later else None


def _usual(measurements: Sequence[Measurement]) -> tuple[list[Measurement], timedelta]:
    """Measurements over periods of the usual length, in order, and the usual step from one to the next."""
    if not measurements:
        return [], DAY
    length = median_low([one.period_end - one.period_start for one in measurements])
    usual = [one for one in measurements if LEAST_LENGTH <= (one.period_end - one.period_start) / length <= MOST_LENGTH]
    usual.sort(key=lambda one: (one.period_start, one.measured_at))
    steps = [after.period_start - before.period_start for before, after in pairwise(usual)]
    return usual, median_low([step for step in steps if step] or [length])


def _evenly_spaced(
    measurements: Sequence[Measurement], step: timedelta
) -> tuple[list[datetime], list[Measurement | None]]:
    """Start and measurement of every period from the first to the last, None where one was not measured."""
    starts: list[datetime] = []
    slots: list[Measurement | None] = []
    last: Measurement | None = None
    for one in measurements:
        since = one.period_start - last.period_start if last else step
        ahead = round(since / step)
        if last and ahead == 0:
            # Two for one period, e.g. cut in two time zones: the later measurement knew more.
            slots[-1] = last = max(last, one, key=lambda both: both.measured_at)
            continue
        starts += [one.period_start - since * (missing / ahead) for missing in range(ahead - 1, -1, -1)]
        slots += [None] * (ahead - 1) + [one]
        last = one
    return starts, slots


def _answer_variance(question: Question, values: Floats, sizes: Floats | None) -> float | None:
    """A percentage of answers has a known sampling noise."""
    if question.unit != "%" or sizes is None:
        return None
    before = np.isfinite(values) & (np.arange(len(values)) < question.released_index)
    if not before.any() or np.nanmin(values) < 0 or np.nanmax(values) > PERCENT:
        return None
    return share_variance(values[before], sizes[before], whole=PERCENT)


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], dtype=float)
