"""What the team sees: requests and interviews, studies and hosts, and whom to tell."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.scheduling import booking, changes
from services.scheduling.lookup import the_interview, the_notice
from services.scheduling.site import pages
from services.scheduling.store import interviews, notices, requests
from services.scheduling.store.interviews import Interview
from shared.contract.types import Id, Paragraph, UtcTime
from shared.runtime import NoteTaker, Problem, Researcher, Tx
from shared.ui import FieldError, field_id, parse_form, redirect

router = APIRouter(include_in_schema=False)

SHOWN = 100
TIMES_SHOWN = 60


class NewTime(BaseModel):
    starts_at: Annotated[UtcTime, Field(title="New time")]


class Cancellation(BaseModel):
    reason: Annotated[Paragraph | None, Field(title="Reason")] = None


@router.get("/")
async def inbox(request: Request, tx: Tx, _who: NoteTaker) -> Response:
    """What waits for somebody, oldest first, then what is booked."""
    return pages.render(
        request,
        "inbox.html",
        now=tx.now,
        waiting_count=await requests.count_waiting(tx.connection),
        ahead_count=await interviews.count_ahead(tx.connection, tx.now),
        waiting=await requests.page(tx.connection, "waiting", SHOWN),
        ahead=await interviews.page(tx.connection, SHOWN, state="booked", since=tx.now),
    )


@router.post("/waiting/retry")
async def retry(request: Request, tx: Tx, _who: Researcher) -> Response:
    """Try to book what waits."""
    booked = await booking.retry_waiting(tx)
    return redirect(request, "/", f"{booked} of the waiting requests could be booked.")


@router.get("/interviews/{interview_id}")
async def interview_page(interview_id: Id, request: Request, tx: Tx, _who: NoteTaker) -> Response:
    """One interview: its facts, and what can be done about it."""
    return await _interview_page(request, tx, await the_interview(tx.connection, interview_id), {}, [])


@router.post("/interviews/{interview_id}/reschedule")
async def reschedule(interview_id: Id, request: Request, tx: Tx, _who: NoteTaker) -> Response:
    """Move it, or show the page again with the reason why not."""
    form = await request.form()
    wanted, errors = parse_form(NewTime, form)
    interview = await the_interview(tx.connection, interview_id)
    if wanted is None:
        return await _interview_page(request, tx, interview, form, errors, 422)
    try:
        async with tx.connection.transaction():
            await changes.reschedule(tx, interview_id, wanted.starts_at)
    except Problem as problem:
        error = FieldError("starts_at", problem.detail, field_id("starts_at"), "New time")
        return await _interview_page(request, tx, interview, form, [error], problem.status)
    return redirect(request, f"/interviews/{interview_id}", "The interview is moved.")


@router.post("/interviews/{interview_id}/cancel")
async def cancel(interview_id: Id, request: Request, tx: Tx, _who: NoteTaker) -> Response:
    """Call it off; a waiting request may get its time."""
    form = await request.form()
    wanted, errors = parse_form(Cancellation, form)
    if wanted is None:
        interview = await the_interview(tx.connection, interview_id)
        return await _interview_page(request, tx, interview, form, errors, 422)
    await changes.cancel(tx, interview_id, by="team", reason=wanted.reason)
    await booking.retry_waiting(tx)
    return redirect(request, f"/interviews/{interview_id}", "The interview is cancelled and its time is free again.")


@router.get("/notices")
async def notices_page(request: Request, tx: Tx, _who: Researcher) -> Response:
    """Those who asked for something and should hear what became of it."""
    return pages.render(request, "notices.html", now=tx.now, notices=await notices.page(tx.connection, "open", SHOWN))


@router.post("/notices/{notice_id}/told")
async def told(notice_id: UUID, request: Request, tx: Tx, who: Researcher) -> Response:
    """The person was told."""
    notice = await the_notice(tx.connection, notice_id)
    await notices.told(tx.connection, notice_id, who.subject, tx.now)
    return redirect(request, "/notices", f"{(notice.name or notice.participant_id)[:200]} is told.")


async def _interview_page(
    request: Request, tx: Tx, interview: Interview, form: object, errors: list[FieldError], status: int = 200
) -> Response:
    free = await changes.other_times(tx.connection, interview, tx.now) if interview.state == "booked" else []
    return pages.render(
        request,
        "interview.html",
        status=status,
        interview=interview,
        free=free[:TIMES_SHOWN],
        form=form,
        errors=errors,
    )
