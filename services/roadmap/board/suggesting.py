"""Where anybody sends in an idea, with those that are there already beside it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from markupsafe import Markup
from pydantic import BaseModel, Field

from services.roadmap import store
from services.roadmap.board import editing, finding
from services.roadmap.people.abuse import guard
from services.roadmap.people.visitors import known_visitor, new_visitor, recognise
from services.roadmap.schemas import Title
from services.roadmap.templates import templates
from shared.contract.types import Id, Line, Paragraph
from shared.runtime import Tx
from shared.ui import FieldError, parse_form, redirect
from shared.ui.markdown import rendered
from shared.ui.words import _

router = APIRouter(include_in_schema=False, dependencies=[Depends(recognise), Depends(guard)])

UNPROCESSABLE = 422
Typing = Annotated[str, Query(max_length=1_000)]


class SuggestionForm(BaseModel):
    title: Annotated[Title, Field(title="Title")]
    description: Annotated[Paragraph | None, Field(title="Description")] = None
    category: Annotated[Id | None, Field(title="Category")] = None
    name: Annotated[Line | None, Field(title="Your name")] = None
    act: Literal["send", "preview"] = "send"


@router.get("/suggest")
async def show_form(request: Request, tx: Tx, title: Typing = "") -> Response:
    return await _page(request, tx, {"title": title}, [])


@router.post("/suggest")
async def suggest(request: Request, tx: Tx) -> Response:
    typed = await request.form()
    form, errors = parse_form(SuggestionForm, typed)
    if form is None:
        return await _page(request, tx, typed, errors)
    if form.act == "preview":
        return await _page(request, tx, typed, [], preview=await rendered(form.description or ""))
    visitor = known_visitor(request) or new_visitor()
    idea = await editing.send_in(
        tx,
        editing.Content(form.title, form.description or ""),
        editing.Author(visitor.voter_id, visitor.name or form.name),
        category_id=form.category,
        publish=visitor.publishes,
    )
    if idea.public:
        response = redirect(request, f"/board/{idea.feature_id}", _("Thank you. Your idea is on the board."))
    else:
        response = redirect(
            request, "/board", _("Thank you. Your idea appears on the board once the team has read it.")
        )
    visitor.remember(request, response)
    return response


@router.get("/similar")
async def show_similar(request: Request, tx: Tx, title: Typing = "") -> Response:
    """A fragment for the form, as somebody types."""
    return templates.render(request, "similar.html", similar=await finding.similar(tx.connection, title))


async def _page(
    request: Request,
    tx: Tx,
    form: Mapping[str, object],
    errors: Sequence[FieldError],
    preview: Markup | None = None,
) -> Response:
    title = form.get("title")
    return templates.render(
        request,
        "suggest.html",
        status=UNPROCESSABLE if errors else 200,
        form=form,
        errors=errors,
        preview=preview,
        similar=await finding.similar(tx.connection, title[:300]) if isinstance(title, str) else [],
        categories=await store.categories(tx.connection),
        visitor=known_visitor(request),
    )
