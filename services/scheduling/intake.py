"""How a demo request comes in: as an event, over our API, or by the public form."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import uuid4

from services.scheduling import booking
from services.scheduling.availability import Span
from services.scheduling.lookup import the_request
from services.scheduling.store import interviews, people, requests
from services.scheduling.store.people import Participant
from services.scheduling.store.requests import Request
from shared.contract.events import DemoRequested
from shared.runtime import Person, Transaction, conflict
from shared.runtime.erasure.marks import erased_at


class Forgotten(Exception):  # noqa: N818 - named for what happened to the person
    """Whoever made the request asked to be forgotten after it."""


async def receive(
    tx: Transaction, demo: DemoRequested, *, at: datetime | None = None, announce: bool = False
) -> Request:
    """Take a demo request in and book it, or let it wait with a reason; a known one stays as it is.

    `at` books exactly that start or nothing; `announce` tells other systems of a request that came in here.

    Raises:
        Forgotten: nothing was written.
        Taken: nobody is free at `at`; the caller must undo what was written.
    """
    known = await requests.find(tx.connection, demo.request_id)
    if known is not None:
        return known
    await people.lock_address(tx.connection, demo.contact.email)
    if await _is_forgotten(tx, demo):
        raise Forgotten
    request = Request(
        request_id=demo.request_id,
        participant_id=await people.meet(tx.connection, _person(demo)),
        study_id=demo.study_id,
        state="received",
        reason=None,
        requested_at=demo.requested_at,
        timezone=demo.timezone,
        questions=demo.questions,
        preferred=_wishes(demo),
        token=secrets.token_urlsafe(24),
    )
    if await requests.add(tx.connection, request):
        if announce:
            await tx.publish(demo)
        if await interviews.was_held(tx.connection, demo.request_id):
            await requests.settle(tx.connection, demo.request_id, "completed")
        else:
            await booking.place(tx, request, at=at)
    return await the_request(tx.connection, demo.request_id)


async def submit(tx: Transaction, demo: DemoRequested, *, at: datetime | None = None) -> Request:
    """Take in what a person or system asked of us directly, and tell other systems.

    Raises:
        Problem: the id belongs to another request.
        Taken: nobody is free at `at`; the caller must undo what was written.
    """
    try:
        request = await receive(tx, demo, at=at, announce=True)
    except Forgotten:
        raise conflict(
            "This person asked to be forgotten after that request; send a new one with a later date."
        ) from None
    if not _says_the_same(request, demo):
        raise conflict(f"Request {demo.request_id!r} exists with other content; send a new one under a new id.")
    return request


async def _is_forgotten(tx: Transaction, demo: DemoRequested) -> bool:
    """Whether the request, or another one from its address and after its time, belongs to an erased person."""
    if await erased_at(tx.connection, Person((demo.request_id,)), tx.now):
        return True
    of_address = await erased_at(tx.connection, Person((), demo.contact.email), tx.now)
    return of_address is not None and demo.requested_at < of_address


def _person(demo: DemoRequested) -> Participant:
    return Participant(
        participant_id=str(uuid4()),
        name=demo.contact.name,
        email=demo.contact.email,
        company=demo.contact.company,
        phone=demo.contact.phone,
        segment=demo.segment.model_dump(exclude_none=True),
        described_at=demo.requested_at,
        erased_at=None,
    )


def _wishes(demo: DemoRequested) -> tuple[Span, ...]:
    return tuple(Span(wish.start, wish.end) for wish in demo.preferred_times)


def _says_the_same(request: Request, demo: DemoRequested) -> bool:
    return (
        (request.email or "").lower() == demo.contact.email.lower()
        and request.study_id == demo.study_id
        and request.timezone == demo.timezone
        and request.questions == demo.questions
        and request.preferred == _wishes(demo)
    )
