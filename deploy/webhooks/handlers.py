"""What each event does: it is queued for every subscription that wants it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from shared.contract import envelope, upcasting
from shared.contract.catalogue import BY_MODEL, EVENTS
from shared.contract.events import EventData, Interview, ParticipantErased, SessionCompleted
from shared.runtime import Handlers, Person, Received, Transaction, erasure, inbox
from shared.runtime.erasure import marks as erased_marks
from shared.runtime.handlers import BatchHandler

from . import personal
from .store import outgoing, people, subscriptions
from .store.outgoing import Message
from .subscriptions import PERSONAL, Subscription

KEPT = {
    "askers": "ids of the person's requests, so that one that is heard of late is recognised",
    "messages": "that there was an event, without its content; and what says that somebody was erased",
}


async def pass_on(tx: Transaction, events: Sequence[Received[Any]]) -> None:
    """Queue the events; those about erased people go to nobody."""
    await _remember_askers(tx, events)
    wanting = await subscriptions.of_types(tx.connection, {BY_MODEL[type(event.data)].type for event in events})
    if not wanting:
        return
    messages = [message for event in events if (message := _message(event, wanting))]
    erased = await _erased_among(tx, {person for message in messages for person in message.people})
    kept = [left for message in messages if (left := _without(message, erased))]
    if kept:
        await outgoing.add(tx.connection, kept, tx.now)


async def erase(tx: Transaction, events: Sequence[Received[ParticipantErased]]) -> None:
    """Forget the people, answer, and tell those who subscribed to that."""
    for event in events:
        said = event.data
        person = await _person(tx, said.participant_id)
        changed = await _forget(tx, person)
        await erasure.complete(
            tx.because_of(event.cause), person, said.erased_at, removed={"messages": changed}, kept=KEPT
        )
    await pass_on(tx, events)


def every_event() -> Handlers:
    """Handlers of all there is; each version of an event goes, as it came, to those who subscribed to that version."""
    # Unreadable demo requests may hold an address, by which only scheduling recognises whom to forget.
    made = Handlers(keeps_unreadable=False)
    versions = {model for step in upcasting.SUCCESSIONS for model in (step.old, step.new)}
    for model in BY_MODEL:
        handle: BatchHandler[Any] = erase if model is ParticipantErased else pass_on
        if model in versions:
            made.on_batch(model, natural_key=True, older=False)(_each_version_once(handle))
        else:
            made.on_batch(model)(handle)
    return made


handlers = every_event()


def _each_version_once(handle: BatchHandler[Any]) -> BatchHandler[Any]:
    """All versions of one event have one id, by which the inbox would take the second to come for a repeat."""

    async def admitted(tx: Transaction, events: Sequence[Received[Any]]) -> None:
        version = BY_MODEL[type(events[0].data)].version
        by_identity = {(f"{event.id}.v{version}" if version > 1 else event.id, event.source): event for event in events}
        fresh = await inbox.admit(tx.connection, list(by_identity))
        if fresh:
            await handle(tx, [event for identity, event in by_identity.items() if identity in fresh])

    return admitted


async def _remember_askers(tx: Transaction, events: Sequence[Received[EventData]]) -> None:
    """DemoRequested names no participant; what follows from it does."""
    askers = [
        (event.data.request_id, event.data.participant_id)
        for event in events
        if isinstance(event.data, Interview | SessionCompleted) and event.data.request_id is not None
    ]
    if not askers:
        return
    erased = await _erased_among(tx, {participant for _, participant in askers})
    await people.heard(tx.connection, askers, tx.now)
    for participant_id in sorted(erased):
        # A request of theirs may have come before anybody knew whose it is.
        await _forget(tx, await _person(tx, participant_id))


async def _erased_among(tx: Transaction, ids: set[str]) -> set[str]:
    """Those of the ids that are erased people's; nobody is erased until the transaction ends."""
    marks = {mark: one for one in ids for mark in Person((one,)).marks()[0]}
    return {marks[mark] for mark in await erased_marks.known(tx, list(marks))}


async def _person(tx: Transaction, participant_id: str) -> Person:
    return Person((participant_id, *await people.requests_of(tx.connection, participant_id)))


async def _forget(tx: Transaction, person: Person) -> int:
    """Take the person out of all that waits or is kept; how many events that changed."""
    await erased_marks.remember(tx, person, tx.now, None)  # first: whoever queues an event meanwhile is waited for
    kept = await people.bodies_about(tx.connection, person.ids)
    left = {
        message_id: personal.without(body, EVENTS[event_type].model.about, person.ids)
        for message_id, event_type, body in kept
    }
    await people.replace_bodies(tx.connection, left, person.ids, tx.now)
    return len(left)


def _message(event: Received[EventData], wanting: Sequence[Subscription]) -> Message | None:
    """The event as it will be sent, None if nobody wants it."""
    event_type, data = BY_MODEL[type(event.data)], event.data.model_dump(mode="json")
    subscribed = [subscription.id for subscription in wanting if subscription.wants(event_type.type, data)]
    if not subscribed:
        return None
    # As it was sent, with fields that this release does not know.
    sent = envelope.from_record(event.record.headers, event.record.value)
    return Message(
        id=uuid4(),
        event_id=event.id,
        source=event.source,
        type=event_type.type,
        key=event_type.key_of(event.data),
        people=personal.people_in(event_type.type, event_type.model.about, data),
        personal=event_type.type in PERSONAL,
        body=json.dumps(envelope.structured(sent)),
        subscriptions=subscribed,
    )


def _without(message: Message, erased: set[str]) -> Message | None:
    """What may be sent of the message."""
    if erased.isdisjoint(message.people):
        return message
    left = personal.without(message.body, EVENTS[message.type].model.about, erased)
    if left is None:
        return None
    return replace(message, body=left, people=[person for person in message.people if person not in erased])
