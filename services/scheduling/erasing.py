"""A person asked to be forgotten."""

from __future__ import annotations

from datetime import datetime

from services.scheduling import changes
from services.scheduling.store import interviews, notices, people, requests
from shared.runtime import Transaction


async def erase(tx: Transaction, participant_id: str, at: datetime) -> bool:
    """Call off what is booked with the person and forget who it was; False when that was done before."""
    if not await people.anonymise(tx.connection, participant_id, at):
        return False
    for request_id in await requests.lock_of_participant(tx.connection, participant_id):
        for interview in await interviews.of_request(tx.connection, request_id):
            if interview.state == "booked":
                await changes.cancel(tx, interview.interview_id, by="participant", reason=None)
    await requests.forget_words(tx.connection, participant_id)
    await interviews.forget_words(tx.connection, participant_id)
    await notices.forget(tx.connection, participant_id)
    return True
