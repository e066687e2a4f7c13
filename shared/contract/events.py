"""The data of every event type, and the key that orders it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .parts import Contact, FeatureStatus, Listening, OnBehalf, Sentiment, TimeRange, Transcript, Verdict, VoterKind
from .types import Id, Line, Paragraph, Schema, Segment, Share, UtcTime, ZoneName


class EventData(Schema):
    """The data of one event type; `key` names the field that decides the order.

    `about` names the fields that say whom it is about, `words` what that person said or is: all that an event loses
    when the person asks to be forgotten.
    """

    key: ClassVar[tuple[str, ...]]
    about: ClassVar[tuple[str, ...]] = ()
    words: ClassVar[tuple[str, ...]] = ()

    def key_value(self) -> str:
        """The Kafka key: the first named field that is set."""
        for name in self.key:
            value = getattr(self, name)
            if value is not None:
                return str(value)
        raise ValueError(f"{type(self).__name__} has no key")


class DemoRequested(EventData):
    """Somebody asks for a demo; the only event that carries contact details."""

    key = ("request_id",)
    about = ("request_id",)
    words = ("contact", "questions", "segment")
    request_id: Id
    requested_at: UtcTime
    contact: Contact
    timezone: ZoneName = "UTC"
    preferred_times: tuple[TimeRange, ...] = Field(default=(), max_length=20, description="in order of preference")
    questions: tuple[Paragraph, ...] = Field(default=(), max_length=20, description="what the customer wants answered")
    study_id: Id | None = Field(default=None, description="none: the study that is open for requests")
    segment: Segment = Segment()


class Interview(EventData):
    """What stays the same through an interview's changes; `version` rises by one with each of them."""

    key = ("interview_id",)
    about = ("participant_id",)
    interview_id: Id
    version: int = Field(ge=1)
    request_id: Id
    study_id: Id
    participant_id: Id


class BookedInterview(Interview):
    words = ("questions", "segment")
    moderator_id: Id
    note_taker_id: Id | None = None
    starts_at: UtcTime
    ends_at: UtcTime
    timezone: ZoneName = Field(description="the participant's")
    questions: tuple[Paragraph, ...] = Field(default=(), max_length=20)
    segment: Segment = Segment()


class InterviewScheduled(BookedInterview):
    """A time that suits both sides is booked."""

    scheduled_at: UtcTime


class InterviewRescheduled(BookedInterview):
    """The interview moved to another time; everything else is as it now is."""

    previous_starts_at: UtcTime
    rescheduled_at: UtcTime


class InterviewCancelled(Interview):
    """The interview will not take place."""

    words = ("reason",)
    cancelled_at: UtcTime
    cancelled_by: Literal["participant", "team"]
    reason: Paragraph | None = None


class SessionCompleted(EventData):
    """An interview took place; published by sessions or by another recording tool."""

    key = ("session_id",)
    about = ("participant_id",)
    words = ("transcript", "segment")
    session_id: Id
    interview_id: Id | None = None
    request_id: Id | None = None
    study_id: Id | None = None
    participant_id: Id
    moderator_id: Id | None = None
    started_at: UtcTime | None = None
    completed_at: UtcTime
    transcript: Transcript | None = None
    listening: Listening = Listening()
    segment: Segment = Segment()


class InsightTagged(EventData):
    """A quote carries tags; the highest `version` of an insight holds, `withdrawn` takes it back."""

    key = ("feature_id", "insight_id")
    about = ("participant_id",)
    words = ("quote", "segment")
    insight_id: Id
    version: int = Field(default=1, ge=1)
    withdrawn: bool = False
    feature_id: Id | None = None
    session_id: Id | None = None
    study_id: Id | None = None
    participant_id: Id
    quote: Paragraph | None = None
    tags: tuple[Line, ...] = Field(default=(), max_length=50)
    sentiment: Sentiment | None = None
    sentiment_source: Literal["human", "suggested"] = "human"
    importance: int = Field(
        default=1, ge=0, le=3, description="0 not important, 1 nice to have, 2 important, 3 critical"
    )
    coder_id: Id | None = None
    codebook_version: int | None = Field(default=None, ge=1)
    tagged_at: UtcTime
    segment: Segment = Segment()


class FeatureVoted(EventData):
    """One person's vote on one feature; the latest by `voted_at` holds."""

    key = ("feature_id",)
    about = ("voter_id",)
    words = ("on_behalf", "segment")
    feature_id: Id
    voter_id: Id
    voter_kind: VoterKind = "customer"
    vote: Literal["up", "withdrawn"] = "up"
    voted_at: UtcTime
    channel: Line = "unknown"
    on_behalf: OnBehalf | None = None
    segment: Segment = Segment()


class FeaturePriorityChanged(EventData):
    """A feature's priority really changed; the terms are enough to recompute the score."""

    key = ("feature_id",)
    feature_id: Id
    version: int = Field(ge=1)
    score: float = Field(ge=0)
    previous_score: float | None = Field(default=None, ge=0)
    raw_votes: int = Field(ge=0)
    previous_raw_votes: int | None = Field(default=None, ge=0)
    share: Share
    share_low: Share = Field(description="lower bound of the share's 90 % Wilson interval")
    effective_sample_size: float = Field(ge=0)
    weighted: bool = Field(description="false: no population frame, so votes count as they come")
    impact: float = Field(ge=0)
    kpi_factor: float = Field(ge=0)
    effort_weeks: float = Field(gt=0)
    formula: Line
    changed_at: UtcTime


class FeatureStatusChanged(EventData):
    """A feature is new, or moved on the roadmap; the highest `version` holds."""

    key = ("feature_id",)
    about = ("asked_by",)
    feature_id: Id
    version: int = Field(ge=1)
    title: Line
    status: FeatureStatus
    previous_status: FeatureStatus | None = None
    changed_at: UtcTime
    released_at: UtcTime | None = Field(default=None, description="when customers got it; set with status shipped")
    kpi_ids: tuple[Id, ...] = Field(default=(), max_length=50, description="what the feature is meant to move")
    asked_by: tuple[Id, ...] = Field(
        default=(), max_length=10_000, description="participants whose words stand behind it"
    )

    @model_validator(mode="after")
    def _released_when_shipped(self) -> Self:
        if self.status == "shipped" and self.released_at is None:
            raise ValueError("released_at is required when status is shipped")
        return self


class KpiMeasured(EventData):
    """One measurement of a KPI over a period; of the same period and dimensions the latest `measured_at` holds."""

    key = ("kpi_id",)
    kpi_id: Id
    name: Line | None = None
    unit: Line | None = None
    higher_is_better: bool = True
    period_start: UtcTime
    period_end: UtcTime
    value: float
    sample_size: int | None = Field(default=None, ge=0, description="answers behind the value")
    dimensions: Mapping[Line, Line] = Field(default_factory=dict, max_length=10)
    baseline: float | None = Field(default=None, description="the objective's starting value, where there is one")
    target: float | None = Field(default=None, description="the objective's value to reach, where there is one")
    measured_at: UtcTime

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.period_end <= self.period_start:
            raise ValueError("period_end must be later than period_start")
        return self


class KpiImpactAssessed(EventData):
    """What a shipped feature did to a KPI, with its interval; the highest `version` holds."""

    key = ("feature_id",)
    feature_id: Id
    kpi_id: Id
    version: int = Field(ge=1)
    released_at: UtcTime
    effect: float = Field(description="average difference to what would have been, in the KPI's unit")
    effect_low: float
    effect_high: float
    confidence: Share = 0.95
    unit: Line | None = None
    verdict: Verdict
    smallest_visible_effect: float | None = Field(default=None, ge=0)
    periods_before: int = Field(ge=0)
    periods_after: int = Field(ge=0)
    assessed_at: UtcTime


class ParticipantErased(EventData):
    """A person asked to be forgotten: remove or anonymise everything about the participant."""

    key = ("participant_id",)
    about = ("participant_id",)
    participant_id: Id
    erased_at: UtcTime


class ErasureCompleted(EventData):
    """A service has forgotten the participant: counts by place, nothing of the person."""

    key = ("participant_id",)
    about = ("participant_id",)
    participant_id: Id
    service: Id
    erased_at: UtcTime = Field(description="of the ParticipantErased that this answers")
    completed_at: UtcTime
    removed: Mapping[Line, Annotated[int, Field(ge=0)]] = Field(
        max_length=50, description="by table: how many records were removed or made anonymous"
    )
    kept: Mapping[Line, Line] = Field(max_length=50, description="by table: what stays, and why")


class EventRejected(EventData):
    """A service could not handle a record; it is kept whole in that service's dead letters."""

    key = ("dead_letter_id",)
    words = ("event_id", "reason")
    dead_letter_id: Id
    service: Id
    topic: Line
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    event_id: Line | None = None
    event_type: Line | None = None
    reason: Paragraph
    rejected_at: UtcTime


class DeadLetterClosed(EventData):
    """What became of a record that EventRejected told of; nothing more will."""

    key = ("dead_letter_id",)
    dead_letter_id: Id
    service: Id
    topic: Line
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    event_id: Line | None = None
    event_type: Line | None = None
    outcome: Literal["replayed", "discarded", "erased"]
    edited: bool = Field(default=False, description="whether it was mended before it was replayed")
    closed_at: UtcTime
