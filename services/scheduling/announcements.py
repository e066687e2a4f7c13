"""An interview as the events that tell of it; no name and no address leaves in them."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from services.scheduling.store.interviews import CancelledBy, Interview
from shared.contract.events import InterviewCancelled, InterviewRescheduled, InterviewScheduled
from shared.contract.types import Segment


class _Which(TypedDict):
    interview_id: str
    version: int
    request_id: str
    study_id: str
    participant_id: str


class _Booked(_Which):
    moderator_id: str
    note_taker_id: str | None
    starts_at: datetime
    ends_at: datetime
    timezone: str
    questions: tuple[str, ...]
    segment: Segment


def scheduled(interview: Interview) -> InterviewScheduled:
    return InterviewScheduled(**_booked(interview), scheduled_at=interview.scheduled_at)


def rescheduled(interview: Interview, previous_starts_at: datetime, now: datetime) -> InterviewRescheduled:
    return InterviewRescheduled(**_booked(interview), previous_starts_at=previous_starts_at, rescheduled_at=now)


def cancelled(interview: Interview, by: CancelledBy, reason: str | None, now: datetime) -> InterviewCancelled:
    return InterviewCancelled(**_which(interview), cancelled_at=now, cancelled_by=by, reason=reason)


def _which(interview: Interview) -> _Which:
    return {
        "interview_id": interview.interview_id,
        "version": interview.version,
        "request_id": interview.request_id,
        "study_id": interview.study_id,
        "participant_id": interview.participant_id,
    }


def _booked(interview: Interview) -> _Booked:
    return {
        **_which(interview),
        "moderator_id": interview.moderator_id,
        "note_taker_id": interview.note_taker_id,
        "starts_at": interview.starts_at,
        "ends_at": interview.ends_at,
        "timezone": interview.timezone,
        "questions": interview.questions,
        "segment": Segment.model_validate(interview.segment),
    }
