"""What interviewees said about ideas, as far as the roadmap needs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Insight:
    """One tagged quote; importance 0 not important, 1 nice to have, 2 important, 3 critical."""

    insight_id: str
    version: int
    withdrawn: bool
    feature_id: str | None
    participant_id: str
    session_id: str | None
    quote: str | None
    sentiment: str | None
    importance: int
    tagged_at: datetime


def highest_versions(insights: Iterable[Insight]) -> list[Insight]:
    """The highest version of each insight, the first of equals, ordered by id."""
    highest: dict[str, Insight] = {}
    for insight in insights:
        held = highest.get(insight.insight_id)
        if held is None or insight.version > held.version:
            highest[insight.insight_id] = insight
    return [highest[name] for name in sorted(highest)]
