"""Subscriptions over HTTP: managers look, pause and test; only admins decide where events go."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from deploy.webhooks import actions
from deploy.webhooks.bodies import (
    ChangedSubscription,
    DeliveryAnswer,
    NewSubscription,
    NewSubscriptionAnswer,
    SecretAnswer,
    SubscriptionAnswer,
)
from deploy.webhooks.settings import Told
from deploy.webhooks.store import subscriptions
from shared.runtime import Admin, Limit, Manager, Tx, known_already

router = APIRouter(prefix="/api/v1/subscriptions", tags=["subscriptions"])

SubscriptionId = Annotated[UUID, Path(description="the subscription's id")]


@router.post(
    "",
    summary="Subscribe to event types; the secret in the answer is shown this once",
    status_code=201,
    responses=known_already(NewSubscriptionAnswer),
)
async def create_subscription(
    body: NewSubscription, response: Response, tx: Tx, who: Admin, settings: Told
) -> NewSubscriptionAnswer:
    subscription, secret = await actions.create(tx, body, who.subject, settings)
    if secret is None:
        response.status_code = 200
    shown = SubscriptionAnswer.model_validate(subscription)
    return NewSubscriptionAnswer.model_validate(shown.model_dump() | {"secret": secret})


@router.get("", summary="Subscriptions, those that fail first")
async def subscription_list(tx: Tx, _who: Manager, limit: Limit = 100) -> list[SubscriptionAnswer]:
    return [SubscriptionAnswer.model_validate(one) for one in await subscriptions.page(tx.connection, limit)]


@router.get("/{subscription_id}", summary="One subscription")
async def one_subscription(subscription_id: SubscriptionId, tx: Tx, _who: Manager) -> SubscriptionAnswer:
    return SubscriptionAnswer.model_validate(await actions.the_subscription(tx, subscription_id))


@router.put("/{subscription_id}", summary="Change a subscription; what is queued goes to the new address")
async def change_subscription(
    subscription_id: SubscriptionId, body: ChangedSubscription, tx: Tx, _who: Admin, settings: Told
) -> SubscriptionAnswer:
    return SubscriptionAnswer.model_validate(await actions.change(tx, subscription_id, body, settings))


@router.delete("/{subscription_id}", summary="Remove a subscription and its deliveries", status_code=204)
async def remove_subscription(subscription_id: SubscriptionId, tx: Tx, _who: Admin) -> None:
    await actions.remove(tx, subscription_id)


@router.post("/{subscription_id}/pause", summary="Send nothing for now; events queue up")
async def pause_subscription(subscription_id: SubscriptionId, tx: Tx, _who: Manager) -> SubscriptionAnswer:
    return SubscriptionAnswer.model_validate(await actions.pause(tx, subscription_id))


@router.post("/{subscription_id}/resume", summary="Send again after a pause or after it was disabled")
async def resume_subscription(subscription_id: SubscriptionId, tx: Tx, _who: Manager) -> SubscriptionAnswer:
    return SubscriptionAnswer.model_validate(await actions.resume(tx, subscription_id))


@router.post("/{subscription_id}/rotate-secret", summary="Make a new secret; for a while the former one signs as well")
async def rotate_secret(subscription_id: SubscriptionId, tx: Tx, _who: Admin, settings: Told) -> SecretAnswer:
    secret, former_until = await actions.rotate(tx, subscription_id, settings)
    return SecretAnswer(secret=secret, former_until=former_until)


@router.post("/{subscription_id}/ping", summary="Send a test event")
async def ping_subscription(subscription_id: SubscriptionId, tx: Tx, _who: Manager) -> DeliveryAnswer:
    delivery_id = await actions.ping(tx, subscription_id)
    return DeliveryAnswer.model_validate(await actions.the_delivery(tx, delivery_id))
