"""What the JSON endpoints take and give."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from services.sessions.guides import MOST_QUESTIONS
from services.sessions.interviews import State
from services.sessions.store_room import NoteKind
from services.sessions.uploads import Format
from shared.contract.types import Id, Line, Paragraph, Segment, UtcTime, ZoneName
from shared.runtime import Answer, Body


def _trimmed(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank; write a question or leave it out")
    return text.strip()


Question = Annotated[Line, AfterValidator(_trimmed)]


class NewSession(Body):
    """An interview without a booking."""

    session_id: Id | None = Field(default=None, description="yours, so that a repeated request adds nothing")
    participant_id: Id
    study_id: Id | None = None
    moderator_id: Id | None = None
    note_taker_id: Id | None = None
    starts_at: UtcTime | None = Field(default=None, description="none: now")
    ends_at: UtcTime | None = None
    timezone: ZoneName = "UTC"
    questions: tuple[Paragraph, ...] = Field(default=(), max_length=20, description="the customer's own")
    segment: Segment = Segment()

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends_at and not self.starts_at:
            raise ValueError("ends_at needs starts_at")
        if self.ends_at and self.starts_at and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be later than starts_at")
        return self


class Start(Body):
    started_at: UtcTime | None = Field(default=None, description="none: now")


class Completion(Body):
    completed_at: UtcTime | None = Field(default=None, description="none: now")
    moderator: Line | None = Field(default=None, description="the moderator's name in the transcript")


class NewNote(Body):
    note_id: Id | None = Field(default=None, description="yours, so that a repeated request adds nothing")
    kind: NoteKind = "note"
    text: Paragraph | Literal[""] = Field(default="", description="may be empty for a bookmark")
    at_seconds: float | None = Field(default=None, ge=0, description="from the start; none: now, if running")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip() and self.kind != "bookmark":
            raise ValueError("text is empty; write what was said or seen, or send a bookmark")
        return self


class NewGuide(Body):
    questions: tuple[Question, ...] = Field(min_length=1, max_length=MOST_QUESTIONS)


class ListeningAnswer(Answer):
    moderator_talk_share: float | None
    moderator_seconds: float | None
    others_seconds: float | None
    overlap_seconds: float | None
    unattributed_seconds: float | None
    longest_monologue_seconds: float | None
    longest_story_seconds: float | None
    longest_silence_seconds: float | None
    patience_seconds: float | None
    moderator_questions: int | None


class SessionAnswer(Answer):
    session_id: str
    state: State
    interview_id: str | None
    request_id: str | None
    study_id: str | None
    participant_id: str
    moderator_id: str | None
    note_taker_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    timezone: str
    questions: tuple[str, ...]
    segment: Segment
    started_at: datetime | None
    completed_at: datetime | None
    guide_version: int | None = Field(description="settled at the start; 0 is the built-in guide")
    guide_questions: tuple[str, ...] | None
    listening: ListeningAnswer | None
    erased_at: datetime | None


class NoteAnswer(Answer):
    note_id: str
    session_id: str
    author: str
    kind: NoteKind
    text: str
    at_seconds: float | None
    written_at: datetime


class TranscriptAnswer(Answer):
    format: Format
    sha256: str
    speakers: tuple[str, ...]
    moderator: str | None
    turns: int


class Turn(Answer):
    """Seconds from the recording's start; plain text tells neither speakers nor times."""

    speaker: str | None
    start: float | None
    end: float | None
    text: str


class GuideAnswer(Answer):
    study_id: str
    version: int = Field(description="0: the built-in guide, as the study has none of its own")
    questions: tuple[str, ...]


class AskedAnswer(Answer):
    asked: tuple[int, ...] = Field(description="numbers of the guide's questions, from 1")
