"""The life of a session: planned, running, completed or cancelled, and which step may follow which.

Steps return the session as it is afterwards; the `…_problem` functions say in one sentence why a step is impossible
and what to do, or None where it is possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from services.sessions.guides import Guide
from services.sessions.listening import Listening

State = Literal["planned", "running", "completed", "cancelled"]
TOOK_PLACE: frozenset[State] = frozenset({"running", "completed"})

_NAMESPACE = UUID("5d0e0b0c-93f4-4c5e-8a0e-3a1f6f2a7c11")


@dataclass(frozen=True, slots=True)
class Session:
    """One interview as it stands.

    `interview_version` is that of the last event about its booking, None for an ad-hoc session. Times of the booking
    are unknown while only its cancellation is. The guide is settled when the session starts.
    """

    session_id: str
    participant_id: str
    state: State = "planned"
    interview_id: str | None = None
    interview_version: int | None = None
    request_id: str | None = None
    study_id: str | None = None
    moderator_id: str | None = None
    note_taker_id: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    timezone: str = "UTC"
    questions: tuple[str, ...] = ()
    segment: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    guide_version: int | None = None
    guide_questions: tuple[str, ...] | None = None
    listening: Listening | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """What an event says about an interview that is to take place."""

    version: int
    moderator_id: str
    note_taker_id: str | None
    starts_at: datetime
    ends_at: datetime
    timezone: str
    questions: tuple[str, ...]
    segment: Mapping[str, str]


def session_id_of(interview_id: str) -> str:
    """The session of an interview; the same on every replay."""
    return str(uuid5(_NAMESPACE, interview_id))


def is_stale(session: Session, version: int) -> bool:
    """Whether the session already knows this version of its interview, or a later one."""
    return session.interview_version is not None and version <= session.interview_version


def was_overtaken(session: Session, version: int) -> bool:
    """Whether this version is the booking whose cancellation came first, so that its times are unknown still."""
    return session.starts_at is None and version + 1 == session.interview_version


def booked(session: Session, booking: Booking) -> Session:
    """After a booking or a change of it; one that comes in late undoes neither its cancellation nor what took place."""
    stays = session.state in TOOK_PLACE or is_stale(session, booking.version)
    return replace(
        session,
        state=session.state if stays else "planned",
        interview_version=max(booking.version, session.interview_version or 0),
        moderator_id=booking.moderator_id,
        note_taker_id=booking.note_taker_id,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        timezone=session.timezone if session.erased_at else booking.timezone,
        questions=() if session.erased_at else booking.questions,
        segment={} if session.erased_at else booking.segment,
    )


def cancelled(session: Session, version: int) -> Session:
    """After the cancellation of its booking; people who are talking already go on."""
    state: State = session.state if session.state in TOOK_PLACE else "cancelled"
    return replace(session, state=state, interview_version=version)


def started(session: Session, at: datetime, guide: Guide) -> Session:
    return replace(
        session, state="running", started_at=at, guide_version=guide.version, guide_questions=guide.questions
    )


def completed(session: Session, at: datetime, listening: Listening | None) -> Session:
    return replace(session, state="completed", completed_at=at, listening=listening)


def erased(session: Session, anonymous_id: str, at: datetime) -> Session:
    """Without anything that leads back to the participant; that the interview took place stays true."""
    return replace(
        session,
        participant_id=anonymous_id,
        request_id=None,
        questions=(),
        segment={},
        timezone="UTC",
        erased_at=at,
    )


def start_problem(session: Session, at: datetime, now: datetime) -> str | None:
    if session.state == "cancelled":
        return "The interview is cancelled; book it again, or add a session without a booking."
    if session.state == "completed":
        return "The session is completed and cannot be started again; add another session."
    if at > now:
        return "The start lies in the future; leave it out to start now."
    return None


def completion_problem(session: Session, at: datetime, now: datetime) -> str | None:
    if session.state != "running" or session.started_at is None:
        return f"The session is {session.state}; only a running one can be completed, so start it first."
    if at > now:
        return "The end lies in the future; leave it out to complete now."
    if at < session.started_at:
        return f"The end lies before the start, {session.started_at.isoformat()}; give a later one."
    return None


def question_problem(session: Session, number: int) -> str | None:
    if session.state == "completed":
        return "The session is completed; which questions were asked stays as it is."
    if session.guide_questions is None:
        return "The guide is settled when the session starts; start it, then tick what was asked."
    if not 1 <= number <= len(session.guide_questions):
        return f"The guide has questions 1 to {len(session.guide_questions)}; there is no question {number}."
    return None


def note_problem(session: Session) -> str | None:
    if session.erased_at:
        return "The participant asked to be forgotten; nothing more may be noted."
    if session.state == "cancelled":
        return "The interview is cancelled; there is nothing to note."
    return None


def transcript_problem(session: Session) -> str | None:
    if session.erased_at:
        return "The participant asked to be forgotten; no transcript may be kept."
    if session.state == "cancelled":
        return "The interview is cancelled; there is nothing to transcribe."
    if session.state == "completed":
        return (
            "The session is completed, and completing told other services what there is; a transcript must be "
            "uploaded before. Add another session for it."
        )
    return None


def seconds_into(session: Session, now: datetime) -> float | None:
    """How far into the running session `now` is; None when it does not run."""
    if session.state != "running" or session.started_at is None:
        return None
    return max(0.0, (now - session.started_at).total_seconds())
