"""Other formulas over the same inputs, shown beside the measured priority and never mixed into it.

A lens that lacks an input has no value; nothing is filled in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

from services.roadmap.priority.kano import Answers, kano
from services.roadmap.priority.measured import EFFORT_FLOOR
from services.roadmap.priority.scoring import hacker_news, ice, opportunity, rice, wsjf

LensName = Literal["momentum", "revenue", "rice", "wsjf", "ice", "kano", "opportunity", "hot"]
LENSES: tuple[LensName, ...] = get_args(LensName)

WEEKS_PER_MONTH = 365.25 / 12 / 7
"""RICE counts effort in person-months."""

HALF_LIFE_SECONDS = 14 * 86_400
LANDMARK = 1_767_225_600
"""2026-01-01, in seconds since 1970: when a vote weighs 1 in the stored momentum."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """What people typed in for one idea; None is not said.

    `impact` is 0.25..3 as in RICE, `confidence` 0..1, `ease` 1..10, `value`, `criticality` and `risk` are points as in
    WSJF, `importance` and `satisfaction` are the share of people answering 4 or 5 of 5, times 10.
    """

    impact: float | None = None
    confidence: float | None = None
    ease: float | None = None
    value: float | None = None
    criticality: float | None = None
    risk: float | None = None
    importance: float | None = None
    satisfaction: float | None = None
    kano: Answers = field(default_factory=dict)


NOTHING = Estimates()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What lenses look at; times are in seconds since 1970, `reach` in customers, `revenue` None without accounts."""

    estimates: Estimates
    reach: float
    supporters: int
    momentum: float
    effort_weeks: float | None
    revenue: float | None
    created_at: float
    now: float


class Reading(NamedTuple):
    """A lens's value, or which inputs are missing."""

    value: float | None
    missing: tuple[str, ...] = ()


def read(lens: LensName, given: Inputs) -> Reading:
    """What the lens shows of one idea."""
    needs, compute = _LENSES[lens]
    known = {name: _value(given, name) for name in needs}
    missing = tuple(name for name, value in known.items() if value is None)
    if missing:
        return Reading(None, missing)
    return Reading(compute({name: value for name, value in known.items() if value is not None}))


def recent_votes(momentum: float, now: float) -> float:
    """The stored momentum as a number of votes cast right now: one of 14 days ago counts half, of 28 a quarter."""
    return momentum * math.exp2(-(now - LANDMARK) / HALF_LIFE_SECONDS)


def _value(given: Inputs, name: str) -> float | None:
    if name == "recent_votes":
        return recent_votes(given.momentum, given.now)
    if name == "age_hours":
        return max(0.0, (given.now - given.created_at) / 3600)
    if name == "kano":
        found = kano(given.estimates.kano)
        return found.coefficients.better - found.coefficients.worse if found and found.coefficients else None
    if name == "effort_weeks":
        return None if given.effort_weeks is None else max(EFFORT_FLOOR, given.effort_weeks)
    own: float | None = getattr(given if name in Inputs.__slots__ else given.estimates, name)
    return own


Known = Mapping[str, float]

_LENSES: Mapping[LensName, tuple[tuple[str, ...], Callable[[Known], float]]] = {
    "momentum": (("recent_votes",), lambda known: known["recent_votes"]),
    "revenue": (("revenue",), lambda known: known["revenue"]),
    "rice": (
        ("reach", "impact", "confidence", "effort_weeks"),
        lambda known: rice(
            known["reach"], known["impact"], known["confidence"], known["effort_weeks"] / WEEKS_PER_MONTH
        ),
    ),
    "wsjf": (
        ("value", "criticality", "risk", "effort_weeks"),
        lambda known: wsjf(known["value"], known["criticality"], known["risk"], known["effort_weeks"]),
    ),
    "ice": (
        ("impact", "confidence", "ease"),
        lambda known: ice(known["impact"] / 3 * 10, known["confidence"] * 10, known["ease"]),
    ),
    "kano": (("kano",), lambda known: known["kano"]),
    "opportunity": (
        ("importance", "satisfaction"),
        lambda known: opportunity(known["importance"], known["satisfaction"]),
    ),
    "hot": (("supporters", "age_hours"), lambda known: hacker_news(known["supporters"], known["age_hours"])),
}
"""What each lens needs, and how its value follows."""
