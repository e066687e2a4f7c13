"""Where the team says how the board is laid out, and where on it an idea stands."""

from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.roadmap import store
from services.roadmap.board import editing, layout
from services.roadmap.board.statuses import Category, OwnStatus
from services.roadmap.ideas import Confidence, Status
from services.roadmap.templates import templates
from shared.contract.types import Id, Line, Paragraph
from shared.runtime import Manager, Tx, Viewer, unprocessable
from shared.ui import parse_form, redirect
from shared.ui.words import _

router = APIRouter(include_in_schema=False)

Position = Annotated[int, Field(title="Order", ge=0, le=10_000)]
MENTIONS = 50


class StatusForm(BaseModel):
    status_id: Id | None = None
    name: Annotated[Line | None, Field(title="Name")] = None
    type: Annotated[Status, Field(title="Behaves as")]
    position: Position = 100


class CategoryForm(BaseModel):
    category_id: Id | None = None
    name: Annotated[Line, Field(title="Name")]
    position: Position = 100


class PlaceForm(BaseModel):
    status_id: Annotated[Id, Field(title="Status")]
    confidence: Annotated[Literal["", "low", "medium", "high"], Field(title="How sure")] = ""
    category: Annotated[Id | None, Field(title="Category")] = None
    answer: Annotated[Paragraph | None, Field(title="Answer to customers")] = None


@router.get("/layout")
async def show_layout(request: Request, tx: Tx, _who: Viewer) -> Response:
    return templates.render(
        request,
        "layout_of_board.html",
        statuses=await store.statuses(tx.connection),
        categories=await store.categories(tx.connection),
    )


@router.post("/layout/statuses")
async def keep_status(request: Request, tx: Tx, _who: Manager) -> Response:
    form, errors = parse_form(StatusForm, await request.form())
    if form is None:
        raise unprocessable(f"{errors[0].label}: {errors[0].message}")
    status = OwnStatus(form.status_id or str(uuid4()), form.name, form.type, form.position)
    await layout.keep_status(tx, status)
    return redirect(request, "/layout", _("Saved."))


@router.post("/layout/statuses/{status_id}/remove")
async def remove_status(request: Request, status_id: Id, tx: Tx, _who: Manager) -> Response:
    await layout.remove_status(tx, status_id)
    return redirect(request, "/layout", _("The status is removed."))


@router.post("/layout/categories")
async def keep_category(request: Request, tx: Tx, _who: Manager) -> Response:
    form, errors = parse_form(CategoryForm, await request.form())
    if form is None:
        raise unprocessable(f"{errors[0].label}: {errors[0].message}")
    await layout.keep_category(tx, Category(form.category_id or str(uuid4()), form.name, form.position))
    return redirect(request, "/layout", _("Saved."))


@router.post("/layout/categories/{category_id}/remove")
async def remove_category(request: Request, category_id: Id, tx: Tx, _who: Manager) -> Response:
    await layout.remove_category(tx, category_id)
    return redirect(request, "/layout", _("The category is removed; its ideas have none now."))


@router.get("/ideas/{feature_id}/place")
async def show_place(request: Request, feature_id: Id, tx: Tx, _who: Manager) -> Response:
    idea = await editing.locked(tx, feature_id)
    return templates.render(
        request,
        "place.html",
        idea=idea,
        form={
            "status_id": idea.status_id or idea.status,
            "confidence": idea.confidence or "",
            "category": idea.category_id,
            "answer": idea.status_note,
        },
        errors=[],
        statuses=await store.statuses(tx.connection),
        categories=await store.categories(tx.connection),
    )


@router.post("/ideas/{feature_id}/place")
async def place(request: Request, feature_id: Id, tx: Tx, who: Manager) -> Response:
    idea = await editing.locked(tx, feature_id)
    form, errors = parse_form(PlaceForm, await request.form())
    if form is None:
        raise unprocessable(f"{errors[0].label}: {errors[0].message}")
    own = await layout.status_of(tx, form.status_id)
    idea = await editing.move(tx, idea, own.type, note=form.answer, by=who.shown)
    confidence: Confidence | None = form.confidence or None
    await editing.place(tx, idea, editing.Place(own.type, own.status_id, confidence, form.category))
    return redirect(request, f"/board/{feature_id}", _("Saved."))


@router.get("/mentions")
async def show_mentions(request: Request, tx: Tx, who: Viewer) -> Response:
    found = await store.mentions_of(tx.connection, who.subject, MENTIONS)
    return templates.render(request, "mentions.html", mentions=found, colleagues=await store.colleagues(tx.connection))
