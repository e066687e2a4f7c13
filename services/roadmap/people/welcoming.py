"""Whoever the company vouches for, or who opened a link of ours, becomes a speaker of the board with a session."""

import secrets

from fastapi import Request, Response

from services.roadmap import store
from services.roadmap.people import anonymous, sessions
from services.roadmap.people.identity import Person
from services.roadmap.people.visitors import Visitor, cookie_visitor
from services.roadmap.store import speakers, subscriptions
from shared.contract.types import Segment
from shared.runtime import Problem, Transaction
from shared.ui.words import _


async def received(tx: Transaction, person: Person, language: str) -> None:
    """Note the person as the company says; whoever had the address before is the same one from now on.

    Raises Problem for somebody who was forgotten: what is known of them must not come back.
    """
    if await store.erased_among(tx.connection, [person.sub]):
        raise Problem(
            409,
            _("You were forgotten here"),
            _("All that was known of you was removed, as you asked. Ask the team if you want to take part again."),
        )
    segment = person.segment.model_dump(exclude_none=True) or None
    # The address before the person, as whoever opens a link does.
    before = await speakers.speaker_at(tx.connection, person.email.lower()) if person.email else None
    await speakers.keep_speaker(tx.connection, person.sub, person.kind, segment, tx.now)
    if person.email:
        await keep_contact(tx, person.sub, person.email, person.name, language)
        if before is not None and before.person_id != person.sub:
            await _take_over(tx, before.person_id, person)
    if person.account:
        await speakers.give_account(tx.connection, person.sub, person.account)


async def welcome(
    request: Request,
    tx: Transaction,
    response: Response,
    person_id: str,
    visitor_id: str | None = None,
    *,
    embedded: bool = False,
) -> None:
    """Begin a session in place of the browser's, and count what it and whoever asked for the link voted before."""
    await sessions.end_shown(request, tx, embedded=embedded)
    session = await sessions.begin(tx, person_id, embedded=embedded)
    session.remember(request, response)
    speaker = await speakers.find_speaker(tx.connection, person_id)
    assert speaker is not None
    if speaker.trust == "blocked":
        return
    person = Visitor(person_id, speaker.kind, segment=Segment.model_validate(speaker.segment), trust=speaker.trust)
    cookie = cookie_visitor(request)
    for visitor in dict.fromkeys(one for one in (cookie.voter_id if cookie else None, visitor_id) if one):
        await anonymous.confirm(tx, visitor, person)


async def keep_contact(tx: Transaction, person_id: str, email: str, name: str | None, language: str) -> None:
    await speakers.keep_contact(tx.connection, person_id, email, name, language, secrets.token_urlsafe(24))


async def _take_over(tx: Transaction, before: str, person: Person) -> None:
    """The company knows the owner of an address by another id than the board did: it is one person from now on."""
    await anonymous.join(tx, before, Visitor(person.sub, person.kind, segment=person.segment))
    await subscriptions.move_subscriptions(tx.connection, before, person.sub)
    await speakers.end_sessions(tx.connection, before)
