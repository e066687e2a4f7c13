"""A colleague's vote for a customer who said it elsewhere, with where that was."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, field_validator

from services.roadmap import casting, store
from services.roadmap.ideas import Idea
from services.roadmap.store import behalf, speakers
from services.roadmap.templates import templates
from shared.contract.events import FeatureVoted
from shared.contract.parts import OnBehalf
from shared.contract.types import Id, Line, Segment
from shared.runtime import NoteTaker, Transaction, Tx, not_found
from shared.ui import FieldError, parse_form, redirect
from shared.ui.words import _, marked

router = APIRouter(include_in_schema=False)

UNPROCESSABLE = 422
CHANNEL = "on-behalf"


class VoteForm(BaseModel):
    """Who said it, and where; what is known of them comes from what is stored, or from here."""

    person: Annotated[Id, Field(title="Customer")]
    source: Annotated[Line, Field(title="Where they said it")]
    kind: Annotated[Literal["customer", "prospect"], Field(title="Who they are")] = "customer"
    vote: Literal["up", "withdrawn"] = "up"
    plan: Line | None = None
    region: Line | None = None
    loyalty: Line | None = None

    @field_validator("source")
    @classmethod
    def _leads_somewhere(cls, source: str) -> str:
        if urlsplit(source).scheme not in {"http", "https"} or not urlsplit(source).netloc:
            raise ValueError(marked("Enter a web address, for example https://crm.example/ticket/7."))
        return source


@router.get("/ideas/{feature_id}/on-behalf")
async def show_form(request: Request, feature_id: Id, tx: Tx, _who: NoteTaker) -> Response:
    return await _page(request, tx, await _idea(tx, feature_id), {}, [])


@router.post("/ideas/{feature_id}/on-behalf")
async def vote(request: Request, feature_id: Id, tx: Tx, who: NoteTaker) -> Response:
    idea, typed = await _idea(tx, feature_id), await request.form()
    form, errors = parse_form(VoteForm, typed)
    if form is None:
        return await _page(request, tx, idea, dict(typed), errors)
    segment = Segment(plan=form.plan, region=form.region, loyalty=form.loyalty)
    speaker = await speakers.find_speaker(tx.connection, form.person)
    if not segment.model_dump(exclude_none=True) and speaker is not None:
        segment = Segment.model_validate(speaker.segment)
    await casting.cast_vote(
        tx,
        FeatureVoted(
            feature_id=feature_id,
            voter_id=form.person,
            voter_kind=form.kind,
            vote=form.vote,
            voted_at=tx.now,
            channel=CHANNEL,
            on_behalf=OnBehalf(recorded_by=who.id, source_url=form.source),
            segment=segment,
        ),
    )
    return redirect(request, f"/ideas/{feature_id}/on-behalf", _("Saved."))


async def _idea(tx: Transaction, feature_id: str) -> Idea:
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is None or not idea.named:
        raise not_found("idea", feature_id)
    return idea


async def _page(
    request: Request, tx: Transaction, idea: Idea, form: dict[str, object], errors: list[FieldError]
) -> Response:
    return templates.render(
        request,
        "on_behalf.html",
        status=UNPROCESSABLE if errors else 200,
        idea=idea,
        votes=await behalf.on_behalf(tx.connection, idea.feature_id),
        form=form,
        errors=errors,
    )
