"""The changelog for everybody, and where the team writes it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from markupsafe import Markup
from pydantic import BaseModel, Field, StringConstraints

from services.roadmap import store
from services.roadmap.board import changelog
from services.roadmap.board.entries import Entry
from services.roadmap.people.visitors import recognise
from services.roadmap.schemas import Title
from services.roadmap.templates import templates
from shared.contract.types import Id, Paragraph
from shared.runtime import Manager, Tx, Viewer, not_found
from shared.ui import FieldError, parse_form, redirect
from shared.ui.markdown import rendered
from shared.ui.words import _

router = APIRouter(include_in_schema=False, dependencies=[Depends(recognise)])

PAGE_SIZE = 20
MOST_DRAFTS = 100
UNPROCESSABLE = 422


class EntryForm(BaseModel):
    title: Annotated[Title, Field(title="Title")]
    body: Annotated[Paragraph, Field(title="Text")]
    ideas: Annotated[str, Field(title="Ideas"), StringConstraints(max_length=5_000)] = ""
    act: Literal["publish", "draft", "preview"] = "draft"

    @property
    def feature_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.ideas.replace(",", " ").split()))


@router.get("/changelog")
async def show_changelog(request: Request, tx: Tx, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
    total = await store.count_entries(tx.connection)
    found = await store.entries(tx.connection, drafts=False, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    return await _list(request, tx, "changelog.html", found, page=page, pages=-(-total // PAGE_SIZE), total=total)


@router.get("/changelog/{entry_id}")
async def show_entry(request: Request, entry_id: Id, tx: Tx) -> Response:
    entry = await changelog.entry_of(tx, entry_id)
    if entry.published_at is None:
        raise not_found("entry", entry_id)
    return await _list(request, tx, "changelog_entry.html", [entry])


@router.get("/entries")
async def show_entries(request: Request, tx: Tx, _who: Viewer) -> Response:
    return templates.render(
        request,
        "entries.html",
        drafts=await store.entries(tx.connection, drafts=True, limit=MOST_DRAFTS),
        entries=await store.entries(tx.connection, drafts=False, limit=MOST_DRAFTS),
    )


@router.get("/entries/new")
async def show_new(request: Request, tx: Tx, _who: Manager, idea: Annotated[Id | None, Query()] = None) -> Response:
    found = await store.find_idea(tx.connection, idea) if idea else None
    form = {"title": found.title, "ideas": found.feature_id} if found and found.named else {}
    return await _form(request, None, form)


@router.post("/entries/new")
async def write(request: Request, tx: Tx, _who: Manager) -> Response:
    return await _save(request, tx, None)


@router.get("/entries/{entry_id}")
async def show_draft(request: Request, entry_id: Id, tx: Tx, _who: Manager) -> Response:
    entry = await changelog.entry_of(tx, entry_id)
    return await _form(
        request, entry, {"title": entry.title, "body": entry.body, "ideas": ", ".join(entry.feature_ids)}
    )


@router.post("/entries/{entry_id}")
async def rewrite(request: Request, entry_id: Id, tx: Tx, _who: Manager) -> Response:
    return await _save(request, tx, await changelog.entry_of(tx, entry_id))


@router.post("/entries/{entry_id}/remove")
async def remove(request: Request, entry_id: Id, tx: Tx, _who: Manager) -> Response:
    await changelog.remove(tx, entry_id)
    return redirect(request, "/entries", _("The entry is removed."))


async def _save(request: Request, tx: Tx, entry: Entry | None) -> Response:
    typed = await request.form()
    form, errors = parse_form(EntryForm, typed)
    if form is None:
        return await _form(request, entry, typed, errors)
    if form.act == "preview":
        return await _form(request, entry, typed, preview=await rendered(form.body))
    saved = await changelog.save(
        tx,
        entry.entry_id if entry else None,
        title=form.title,
        body=form.body,
        feature_ids=form.feature_ids,
        publish=form.act == "publish",
    )
    if saved.published_at:
        return redirect(request, f"/changelog/{saved.entry_id}", _("The entry is there for everybody to read."))
    return redirect(request, f"/entries/{saved.entry_id}", _("Saved as a draft."))


async def _form(
    request: Request,
    entry: Entry | None,
    form: Mapping[str, object],
    errors: Sequence[FieldError] = (),
    preview: Markup | None = None,
) -> Response:
    status = UNPROCESSABLE if errors else 200
    return templates.render(
        request, "entry.html", status=status, entry=entry, form=form, errors=errors, preview=preview
    )


async def _list(request: Request, tx: Tx, template: str, found: Sequence[Entry], **more: int) -> Response:
    linked = await store.ideas_of_entries(tx.connection, [entry.entry_id for entry in found])
    shown = [(entry, await rendered(entry.body), linked.get(entry.entry_id, [])) for entry in found]
    return templates.render(request, template, entries=shown, **more)
