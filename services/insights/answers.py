"""What the JSON endpoints answer with."""

from collections.abc import Sequence
from typing import Self

from shared.contract.parts import Listening, Sentiment, Verdict
from shared.contract.types import Schema, Segment, UtcTime

from . import model
from .opinions import Opinions as Counted


class Transcript(Schema):
    url: str
    format: str
    sha256: str


class Session(Schema):
    """A session; `erased` says that its participant asked to be forgotten."""

    session_id: str
    interview_id: str | None
    participant_id: str
    study_id: str | None
    completed_at: UtcTime
    transcript: Transcript | None
    segment: Segment
    listening: Listening
    insights: int
    erased: bool

    @classmethod
    def of(cls, session: model.Session) -> Self:
        transcript = session.transcript
        return cls(
            session_id=session.session_id,
            interview_id=session.interview_id,
            participant_id=session.participant_id,
            study_id=session.study_id,
            completed_at=session.completed_at,
            transcript=transcript
            and Transcript(url=transcript.url, format=transcript.format, sha256=transcript.sha256),
            segment=Segment(**session.segment),
            listening=Listening.model_validate(session.listening),
            insights=session.insights,
            erased=session.erased_at is not None,
        )


class Turn(Schema):
    """One turn of a transcript; `number` counts from 1, times are seconds from the recording's start."""

    number: int
    speaker: str | None
    start: float | None
    end: float | None
    text: str


class Insight(Schema):
    """An insight; the place of its quote is known where it was taken from a turn.

    `start_char` and `end_char` count code points of the turn's text in NFC, the end not included; seconds are the
    turn's.
    """

    insight_id: str
    version: int
    withdrawn: bool
    session_id: str
    participant_id: str
    feature_id: str | None
    quote: str | None
    turn: int | None
    start_char: int | None
    end_char: int | None
    start_seconds: float | None
    end_seconds: float | None
    tags: tuple[str, ...]
    sentiment: Sentiment | None
    importance: int
    coder_id: str
    tagged_at: UtcTime

    @classmethod
    def of(cls, insight: model.Insight) -> Self:
        content, place = insight.content, insight.content.place
        return cls(
            insight_id=insight.insight_id,
            version=insight.version,
            withdrawn=insight.withdrawn,
            session_id=insight.session_id,
            participant_id=insight.participant_id,
            feature_id=content.feature_id,
            quote=content.quote,
            turn=place and place.turn,
            start_char=place and place.start_char,
            end_char=place and place.end_char,
            start_seconds=place and place.start_seconds,
            end_seconds=place and place.end_seconds,
            tags=content.tags,
            sentiment=content.sentiment,
            importance=content.importance,
            coder_id=insight.coder_id,
            tagged_at=insight.tagged_at,
        )


class Feature(Schema):
    """A feature; title and status are unknown until roadmap tells them. `people` speak about it."""

    feature_id: str
    title: str | None
    status: str | None
    people: int

    @classmethod
    def of(cls, feature: model.Feature) -> Self:
        return cls(feature_id=feature.feature_id, title=feature.title, status=feature.status, people=feature.people)


class Opinions(Schema):
    """How many people think what; everybody counts once, who said both good and bad is mixed."""

    negative: int
    mixed: int
    neutral: int
    positive: int
    unstated: int


class Impact(Schema):
    """What the shipped feature did to a KPI, in the KPI's unit."""

    kpi_id: str
    effect: float
    effect_low: float
    effect_high: float
    confidence: float
    unit: str | None
    verdict: Verdict
    smallest_visible_effect: float | None
    released_at: UtcTime
    assessed_at: UtcTime


class Evidence(Feature):
    """A feature with all that speaks for and against it; `insights` holds the newest ones."""

    opinions: Opinions
    insights: tuple[Insight, ...]
    impacts: tuple[Impact, ...]

    @classmethod
    def gathered(
        cls,
        feature: model.Feature,
        held: Counted,
        insights: Sequence[model.Insight],
        impacts: Sequence[model.Impact],
    ) -> Self:
        return cls(
            feature_id=feature.feature_id,
            title=feature.title,
            status=feature.status,
            people=held.people,
            opinions=Opinions.model_validate(held, from_attributes=True),
            insights=tuple(Insight.of(insight) for insight in insights),
            impacts=tuple(Impact.model_validate(impact, from_attributes=True) for impact in impacts),
        )
