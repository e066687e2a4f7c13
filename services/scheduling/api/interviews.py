"""Interviews over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from services.scheduling import booking, changes
from services.scheduling.lookup import the_interview
from services.scheduling.store import interviews
from services.scheduling.store.interviews import CancelledBy, InterviewState
from shared.contract.types import Id, Paragraph, UtcTime
from shared.runtime import Answer, Body, Limit, NoteTaker, Tx, Viewer

router = APIRouter(prefix="/api/v1/interviews", tags=["interviews"])


class InterviewAnswer(Answer):
    """An interview without anybody's contact details."""

    interview_id: str
    version: int
    request_id: str
    study_id: str
    participant_id: str
    moderator_id: str
    note_taker_id: str | None
    starts_at: datetime
    ends_at: datetime
    timezone: str
    state: InterviewState
    questions: tuple[str, ...]
    segment: dict[str, str]
    scheduled_at: datetime
    cancelled_at: datetime | None
    cancelled_by: CancelledBy | None
    cancel_reason: str | None


class NewTime(Body):
    starts_at: UtcTime


class Cancellation(Body):
    reason: Paragraph | None = None


@router.get("", summary="Interviews by start")
async def interview_list(
    tx: Tx,
    _who: Viewer,
    state: InterviewState | None = None,
    since: Annotated[UtcTime | None, Query(description="only those that end later")] = None,
    limit: Limit = 100,
) -> list[InterviewAnswer]:
    found = await interviews.page(tx.connection, limit, state=state, since=since)
    return [InterviewAnswer.model_validate(interview) for interview in found]


@router.get("/{interview_id}", summary="One interview")
async def one_interview(interview_id: Id, tx: Tx, _who: Viewer) -> InterviewAnswer:
    return InterviewAnswer.model_validate(await the_interview(tx.connection, interview_id))


@router.post("/{interview_id}/reschedule", summary="Move an interview to another time")
async def reschedule(interview_id: Id, body: NewTime, tx: Tx, _who: NoteTaker) -> InterviewAnswer:
    return InterviewAnswer.model_validate(await changes.reschedule(tx, interview_id, body.starts_at))


@router.post("/{interview_id}/cancel", summary="Call an interview off; waiting requests may get its time")
async def cancel(interview_id: Id, body: Cancellation, tx: Tx, _who: NoteTaker) -> InterviewAnswer:
    cancelled = await changes.cancel(tx, interview_id, by="team", reason=body.reason)
    await booking.retry_waiting(tx)
    return InterviewAnswer.model_validate(cancelled)
