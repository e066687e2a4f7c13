"""Objectives: what a target means, whether it can be reached by its date, and whether anyone could tell.

Three questions that are easily taken for one another have a function each: will the KPI stand at the target on the
date, will it have touched the target by then, and will its mean over a window reach it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.kpi.distributions import NORMAL, t_cdf
from services.kpi.formulas import ratio
from services.kpi.intervals import detectable_gain

Unit = Literal["relative", "points"]
Realism = Literal["impossible", "already_met", "unverifiable", "unrealistic", "ambitious", "open", "likely"]

MET, LIKELY, UNREALISTIC = 0.95, 0.5, 0.05


def target(baseline: float, change: float, unit: Unit) -> float:
    """`relative`: +.10 of .70 is .77; `points`: +.10 on .70 is .80. "+10 %" alone does not say which."""
    return baseline * (1 + change) if unit == "relative" else baseline + change


def within(value: float, low: float | None, high: float | None) -> bool:
    """Whether a KPI bounded by `low` and `high` can have the value at all."""
    return (low is None or value >= low) and (high is None or value <= high)


def chance_at_date(now: float, goal: float, steps: int, drift: float, sd_step: float) -> float:
    """P(a random walk stands at `goal` or above after `steps`), `drift` and `sd_step` per step."""
    if steps == 0 or sd_step == 0:
        return float(now + steps * drift >= goal)
    return NORMAL.cdf((now + steps * drift - goal) / (sd_step * math.sqrt(steps)))


def chance_any_time(gap: float, horizon: float, drift: float, sd_step: float) -> float:
    """P(Brownian motion with drift rises by `gap` at some time up to `horizon`): the Bachelier-Levy formula.

    A KPI measured once a step touches the target a little less often than this.
    """
    if gap <= 0:
        return 1.0
    if horizon <= 0 or sd_step == 0:
        return float(drift * horizon >= gap)
    spread = sd_step * math.sqrt(horizon)
    direct = NORMAL.cdf((drift * horizon - gap) / spread)
    reflected = NORMAL.cdf((-gap - drift * horizon) / spread)
    # With a strong drift the factor overflows exactly where the probability it multiplies vanishes.
    exponent = 2 * drift * gap / sd_step**2
    return min(direct + (math.exp(exponent + math.log(reflected)) if reflected > 0 else 0.0), 1.0)


def chance_of_window_mean(n: int, mean: float, sd: float, window: int, goal: float) -> float | None:
    """P(the mean of the next `window` values reaches `goal`) for a stable KPI known from `n` independent values.

    Student's t with n - 1 degrees of freedom: the mean and the deviation (n - 1) are themselves estimates. Undefined
    from fewer than two values or without a window.
    """
    if n < 2 or window < 1:  # noqa: PLR2004
        return None
    if sd == 0:
        return float(mean >= goal)
    return float(t_cdf(np.array((mean - goal) / (sd * math.sqrt(1 / window + 1 / n))), n - 1))


@dataclass(frozen=True, slots=True)
class BaseRate:
    """How often the KPI's own past did what the objective asks."""

    windows: int
    hits: int

    @property
    def share(self) -> float | None:
        """Share of windows that gained enough; they overlap, so they are worth about windows / length separate ones."""
        return ratio(self.hits, self.windows)


def base_rate(values: Sequence[float], horizon: int, gain_relative: float) -> BaseRate:
    """Past windows of `horizon` periods, and those that gained at least `gain_relative` (.05 = 5 %)."""
    pairs = list(zip(values, values[horizon:], strict=False))
    hits = sum(later - earlier >= gain_relative * abs(earlier) for earlier, later in pairs)
    return BaseRate(len(pairs), hits)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known about an objective that asks a KPI to rise from `baseline` to `goal`."""

    baseline: float
    goal: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    """P(goal reached at the date) if nothing changes, e.g. from `chance_at_date`."""
    answers_per_period: int | None = None
    """For a share in 0..1: how many answers will be behind each measurement."""
    past: BaseRate | None = None


def realism(outlook: Outlook) -> Realism:
    """One word for an objective, the hardest objection first.

    `impossible` outside the KPI's bounds; `already_met` at the start or with 95 % chance; `unverifiable` when the
    answers expected cannot show the rise with 80 % power; `unrealistic` below 5 % chance when the past hardly ever did
    it either; then `ambitious` (below 50 %) or `likely`. `open` when nothing is known about the chance.
    """
    if not within(outlook.goal, outlook.low, outlook.high):
        return "impossible"
    if outlook.goal <= outlook.baseline or (outlook.chance is not None and outlook.chance >= MET):
        return "already_met"
    if outlook.answers_per_period is not None:
        visible = detectable_gain(outlook.baseline, outlook.answers_per_period)
        if visible is None or visible > outlook.goal - outlook.baseline:
            return "unverifiable"
    if outlook.chance is None:
        return "open"
    if outlook.chance >= LIKELY:
        return "likely"
    seldom = outlook.past is None or (outlook.past.share or 0.0) < UNREALISTIC
    return "unrealistic" if outlook.chance < UNREALISTIC and seldom else "ambitious"
