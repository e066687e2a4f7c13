"""What happens to a booked interview: it moves, is called off, or takes place."""

from __future__ import annotations

from datetime import datetime

from services.scheduling import announcements, choosing
from services.scheduling.availability import Span
from services.scheduling.booking import booking_of
from services.scheduling.lookup import the_interview, the_study
from services.scheduling.store import hosts, interviews, requests
from services.scheduling.store.interviews import CancelledBy, Interview
from shared.runtime import Connection, Transaction, conflict, unprocessable


async def reschedule(tx: Transaction, interview_id: str, starts_at: datetime) -> Interview:
    """Move an interview; its hosts stay the same where they are free. Notice and horizon do not bind the team.

    Raises:
        Problem: unknown, not booked any more, in the past, or nobody free at that time.
    """
    interview = await _locked(tx.connection, interview_id)
    if interview.state != "booked":
        raise conflict(f"This interview is {interview.state}; only a booked one can be moved.")
    if starts_at == interview.starts_at:
        return interview
    if not tx.now <= starts_at <= tx.now + choosing.FURTHEST:
        raise unprocessable("An interview can be moved to a time from now to two years ahead; choose such a time.")
    study = await the_study(tx.connection, interview.study_id)
    members = await hosts.of_study(tx.connection, study.study_id, tx.now)
    ids = [member.host.host_id for member in members]
    span = Span(starts_at, starts_at + study.length)
    busy = await hosts.busy(tx.connection, ids, span, leave_out=interview_id)
    present = tuple(host for host in (interview.moderator_id, interview.note_taker_id) if host)
    seat = choosing.seat_at(starts_at, study, members, busy, tx.now, by_hand=True, keep=present)
    if seat is None or not await interviews.move(tx.connection, booking_of(interview_id, study, seat)):
        raise conflict("No moderator of the study is free at that time; choose another of the free times.")
    moved = await the_interview(tx.connection, interview_id)
    await tx.publish(announcements.rescheduled(moved, interview.starts_at, tx.now))
    return moved


async def other_times(connection: Connection, interview: Interview, now: datetime) -> list[datetime]:
    """The starts an interview could be moved to, until its study's horizon, notice or not."""
    study = await the_study(connection, interview.study_id)
    members = await hosts.of_study(connection, study.study_id, now)
    ids = [member.host.host_id for member in members]
    span = choosing.bookable_span(study, now)
    busy = await hosts.busy(connection, ids, span, leave_out=interview.interview_id)
    free = choosing.starts(study, members, busy, now, span, by_hand=True)
    return [start for start in free if start != interview.starts_at]


async def cancel(tx: Transaction, interview_id: str, *, by: CancelledBy, reason: str | None) -> Interview:
    """Call an interview off and give its hosts their time back; one that is cancelled stays as it is.

    Raises:
        Problem: unknown, or it took place already.
    """
    interview = await _locked(tx.connection, interview_id)
    if interview.state == "cancelled":
        return interview
    if interview.state == "completed":
        raise conflict("This interview took place already; it cannot be cancelled.")
    await interviews.cancel(tx.connection, interview_id, by=by, reason=reason, now=tx.now)
    await requests.settle(tx.connection, interview.request_id, "cancelled")
    changed = await the_interview(tx.connection, interview_id)
    await tx.publish(announcements.cancelled(changed, by, reason, tx.now))
    return changed


async def complete(connection: Connection, *, interview_id: str | None, request_id: str | None, at: datetime) -> None:
    """Write down that a session took place; what is unknown here is none of ours, or comes later."""
    known = await interviews.find(connection, interview_id) if interview_id else None
    request_id = known.request_id if known else request_id
    request = await requests.lock(connection, request_id) if request_id else None
    if request is None:
        return
    held = await interviews.of_request(connection, request.request_id)
    if held and held[0].state != "completed":
        await interviews.complete(connection, held[0].interview_id, at)
    await requests.settle(connection, request.request_id, "completed")


async def _locked(connection: Connection, interview_id: str) -> Interview:
    interview = await the_interview(connection, interview_id)
    await requests.lock(connection, interview.request_id)
    return await the_interview(connection, interview_id)
