"""From a request to a booked interview, or to the reason why it waits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from services.scheduling import announcements, choosing
from services.scheduling.availability import Span
from services.scheduling.choosing import Seat
from services.scheduling.lookup import the_interview
from services.scheduling.store import hosts, interviews, requests, studies
from services.scheduling.store.interviews import Booking
from services.scheduling.store.requests import Request
from services.scheduling.studies import Study
from shared.runtime import Connection, Transaction

ATTEMPTS = 100
"""How often another time is looked for when somebody else was faster; each loss leaves one time fewer to lose."""

RETRIED_AT_ONCE = 50
"""How many waiting requests one change books, so that the change itself stays quick."""

INTERVIEWS = UUID("0c2f9f0e-5f0a-4a53-9b5c-6a2f4f1f2d11")
"""Namespace of interview ids: a request that is heard again after a restore leads to the same interview."""


class Taken(Exception):  # noqa: N818 - named for what happened to the time
    """Nobody is free at the wanted time; `nearest` are the free ones around it."""

    def __init__(self, nearest: list[datetime]) -> None:
        super().__init__("the time is taken")
        self.nearest = nearest


async def place(tx: Transaction, request: Request, *, at: datetime | None = None) -> bool:
    """Book a request that is locked or new, exactly at a start if one is given; False leaves it waiting, saying why.

    Raises:
        Taken: nobody is free at `at`.
    """
    study = await studies.for_requests(tx.connection, request.study_id)
    is_open = study is not None and study.open
    if study is not None and is_open and await _book(tx, request, study, at):
        await requests.settle(tx.connection, request.request_id, "booked")
        return True
    if at is not None:
        free = await free_times(tx.connection, study, tx.now) if study is not None and is_open else []
        raise Taken(choosing.nearest(free, at))
    await requests.settle(tx.connection, request.request_id, "waiting", _why_it_waits(request, study))
    return False


async def retry_waiting(tx: Transaction) -> int:
    """Try what waits again after something changed, longest waiting first; gives how many are booked now.

    Where one request for a study finds no time the others for it would not either, so they are only told why.
    """
    booked = 0
    for study_id in await requests.studies_waited_for(tx.connection):
        while booked < RETRIED_AT_ONCE:
            request = await requests.lock_longest_waiting(tx.connection, study_id)
            if request is None:
                break
            if not await place(tx, request):
                study = await studies.for_requests(tx.connection, study_id)
                await requests.explain(tx.connection, study_id, _why_it_waits(request, study))
                break
            booked += 1
    return booked


async def free_times(connection: Connection, study: Study, now: datetime, span: Span | None = None) -> list[datetime]:
    """The starts that can be offered within the span, or until the study's horizon, in order."""
    span = span or choosing.bookable_span(study, now)
    members = await hosts.of_study(connection, study.study_id, now)
    busy = await hosts.busy(connection, [member.host.host_id for member in members], span)
    return choosing.starts(study, members, busy, now, span)


async def _book(tx: Transaction, request: Request, study: Study, at: datetime | None) -> bool:
    for _ in range(ATTEMPTS):
        seat = await _seat(tx, request, study, at)
        if seat is None:
            return False
        before = await interviews.of_request(tx.connection, request.request_id)
        identifier = str(uuid5(INTERVIEWS, f"{request.request_id}:{len(before) + 1}"))
        if await interviews.book(
            tx.connection,
            booking_of(identifier, study, seat),
            request_id=request.request_id,
            study_id=study.study_id,
            participant_id=request.participant_id,
            now=tx.now,
        ):
            await tx.publish(announcements.scheduled(await the_interview(tx.connection, identifier)))
            return True
    return False


async def _seat(tx: Transaction, request: Request, study: Study, at: datetime | None) -> Seat | None:
    members = await hosts.of_study(tx.connection, study.study_id, tx.now)
    span = choosing.bookable_span(study, tx.now)
    busy = await hosts.busy(tx.connection, [member.host.host_id for member in members], span)
    if at is not None:
        return choosing.seat_at(at, study, members, busy, tx.now)
    return choosing.choose(study, members, busy, tx.now, request.preferred)


def booking_of(interview_id: str, study: Study, seat: Seat) -> Booking:
    return Booking(
        interview_id=interview_id,
        moderator_id=seat.moderator_id,
        note_taker_id=seat.note_taker_id,
        starts_at=seat.start,
        ends_at=seat.start + study.length,
        gap=study.buffer_after,
    )


def _why_it_waits(request: Request, study: Study | None) -> str:
    if study is None and request.study_id is not None:
        return f"There is no study {request.study_id!r} yet; create it under this id."
    if study is None:
        return "No study is open for requests; create or open one."
    if not study.open:
        return f"The study “{study.title}” is closed; open it."
    return f"No moderator of “{study.title}” is free in the next {study.horizon_days} days; add hours or a host."
