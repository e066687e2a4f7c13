"""The merge desk: what may be the same is shown, people decide, and every decision can be undone."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.roadmap import store
from services.roadmap.board import finding
from services.roadmap.merges import merging
from services.roadmap.templates import templates
from shared.contract.types import Id
from shared.runtime import Researcher, Tx, Viewer, not_found, unprocessable
from shared.ui import parse_form, redirect
from shared.ui.words import _

router = APIRouter(include_in_schema=False)

PAIRS = 50
PAST = 50


class MergeForm(BaseModel):
    idea: Id
    into: Id


class DismissForm(BaseModel):
    first: Id
    second: Id


@router.get("/merges")
async def show_desk(
    request: Request, tx: Tx, _who: Viewer, idea: Annotated[Id | None, Query()] = None, q: str = ""
) -> Response:
    """With an idea: what to merge it into, by a search that begins with its own title."""
    chosen = await store.find_idea(tx.connection, idea) if idea else None
    if idea and chosen is None:
        raise not_found("idea", idea)
    alike = await finding.similar(tx.connection, q or chosen.title, PAIRS) if chosen else []
    return templates.render(
        request,
        "merges.html",
        chosen=chosen,
        q=q,
        alike=[other for other in alike if chosen and other.feature_id != chosen.feature_id],
        pairs=await store.lookalikes(tx.connection, PAIRS),
        past=await store.told_merges(tx.connection, PAST),
    )


@router.post("/merges")
async def merge(request: Request, tx: Tx, who: Researcher) -> Response:
    form, _errors = parse_form(MergeForm, await request.form())
    if form is None:
        raise unprocessable(_("Choose two ideas and try again."))
    await merging.merge(tx, form.idea, form.into, who.shown)
    return redirect(request, "/merges", _("Merged. You can undo it below."))


@router.post("/merges/dismiss")
async def dismiss(request: Request, tx: Tx, who: Researcher) -> Response:
    form, _errors = parse_form(DismissForm, await request.form())
    if form is None or form.first == form.second:
        raise unprocessable(_("Choose two ideas and try again."))
    await merging.dismiss(tx, form.first, form.second, who.shown)
    return redirect(request, "/merges", _("These two are not suggested again."))


@router.post("/merges/{merge_id}/undo")
async def undo(request: Request, merge_id: Id, tx: Tx, who: Researcher) -> Response:
    await merging.unmerge(tx, merge_id, who.shown)
    return redirect(request, "/merges", _("Undone: both ideas stand for themselves again."))
