"""The page on which managers estimate an idea for formulas other than the measured one."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.roadmap import store
from services.roadmap.priority.estimating import keep_estimates
from services.roadmap.priority.kano import Answers, kano
from services.roadmap.priority.lenses import NOTHING, Estimates
from services.roadmap.priority.scoring import KANO_ANSWERS, KanoAnswer
from services.roadmap.templates import templates
from shared.contract.types import Id
from shared.runtime import Manager, Transaction, Tx, not_found
from shared.ui import FieldError, parse_form, redirect
from shared.ui.words import gettext as _

router = APIRouter(include_in_schema=False)

UNPROCESSABLE = 422
MOST_PEOPLE = 1_000_000
Points = Annotated[float | None, Field(ge=0, le=100)]
Tenth = Annotated[float | None, Field(ge=0, le=10)]


class EstimatesForm(BaseModel):
    impact: Annotated[float | None, Field(title="Impact", gt=0, le=3)] = None
    confidence: Annotated[float | None, Field(title="Confidence", ge=0, le=100)] = None
    ease: Annotated[float | None, Field(title="Ease", ge=1, le=10)] = None
    value: Annotated[Points, Field(title="Value")] = None
    criticality: Annotated[Points, Field(title="Time criticality")] = None
    risk: Annotated[Points, Field(title="Risk reduction")] = None
    importance: Annotated[Tenth, Field(title="Importance")] = None
    satisfaction: Annotated[Tenth, Field(title="Satisfaction")] = None


@router.get("/ideas/{feature_id}/estimates")
async def show_estimates(request: Request, feature_id: Id, tx: Tx, _who: Manager) -> Response:
    given = (await store.estimates(tx.connection, [feature_id])).get(feature_id, NOTHING)
    return await _page(request, tx, feature_id, _typed(given), [])


@router.post("/ideas/{feature_id}/estimates")
async def write_estimates(request: Request, feature_id: Id, tx: Tx, who: Manager) -> Response:
    typed = await request.form()
    form, errors = parse_form(EstimatesForm, typed)
    answers, wrong = _answers(typed)
    if form is None or wrong:
        return await _page(request, tx, feature_id, typed, [*errors, *wrong])
    confidence = None if form.confidence is None else form.confidence / 100
    given = Estimates(**form.model_dump() | {"confidence": confidence}, kano=answers)
    await keep_estimates(tx, feature_id, given, who.subject)
    return redirect(request, f"/ideas/{feature_id}", _("The estimates are saved."))


def _answers(typed: Mapping[str, object]) -> tuple[Answers, list[FieldError]]:
    found: dict[tuple[KanoAnswer, KanoAnswer], int] = {}
    for pair in product(KANO_ANSWERS, KANO_ANSWERS):
        name = "-".join(("kano", *pair))
        text = str(typed.get(name) or "").strip()
        if not text:
            continue
        if not (text.isascii() and text.isdecimal()) or int(text) > MOST_PEOPLE:
            said = _("Enter how many people answered this, as a whole number.")
            return {}, [FieldError(name, said, name, _("Answers of a Kano survey"))]
        found[pair] = int(text)
    return found, []


def _typed(given: Estimates) -> dict[str, object]:
    own = {name: getattr(given, name) for name in EstimatesForm.model_fields}
    shown: dict[str, object] = {name: None if value is None else f"{value:g}" for name, value in own.items()}
    if given.confidence is not None:
        shown["confidence"] = f"{given.confidence * 100:g}"
    return shown | {"-".join(("kano", *pair)): people for pair, people in given.kano.items()}


async def _page(
    request: Request, tx: Transaction, feature_id: str, form: Mapping[str, object], errors: Sequence[FieldError]
) -> Response:
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is None:
        raise not_found("idea", feature_id)
    given = (await store.estimates(tx.connection, [feature_id])).get(feature_id, NOTHING)
    return templates.render(
        request,
        "estimates.html",
        status=UNPROCESSABLE if errors else 200,
        idea=idea,
        answers=KANO_ANSWERS,
        kano=kano(given.kano),
        changed=await store.estimates_changed(tx.connection, feature_id),
        form=form,
        errors=errors,
    )
