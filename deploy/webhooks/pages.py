"""The HTML pages: subscriptions, one of them, and one delivery."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError

from deploy.webhooks import actions, lines
from deploy.webhooks.api.deliveries import LARGEST_ID, DeliveryId
from deploy.webhooks.bodies import MOST_TYPES, ChangedSubscription, ConditionBody, NewSubscription, Url
from deploy.webhooks.settings import Told
from deploy.webhooks.store import deliveries, subscriptions
from deploy.webhooks.store.deliveries import State, Wanted
from deploy.webhooks.subscriptions import PERSONAL, Subscription
from shared.contract.catalogue import EVENTS
from shared.contract.types import Line
from shared.runtime import Admin, Manager, Tx
from shared.ui import FieldError, Pages, field_id, parse_form, redirect

router = APIRouter(include_in_schema=False)
pages = Pages("webhooks", Path(__file__).parent / "pages")

SHOWN, DELIVERIES_SHOWN = 100, 25
WRONG = 422


class TypedSubscription(BaseModel):
    """A subscription as it is typed into the form: conditions are lines."""

    url: Annotated[Url, Field(title="Address")]
    description: Annotated[Line | None, Field(title="What it is for")] = None
    event_types: Annotated[tuple[Line, ...], Field(title="Events", min_length=1, max_length=MOST_TYPES)]
    personal_data: bool = False
    conditions: Annotated[str, Field(max_length=10_000)] = ""

    def body(self) -> ChangedSubscription:
        """What the form says.

        Raises:
            ValueError: a line is no condition.
        """
        read = [lines.read_line(line) for line in self.conditions.splitlines() if line.strip()]
        conditions = tuple(ConditionBody(field=one.field, operator=one.operator, value=one.value) for one in read)
        return ChangedSubscription(
            url=self.url,
            description=self.description,
            event_types=self.event_types,
            personal_data=self.personal_data,
            conditions=conditions,
        )


@router.get("/")
async def subscription_board(request: Request, tx: Tx, _who: Manager) -> Response:
    found = await subscriptions.page(tx.connection, SHOWN)
    counts = await deliveries.counts(tx.connection, [one.id for one in found])
    return pages.render(request, "board.html", found=found, counts=counts, most=SHOWN)


@router.get("/new")
async def new_subscription(request: Request, _who: Admin) -> Response:
    return _form(request, {}, [])


@router.post("/new")
async def add_subscription(request: Request, tx: Tx, who: Admin, settings: Told) -> Response:
    """Shows the secret in its answer: it is not kept where a second look could find it."""
    form = await request.form()
    body, errors = _read(form, settings)
    if body is None:
        return _form(request, form, errors)
    subscription, secret = await actions.create(tx, NewSubscription(**dict(body)), who.subject, settings)
    return _secret(request, subscription, secret)


@router.get("/subscriptions/{subscription_id}")
async def show_subscription(
    subscription_id: UUID,
    request: Request,
    tx: Tx,
    _who: Manager,
    state: State | None = None,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> Response:
    subscription = await actions.the_subscription(tx, subscription_id)
    wanted = Wanted(subscription_id=subscription_id, state=state, before=before)
    found = await deliveries.page(tx.connection, wanted, DELIVERIES_SHOWN + 1)
    counts = (await deliveries.counts(tx.connection, [subscription_id]))[subscription_id]
    return pages.render(
        request,
        "subscription.html",
        one=subscription,
        found=found[:DELIVERIES_SHOWN],
        older=found[DELIVERIES_SHOWN - 1].id if len(found) > DELIVERIES_SHOWN else None,
        counts=counts,
        state=state,
        states=get_args(State),
        conditions=[lines.write_line(condition) for condition in subscription.conditions],
    )


@router.get("/subscriptions/{subscription_id}/edit")
async def edit_subscription(subscription_id: UUID, request: Request, tx: Tx, _who: Admin) -> Response:
    one = await actions.the_subscription(tx, subscription_id)
    present = {
        "url": one.url,
        "description": one.description,
        "event_types": one.event_types,
        "personal_data": "true" if one.personal_data else "",
        "conditions": "\n".join(lines.write_line(condition) for condition in one.conditions),
    }
    return _form(request, present, [], one)


@router.post("/subscriptions/{subscription_id}/edit")
async def change_subscription(subscription_id: UUID, request: Request, tx: Tx, _who: Admin, settings: Told) -> Response:
    one = await actions.the_subscription(tx, subscription_id)
    form = await request.form()
    body, errors = _read(form, settings)
    if body is None:
        return _form(request, form, errors, one)
    await actions.change(tx, subscription_id, body, settings)
    return redirect(request, f"/subscriptions/{subscription_id}", "The subscription is changed.")


@router.post("/subscriptions/{subscription_id}/rotate")
async def rotate_secret(subscription_id: UUID, request: Request, tx: Tx, _who: Admin, settings: Told) -> Response:
    secret, former_until = await actions.rotate(tx, subscription_id, settings)
    subscription = await actions.the_subscription(tx, subscription_id)
    return _secret(request, subscription, secret, former_until)


@router.post("/subscriptions/{subscription_id}/remove")
async def remove_subscription(subscription_id: UUID, request: Request, tx: Tx, _who: Admin) -> Response:
    await actions.remove(tx, subscription_id)
    return redirect(request, "/", "The subscription is removed.")


@router.post("/subscriptions/{subscription_id}/pause")
async def pause_subscription(subscription_id: UUID, request: Request, tx: Tx, _who: Manager) -> Response:
    await actions.pause(tx, subscription_id)
    return redirect(request, f"/subscriptions/{subscription_id}", "Nothing is sent for now; events queue up.")


@router.post("/subscriptions/{subscription_id}/resume")
async def resume_subscription(subscription_id: UUID, request: Request, tx: Tx, _who: Manager) -> Response:
    await actions.resume(tx, subscription_id)
    return redirect(request, f"/subscriptions/{subscription_id}", "Events are sent again.")


@router.post("/subscriptions/{subscription_id}/ping")
async def ping_subscription(subscription_id: UUID, request: Request, tx: Tx, _who: Manager) -> Response:
    delivery_id = await actions.ping(tx, subscription_id)
    return redirect(request, f"/deliveries/{delivery_id}", "A test event is on its way; look again in a moment.")


@router.post("/subscriptions/{subscription_id}/replay")
async def replay_failed(subscription_id: UUID, request: Request, tx: Tx, _who: Manager) -> Response:
    number = await actions.replay(tx, Wanted(subscription_id=subscription_id, state="failed"))
    return redirect(request, f"/subscriptions/{subscription_id}", f"Sent again: {number}.")


@router.get("/deliveries/{delivery_id}")
async def show_delivery(delivery_id: DeliveryId, request: Request, tx: Tx, _who: Manager) -> Response:
    one = await actions.the_delivery(tx, delivery_id)
    body = await deliveries.body(tx.connection, one.message_id)
    return pages.render(
        request,
        "delivery.html",
        one=one,
        subscription=await actions.the_subscription(tx, one.subscription_id),
        body=json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else None,
        attempts=await deliveries.attempts(tx.connection, delivery_id),
    )


@router.post("/deliveries/{delivery_id}/replay")
async def replay_delivery(delivery_id: DeliveryId, request: Request, tx: Tx, _who: Manager) -> Response:
    await actions.replay_one(tx, delivery_id)
    return redirect(request, f"/deliveries/{delivery_id}", "It is sent again; look again in a moment.")


@router.post("/deliveries/{delivery_id}/give-up")
async def give_up_delivery(delivery_id: DeliveryId, request: Request, tx: Tx, who: Manager) -> Response:
    await actions.give_up(tx, delivery_id, who.subject, "on the page")
    return redirect(request, f"/deliveries/{delivery_id}", "It is tried no more.")


def _read(form: Mapping[str, object], settings: Told) -> tuple[ChangedSubscription | None, list[FieldError]]:
    """What the form says, or what to mend."""
    typed, errors = parse_form(TypedSubscription, form)
    if typed is None:
        return None, errors
    try:
        body = typed.body()
    except ValidationError as wrong:
        return None, [_error("conditions", f"{wrong.errors()[0]['msg']}.")]
    except ValueError as wrong:
        return None, [_error("conditions", f"{wrong}.")]
    fault = actions.fault_in(body, settings.reach)
    return (None, [_error(*fault)]) if fault else (body, [])


def _error(name: str, message: str) -> FieldError:
    labels = {"url": "Address", "event_types": "Events", "conditions": "Conditions"}
    return FieldError(name, message, field_id(name), labels[name])


def _form(
    request: Request, form: Mapping[str, Any], errors: Sequence[FieldError], one: Subscription | None = None
) -> Response:
    types = [
        (event.type, event.model.__name__, (event.model.__doc__ or "").split("\n")[0].replace("`", ""))
        for event in EVENTS.values()
    ]
    status = WRONG if errors else 200
    return pages.render(
        request, "form.html", status=status, form=form, errors=list(errors), one=one, types=types, personal=PERSONAL
    )


def _secret(request: Request, one: Subscription, secret: str | None, former_until: datetime | None = None) -> Response:
    response = pages.render(request, "secret.html", one=one, secret=secret, former_until=former_until)
    response.headers["Cache-Control"] = "no-store"
    return response


routers = (router,)
