"""Deliveries over HTTP: what was sent and answered, to be sent again or given up."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from deploy.webhooks import actions
from deploy.webhooks.bodies import AttemptAnswer, DeliveryAnswer, GivenUp, Replay, Replayed, WholeDelivery
from deploy.webhooks.store import deliveries
from deploy.webhooks.store.deliveries import State, Wanted
from shared.contract.types import Id, Line, UtcTime
from shared.runtime import Limit, Manager, Tx

router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])

LARGEST_ID = 2**63 - 1
DeliveryId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("", summary="Deliveries, the newest first; for the next page give the last one's id as `before`")
async def delivery_list(
    tx: Tx,
    _who: Manager,
    subscription_id: UUID | None = None,
    state: State | None = None,
    event_type: Line | None = None,
    key: Id | None = None,
    since: Annotated[UtcTime | None, Query(description="only events received then or later")] = None,
    until: Annotated[UtcTime | None, Query(description="only events received before")] = None,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="only deliveries with lower ids")] = None,
    limit: Limit = 100,
) -> list[DeliveryAnswer]:
    wanted = Wanted(subscription_id, state, event_type, key, since, until, before)
    return [DeliveryAnswer.model_validate(one) for one in await deliveries.page(tx.connection, wanted, limit)]


@router.get("/{delivery_id}", summary="One delivery with what is sent and every attempt")
async def one_delivery(delivery_id: DeliveryId, tx: Tx, _who: Manager) -> WholeDelivery:
    delivery = DeliveryAnswer.model_validate(await actions.the_delivery(tx, delivery_id))
    body = await deliveries.body(tx.connection, delivery.message_id)
    attempts = [AttemptAnswer.model_validate(one) for one in await deliveries.attempts(tx.connection, delivery_id)]
    return WholeDelivery(**delivery.model_dump(), body=json.loads(body) if body else None, attempts=tuple(attempts))


@router.post("/replay", summary="Send deliveries of a subscription again, the oldest first")
async def replay_deliveries(body: Replay, tx: Tx, _who: Manager) -> Replayed:
    wanted = Wanted(body.subscription_id, body.state, body.event_type, None, body.since, body.until)
    return Replayed(replayed=await actions.replay(tx, wanted))


@router.post("/{delivery_id}/replay", summary="Send one delivery again, or try it at once")
async def replay_delivery(delivery_id: DeliveryId, tx: Tx, _who: Manager) -> DeliveryAnswer:
    return DeliveryAnswer.model_validate(await actions.replay_one(tx, delivery_id))


@router.post("/{delivery_id}/give-up", summary="Try a delivery no more, so that what waits behind it can go")
async def give_up_delivery(delivery_id: DeliveryId, body: GivenUp, tx: Tx, who: Manager) -> DeliveryAnswer:
    return DeliveryAnswer.model_validate(await actions.give_up(tx, delivery_id, who.subject, body.reason))
