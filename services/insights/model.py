"""Sessions, insights, features and impacts as this service knows them, and how an insight changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from unicodedata import normalize

Sentiment = Literal["negative", "mixed", "neutral", "positive"]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Where a session's transcript lies; `sha256` is of the file's bytes."""

    url: str
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Session:
    """An interview that took place; `insights` counts those that were not withdrawn."""

    session_id: str
    interview_id: str | None
    participant_id: str
    study_id: str | None
    completed_at: datetime
    transcript: Transcript | None
    segment: Mapping[str, str]
    listening: Mapping[str, float]
    erased_at: datetime | None = None
    insights: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a transcript a quote stands.

    Turns count from 1; characters are code points of the turn's text in NFC, the end not included; seconds are the
    turn's, where the transcript has times.
    """

    turn: int
    start_char: int
    end_char: int
    start_seconds: float | None
    end_seconds: float | None
    transcript_sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a researcher says about a passage; importance: 0 not important, 1 nice to have, 2 important, 3 critical."""

    quote: str | None = None
    place: Place | None = None
    feature_id: str | None = None
    tags: tuple[str, ...] = ()
    sentiment: Sentiment | None = None
    importance: int = 1

    @property
    def says_something(self) -> bool:
        return bool(self.quote or self.feature_id or self.tags)


@dataclass(frozen=True, slots=True)
class Insight:
    """One version of an insight; `tagged_at` and `coder_id` say who made this version and when."""

    insight_id: str
    version: int
    withdrawn: bool
    session_id: str
    participant_id: str
    content: Content
    coder_id: str
    tagged_at: datetime


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that roadmap told about or that an insight names; `people` speak about it."""

    feature_id: str
    title: str | None
    status: str | None
    people: int = 0


@dataclass(frozen=True, slots=True)
class Impact:
    """What a shipped feature did to a KPI, in the KPI's unit."""

    kpi_id: str
    effect: float
    effect_low: float
    effect_high: float
    confidence: float
    unit: str | None
    verdict: str
    smallest_visible_effect: float | None
    released_at: datetime
    assessed_at: datetime


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags in NFC with single spaces, each once whatever its case, in the order and spelling they first came in."""
    spellings: dict[str, str] = {}
    for tag in tags:
        spelling = " ".join(normalize("NFC", tag).split())
        if spelling:
            spellings.setdefault(spelling.casefold(), spelling)
    return tuple(spellings.values())


def revise(insight: Insight, content: Content, *, coder_id: str, at: datetime) -> list[Insight]:
    """The versions that lead to the new content, in order; none when it says what the insight says already.

    An insight that moves to another feature is first withdrawn from the one it leaves. Each step has a version of its
    own, because events about two features may overtake each other and the higher version must hold either way.
    """
    if content.place is None and content.quote == insight.content.quote:
        content = replace(content, place=insight.content.place)
    if content == insight.content:
        return []
    steps = []
    leaves = insight.content.feature_id
    if leaves is not None and leaves != content.feature_id:
        steps.append(withdraw(insight, coder_id=coder_id, at=at))
    version = insight.version + len(steps) + 1
    return [*steps, replace(insight, version=version, content=content, coder_id=coder_id, tagged_at=at)]


def withdraw(insight: Insight, *, coder_id: str, at: datetime) -> Insight:
    """The version that takes the insight back."""
    return replace(insight, version=insight.version + 1, withdrawn=True, coder_id=coder_id, tagged_at=at)
