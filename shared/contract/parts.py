"""The parts that several events are made of."""

from typing import Literal, Self

from pydantic import Field, model_validator

from .types import Email, Id, Line, Schema, Share, UtcTime

Sentiment = Literal["negative", "mixed", "neutral", "positive"]
VoterKind = Literal["customer", "prospect", "team", "anonymous"]
FeatureStatus = Literal["new", "considered", "planned", "now", "shipped", "declined"]
Verdict = Literal["improved", "worsened", "no_visible_change", "cannot_tell"]


class Contact(Schema):
    name: Line
    email: Email
    company: Line | None = None
    phone: Line | None = None


class TimeRange(Schema):
    """Half-open: a meeting that ends at `end` does not touch one that starts there."""

    start: UtcTime
    end: UtcTime

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be later than start")
        return self


class Transcript(Schema):
    """Where a transcript lies; too large for an event, so readers fetch it."""

    url: Line
    format: Literal["vtt", "srt", "text"]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the file's bytes")


class Listening(Schema):
    """How well the interviewers listened; unknown without speakers and times."""

    moderator_talk_share: Share | None = None
    longest_monologue_seconds: float | None = Field(default=None, ge=0)
    moderator_questions: int | None = Field(default=None, ge=0)


class OnBehalf(Schema):
    """Who recorded a customer's vote, and where the customer said it."""

    recorded_by: Id
    source_url: Line | None = None
