"""The team's pages: what to build next, and why an idea stands where it does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator

from services.roadmap import store
from services.roadmap.board import editing
from services.roadmap.ideas import Idea, Status
from services.roadmap.priority.ranking import Ranked, Remembered
from services.roadmap.priority.shown import explained
from services.roadmap.schemas import Effort, KpiIds, Title
from services.roadmap.templates import templates
from shared.contract.types import Id, Paragraph
from shared.runtime import Manager, Researcher, Transaction, Tx, Viewer, not_found
from shared.ui import FieldError, field_id, parse_form, redirect
from shared.ui.words import _, marked

router = APIRouter(include_in_schema=False)

UNPROCESSABLE = 422
AHEAD = marked("This day lies ahead; move the idea to Shipped once customers have it.")
LABELS: Mapping[Status, str] = {
    "new": marked("new"),
    "considered": marked("under consideration"),
    "planned": marked("planned"),
    "now": marked("in progress"),
    "shipped": marked("shipped"),
    "declined": marked("declined"),
}
_kpi_ids: TypeAdapter[tuple[str, ...]] = TypeAdapter(KpiIds)


class IdeaForm(BaseModel):
    title: Annotated[Title, Field(title="Title")]
    description: Annotated[Paragraph | None, Field(title="Description")] = None
    effort_weeks: Annotated[Effort | None, Field(title="Effort in person-weeks")] = None
    kpis: Annotated[str, Field(title="KPIs")] = ""

    @field_validator("kpis")
    @classmethod
    def _ids(cls, text: str) -> str:
        try:
            _kpi_ids.validate_python(_split(text))
        except ValidationError:
            raise ValueError(
                marked("Give up to 50 KPI ids with commas between them, for example activation, churn.")
            ) from None
        return text

    @property
    def content(self) -> editing.Content:
        return editing.Content(self.title, self.description or "", self.effort_weeks, _split(self.kpis))


class StatusForm(BaseModel):
    status: Annotated[Status, Field(title="Status")]
    released_on: Annotated[date | None, Field(title="Released on")] = None
    note: Annotated[Paragraph | None, Field(title="Answer to customers")] = None

    def released_at(self, idea: Idea) -> datetime | None:
        """The start of the day (UTC) that was typed; the exact time where the day is the known one."""
        day = self.released_on
        if day is None or self.status != "shipped":
            return None
        if idea.released_at is not None and idea.released_at.date() == day:
            return idea.released_at
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


@router.get("/new")
async def show_new(request: Request, tx: Tx, _who: Researcher) -> Response:
    return await _new(request, tx, {}, [])


@router.post("/new")
async def add_idea(request: Request, tx: Tx, _who: Researcher) -> Response:
    typed = await request.form()
    form, errors = parse_form(IdeaForm, typed)
    if form is None:
        return await _new(request, tx, typed, errors, UNPROCESSABLE)
    idea, _is_new = await editing.create(tx, str(uuid4()), form.content)
    return redirect(request, f"/ideas/{idea.feature_id}", _("The idea is on the board."))


@router.get("/ideas/{feature_id}")
async def show_idea(request: Request, feature_id: Id, tx: Tx, ranked: Ranked, _who: Viewer) -> Response:
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is None:
        raise not_found("idea", feature_id)
    return await _idea(request, tx, ranked, idea, _typed(idea), [])


@router.post("/ideas/{feature_id}")
async def edit_idea(request: Request, feature_id: Id, tx: Tx, ranked: Ranked, _who: Researcher) -> Response:
    idea = await editing.locked(tx, feature_id)
    typed = await request.form()
    form, errors = parse_form(IdeaForm, typed)
    if form is None:
        return await _idea(request, tx, ranked, idea, {**_typed(idea), **typed}, errors)
    await editing.edit(tx, idea, form.content)
    return redirect(request, f"/ideas/{feature_id}", _("Saved."))


@router.post("/ideas/{feature_id}/status")
async def move_idea(request: Request, feature_id: Id, tx: Tx, ranked: Ranked, _who: Manager) -> Response:
    idea = await editing.locked(tx, feature_id)
    typed = await request.form()
    form, errors = parse_form(StatusForm, typed)
    if form is not None and form.released_on is not None and form.released_on > tx.now.date():
        errors = [FieldError("released_on", _(AHEAD), field_id("released_on"), _("Released on"))]
    if form is None or errors:
        return await _idea(request, tx, ranked, idea, {**_typed(idea), **typed}, errors)
    await editing.move(tx, idea, form.status, released_at=form.released_at(idea), note=form.note)
    return redirect(request, f"/ideas/{feature_id}", _("Saved: the idea is %(status)s.", status=_(LABELS[form.status])))


async def _new(
    request: Request, tx: Transaction, form: Mapping[str, object], errors: Sequence[FieldError], status: int = 200
) -> Response:
    known = await store.kpis(tx.connection)
    return templates.render(request, "new.html", status=status, form=form, errors=errors, kpis=known.values())


async def _idea(
    request: Request,
    tx: Transaction,
    ranked: Remembered,
    idea: Idea,
    form: Mapping[str, object],
    errors: Sequence[FieldError],
) -> Response:
    linked = await store.kpis(tx.connection, idea.kpi_ids)
    return templates.render(
        request,
        "idea.html",
        status=UNPROCESSABLE if errors else 200,
        idea=idea,
        summary=await store.vote_summary(tx.connection, idea.feature_id),
        impacts=await store.impacts(tx.connection, idea.feature_id),
        linked=[(kpi_id, linked.get(kpi_id)) for kpi_id in idea.kpi_ids],
        kpis=(await store.kpis(tx.connection)).values(),
        form=form,
        errors=errors,
        now=tx.now,
        **await explained(tx, ranked, idea.feature_id),
    )


def _typed(idea: Idea) -> dict[str, object]:
    """The idea as its forms show it; an unnamed one waits for its title."""
    shown = idea if idea.named else replace(idea, title="")
    return {
        "title": shown.title,
        "description": idea.description,
        "effort_weeks": f"{idea.effort_weeks:g}" if idea.effort_weeks is not None else None,
        "kpis": ", ".join(idea.kpi_ids),
        "status": idea.status,
        "released_on": idea.released_at.date().isoformat() if idea.released_at else None,
        "note": idea.status_note,
    }


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))
