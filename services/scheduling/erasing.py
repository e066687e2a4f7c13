"""A person asked to be forgotten."""

from __future__ import annotations

from datetime import datetime

from services.scheduling import changes
from services.scheduling.expiry import address_until
from services.scheduling.lookup import the_erasure
from services.scheduling.store import erasures, interviews, notices, people, requests
from shared.contract.events import ParticipantErased
from shared.runtime import Person, Transaction, erasure

KEPT = {
    "participants": "the bare id, so that nothing late brings the person back",
    "requests": "that somebody asked, when, and how it ended",
    "interviews": "which hosts were booked, when, and how it ended",
    "erasures": "this proof: ids and counts",
}


async def request(tx: Transaction, participant_id: str, by: str) -> None:
    """Erase the person here and ask all services to do so; a second time changes nothing."""
    if await erase(tx, participant_id, tx.now, by=by):
        await tx.publish(ParticipantErased(participant_id=participant_id, erased_at=tx.now))


async def ask_again(tx: Transaction, participant_id: str) -> None:
    """Ask all services once more; those that have answered find nothing left.

    Raises:
        Problem: nobody asked for this participant's erasure.
    """
    asked = await the_erasure(tx.connection, participant_id)
    await erasures.note_asking(tx.connection, participant_id, tx.now)
    await tx.publish(ParticipantErased(participant_id=participant_id, erased_at=asked.erased_at))


async def erase(tx: Transaction, participant_id: str, at: datetime, *, by: str | None = None) -> bool:
    """Call off what is booked with the person, forget who it was, and answer; False when that was done before."""
    who = await people.lock(tx.connection, participant_id)
    if not await people.anonymise(tx.connection, participant_id, at):
        return False
    request_ids = await requests.lock_of_participant(tx.connection, participant_id)
    for request_id in request_ids:
        for interview in await interviews.of_request(tx.connection, request_id):
            if interview.state == "booked":
                await changes.cancel(tx, interview.interview_id, by="participant", reason=None)
    await requests.forget_words(tx.connection, participant_id)
    removed = {
        "participants": 1 if who else 0,
        "requests": len(request_ids),
        "interviews": await interviews.forget_words(tx.connection, participant_id),
        "notices": await notices.forget(tx.connection, participant_id),
    }
    await erasures.add(tx.connection, participant_id, at, by, tx.now)
    ids = (participant_id, *request_ids)
    await erasure.complete(
        tx,
        Person(ids, who.email, who.name, who.phone) if who else Person(ids),
        at,
        removed=removed,
        kept=KEPT,
        address_until=address_until(tx.now),
    )
    return True
