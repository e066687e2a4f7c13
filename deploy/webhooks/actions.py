"""What people and programs do with subscriptions and deliveries, by endpoints and by pages alike."""

import json
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from shared.contract import envelope
from shared.contract.catalogue import EVENTS
from shared.runtime import Transaction, conflict, not_found, unprocessable

from .bodies import ChangedSubscription, NewSubscription
from .checking import fault_of
from .sealing import Sealer, new_secret
from .settings import WebhookSettings
from .store import deliveries, outgoing, subscriptions
from .store.deliveries import Delivery, Wanted
from .store.outgoing import Message
from .subscriptions import Reach, Subscription, fault_of_types, fault_of_url

PING = "earshot.WebhookPing.v1"
MOST_REPLAYED = 10_000


def fault_in(body: ChangedSubscription, reach: Reach) -> tuple[str, str] | None:
    """The field that is wrong and what about it, in a sentence; None when nothing is."""
    if fault := fault_of_url(body.url, reach):
        return "url", fault
    if fault := fault_of_types(body.event_types, EVENTS, personal_data=body.personal_data):
        return "event_types", fault
    for given in body.conditions:
        for event_type in body.event_types:
            if fault := fault_of(given.condition(), _schema(event_type)):
                return "conditions", fault
    return None


async def create(
    tx: Transaction, body: NewSubscription, by: str, settings: WebhookSettings
) -> tuple[Subscription, str | None]:
    """The subscription and its secret, None where it was there already.

    Raises:
        Problem: 422 where something is wrong with it, 409 where its id is taken by another.
    """
    _check(body, settings.reach)
    wanted = _written(
        Subscription(body.subscription_id or uuid4(), "", "", (), (), False, "active", None, None, tx.now, by), body
    )
    if not await subscriptions.add(tx.connection, wanted):
        known = await the_subscription(tx, wanted.id)
        if _written(known, body) != known:
            raise conflict(f"Subscription {wanted.id} exists with other content; choose another subscription_id.")
        return known, None
    return wanted, await _new_secret(tx, wanted.id, settings)


async def change(
    tx: Transaction, identifier: UUID, body: ChangedSubscription, settings: WebhookSettings
) -> Subscription:
    """What is queued already goes to the new address.

    Raises:
        Problem: 404, or 422 where something is wrong with it.
    """
    _check(body, settings.reach)
    changed = _written(await the_subscription(tx, identifier, lock=True), body)
    await subscriptions.change(tx.connection, changed)
    return changed


async def rotate(tx: Transaction, identifier: UUID, settings: WebhookSettings) -> tuple[str, datetime]:
    """A new secret, and until when the former one signs as well."""
    await the_subscription(tx, identifier, lock=True)
    return await _new_secret(tx, identifier, settings), tx.now + settings.overlap


async def pause(tx: Transaction, identifier: UUID) -> Subscription:
    """Events still queue up for it; those of a disabled one do not, so it stays as it is."""
    if (await the_subscription(tx, identifier, lock=True)).state == "active":
        await subscriptions.set_state(tx.connection, identifier, "paused")
    return await the_subscription(tx, identifier)


async def resume(tx: Transaction, identifier: UUID) -> Subscription:
    if (await the_subscription(tx, identifier, lock=True)).state != "active":
        await subscriptions.set_state(tx.connection, identifier, "active")
    return await the_subscription(tx, identifier)


async def remove(tx: Transaction, identifier: UUID) -> None:
    await the_subscription(tx, identifier)
    await subscriptions.remove(tx.connection, identifier)


async def ping(tx: Transaction, identifier: UUID) -> int:
    """Queue a test event for this subscription alone; the delivery's id."""
    subscription = await the_subscription(tx, identifier, lock=True)
    if subscription.state != "active":
        raise conflict(f"The subscription is {subscription.state}; resume it first.")
    message_id = uuid4()
    sent = envelope.Envelope(
        id=str(message_id),
        source="/earshot/webhooks",
        type=PING,
        time=tx.now.isoformat(),
        subject=str(identifier),
        data=json.dumps({"subscription_id": str(identifier), "sent_at": tx.now.isoformat()}).encode(),
    )
    body = json.dumps(envelope.structured(sent))
    message = Message(message_id, sent.id, sent.source, PING, sent.id, (), False, body, (identifier,))
    await outgoing.add(tx.connection, [message], tx.now)
    [delivery] = await deliveries.page(tx.connection, Wanted(subscription_id=identifier, key=sent.id), 1)
    return delivery.id


async def replay_one(tx: Transaction, identifier: int) -> Delivery:
    """Queue it again, or try it at once where it is queued.

    Raises:
        Problem: 404; 409 where the event is not kept any more or the subscription is disabled.
    """
    delivery = await the_delivery(tx, identifier)
    await replay(tx, Wanted(subscription_id=delivery.subscription_id), only=identifier)
    after = await the_delivery(tx, identifier)
    if after.state != "pending":
        raise conflict("The event is not kept any more: it was about a person who was erased, or held contact details.")
    return after


async def replay(tx: Transaction, wanted: Wanted, *, only: int | None = None) -> int:
    """Queue again what the subscription missed; how many, the oldest first.

    Raises:
        Problem: 404, or 409 where the subscription is disabled.
    """
    assert wanted.subscription_id is not None
    subscription = await the_subscription(tx, wanted.subscription_id, lock=True)
    if subscription.state == "disabled":
        raise conflict(f"The subscription is disabled: {subscription.reason} Resume it first.")
    return await deliveries.replay(tx.connection, wanted, tx.now, only=only, limit=MOST_REPLAYED)


async def give_up(tx: Transaction, identifier: int, by: str, reason: str) -> Delivery:
    """End a pending delivery, so that what waits behind it can go.

    Raises:
        Problem: 404, or 409 where it is not pending.
    """
    delivery = await the_delivery(tx, identifier)
    await the_subscription(tx, delivery.subscription_id, lock=True)
    if not await deliveries.give_up(tx.connection, tx.now, f"given up by {by}: {reason}", only=identifier):
        raise conflict(f"The delivery is {delivery.state} already; only a pending one can be given up.")
    return await the_delivery(tx, identifier)


async def the_subscription(tx: Transaction, identifier: UUID, *, lock: bool = False) -> Subscription:
    found = await subscriptions.find(tx.connection, identifier, lock=lock)
    if found is None:
        raise not_found("subscription", str(identifier))
    return found


async def the_delivery(tx: Transaction, identifier: int) -> Delivery:
    found = await deliveries.find(tx.connection, identifier)
    if found is None:
        raise not_found("delivery", str(identifier))
    return found


def _check(body: ChangedSubscription, reach: Reach) -> None:
    if fault := fault_in(body, reach):
        raise unprocessable(f"{fault[0]}: {fault[1]}")


def _written(subscription: Subscription, body: ChangedSubscription) -> Subscription:
    """The subscription with what the body says."""
    return replace(
        subscription,
        url=body.url,
        description=body.description or "",
        event_types=tuple(sorted(set(body.event_types))),
        conditions=tuple(given.condition() for given in body.conditions),
        personal_data=body.personal_data,
    )


async def _new_secret(tx: Transaction, identifier: UUID, settings: WebhookSettings) -> str:
    secret = new_secret()
    sealed = Sealer(settings.webhook_key).seal(secret)
    await subscriptions.put_secret(tx.connection, identifier, sealed, tx.now, tx.now + settings.overlap)
    return secret


@cache
def _schema(event_type: str) -> dict[str, Any]:
    return EVENTS[event_type].model.model_json_schema()
