"""Who is told of an idea: whoever voted for it or asked to be, until they say otherwise."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.roadmap import store
from services.roadmap.people.abuse import guard
from services.roadmap.people.visitors import known_visitor, recognise, sign_in_for
from services.roadmap.store import subscriptions
from services.roadmap.store.subscriptions import Followed
from services.roadmap.templates import templates
from shared.contract.types import Id, Line
from shared.runtime import Transaction, Tx, not_found, unprocessable
from shared.ui import parse_form, redirect
from shared.ui.words import _

router = APIRouter(include_in_schema=False, dependencies=[Depends(recognise), Depends(guard)])


class FollowForm(BaseModel):
    follow: Literal["on", "off"]


@router.post("/board/{feature_id}/follow")
async def follow(request: Request, feature_id: Id, tx: Tx) -> Response:
    form, _errors = parse_form(FollowForm, await request.form())
    if form is None:
        raise unprocessable(_("Choose whether you want to be told."))
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is None:
        raise not_found("idea", feature_id)
    survivor = idea.merged_into or feature_id
    visitor = known_visitor(request)
    if visitor is None or visitor.session is None:
        first = sign_in_for(f"/board/{survivor}")
        return redirect(request, first, _("Sign in with your e-mail address, so that we can tell you."))
    await subscriptions.subscribe(tx.connection, survivor, visitor.voter_id, wanted=form.follow == "on", now=tx.now)
    if form.follow == "off":
        return redirect(request, f"/board/{survivor}", _("You will not be told of this idea any more."))
    return redirect(request, f"/board/{survivor}", _("We will tell you when this idea moves."))


@router.get("/unsubscribe/{secret}")
async def ask(request: Request, secret: Line, tx: Tx, idea: Annotated[Id | None, Query()] = None) -> Response:
    """Opening the link ends nothing: programs that check mails open links too."""
    return await _page(request, tx, secret, idea, done=False)


@router.post("/unsubscribe/{secret}")
async def unsubscribe(request: Request, secret: Line, tx: Tx, idea: Annotated[Id | None, Query()] = None) -> Response:
    """From the page, and from mail programs by one click (RFC 8058)."""
    person_id = await subscriptions.person_of(tx.connection, secret)
    if person_id is not None and idea is None:
        await subscriptions.want_mail(tx.connection, person_id, wanted=False)
        await subscriptions.drop_notices(tx.connection, person_id)
    elif person_id is not None and idea is not None and await store.find_idea(tx.connection, idea) is not None:
        await subscriptions.subscribe(tx.connection, idea, person_id, wanted=False, now=tx.now)
    return await _page(request, tx, secret, idea, done=True)


async def followed(tx: Transaction, person_id: str) -> list[Followed]:
    return await subscriptions.followed(tx.connection, person_id)


async def _page(request: Request, tx: Transaction, secret: str, idea_id: str | None, *, done: bool) -> Response:
    known = await subscriptions.person_of(tx.connection, secret) is not None
    idea = await store.find_idea(tx.connection, idea_id) if idea_id else None
    status = 200 if known else 410
    return templates.render(request, "unsubscribe.html", status=status, known=known, idea=idea, done=done)
