"""What administrators see of people who asked to be forgotten; no page names them."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.scheduling import erasing
from services.scheduling.lookup import the_erasure
from services.scheduling.proving import report, reports
from services.scheduling.site import pages
from services.scheduling.store import erasures
from shared.contract.types import Id
from shared.runtime import Admin, Tx
from shared.ui import FieldError, parse_form, redirect

router = APIRouter(include_in_schema=False)

SHOWN = 200


class Wanted(BaseModel):
    participant_id: Annotated[Id, Field(title="Participant id")]


@router.get("/erasures")
async def erasures_page(request: Request, tx: Tx, _who: Admin) -> Response:
    """Who asked, and whether all services have answered."""
    return await _erasures_page(request, tx, {}, [])


@router.post("/erasures")
async def erase(request: Request, tx: Tx, who: Admin) -> Response:
    """Forget somebody by their id."""
    form = await request.form()
    wanted, errors = parse_form(Wanted, form)
    if wanted is None:
        return await _erasures_page(request, tx, form, errors, 422)
    await erasing.request(tx, wanted.participant_id, who.subject)
    return redirect(
        request, f"/erasures/{wanted.participant_id}", "The person is forgotten here; the others are asked."
    )


@router.get("/erasures/{participant_id}")
async def erasure_page(participant_id: Id, request: Request, tx: Tx, _who: Admin) -> Response:
    """The proof of one erasure."""
    found = await the_erasure(tx.connection, participant_id)
    patience = request.app.state.settings.erasure_patience
    return pages.render(request, "erasure.html", now=tx.now, report=report(found, tx.now, patience))


@router.post("/erasures/{participant_id}/ask-again")
async def ask_again(participant_id: Id, request: Request, tx: Tx, _who: Admin) -> Response:
    """Ask all services once more."""
    await erasing.ask_again(tx, participant_id)
    return redirect(request, f"/erasures/{participant_id}", "All services are asked once more.")


async def _erasures_page(
    request: Request, tx: Tx, form: object, errors: list[FieldError], status: int = 200
) -> Response:
    patience = request.app.state.settings.erasure_patience
    found = reports(await erasures.page(tx.connection, SHOWN), tx.now, patience)
    return pages.render(
        request, "erasures.html", status=status, now=tx.now, reports=found, form=form, errors=errors, patience=patience
    )
