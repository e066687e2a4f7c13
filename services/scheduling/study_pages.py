"""Studies and hosts on one page: what can be booked, and with whom."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.scheduling.bodies import NewStudy
from services.scheduling.booking import retry_waiting
from services.scheduling.hosts import DAYS, Day, Host, Role, WeeklyHours
from services.scheduling.lookup import the_study
from services.scheduling.site import pages, zone_choices
from services.scheduling.store import hosts, studies
from shared.contract.types import Email, Id, Line, ZoneName
from shared.runtime import Researcher, Tx, Viewer
from shared.ui import FieldError, field_id, parse_form, redirect
from shared.ui.formats import reader_of

router = APIRouter(include_in_schema=False)

SHOWN = 100

_USUAL_STUDY = {name: info.default for name, info in NewStudy.model_fields.items() if not info.is_required()}
_USUAL_HOST = {"days": DAYS[:5], "start": "09:00", "end": "17:00", "role": "moderator"}


class NewColleague(BaseModel):
    """A host with the same hours on some days, which is how most people work."""

    name: Annotated[Line, Field(title="Name")]
    email: Annotated[Email, Field(title="E-mail")]
    timezone: Annotated[ZoneName, Field(title="Time zone")]
    days: Annotated[tuple[Day, ...], Field(title="Days", min_length=1)]
    start: Annotated[str, Field(title="From")]
    end: Annotated[str, Field(title="To")]
    role: Role
    studies: Annotated[tuple[Id, ...], Field(title="Studies")] = ()

    def hours(self) -> WeeklyHours:
        return WeeklyHours(self.days, self.start, self.end)


@router.get("/studies")
async def studies_page(request: Request, tx: Tx, _who: Viewer) -> Response:
    """The studies with their hosts, and the forms to add more."""
    return await _studies_page(request, tx)


@router.post("/studies")
async def create_study(request: Request, tx: Tx, _who: Researcher) -> Response:
    """Create a study that is open for requests at once."""
    form = await request.form()
    body, errors = parse_form(NewStudy, form)
    if body is None:
        return await _studies_page(request, tx, study_form=form, study_errors=errors)
    await studies.add(tx.connection, body.study(tx.now))
    booked = await retry_waiting(tx)
    return redirect(request, "/studies", f"The study is open. {_placed(booked)}")


@router.post("/studies/{study_id}/open")
async def open_study(study_id: Id, request: Request, tx: Tx, _who: Researcher) -> Response:
    """Open it for requests."""
    await the_study(tx.connection, study_id)
    await studies.set_open(tx.connection, study_id, is_open=True)
    return redirect(request, "/studies", f"The study is open. {_placed(await retry_waiting(tx))}")


@router.post("/studies/{study_id}/close")
async def close_study(study_id: Id, request: Request, tx: Tx, _who: Researcher) -> Response:
    """Close it for requests."""
    await the_study(tx.connection, study_id)
    await studies.set_open(tx.connection, study_id, is_open=False)
    return redirect(request, "/studies", "The study is closed for requests. What is booked stays booked.")


@router.post("/hosts")
async def create_host(request: Request, tx: Tx, _who: Researcher) -> Response:
    """Add a host to some studies."""
    form = await request.form()
    body, errors = parse_form(NewColleague, form)
    if body is not None:
        errors = _wrong_hours(body)
    if body is None or errors:
        return await _studies_page(request, tx, host_form=form, host_errors=errors)
    host = Host(str(uuid4()), body.name, body.email, body.timezone, (body.hours(),))
    await hosts.add(tx.connection, host, tx.now)
    for study_id in body.studies:
        await the_study(tx.connection, study_id)
        await studies.put_host(tx.connection, study_id, host.host_id, body.role)
    return redirect(request, "/studies", f"{body.name[:150]} can be booked. {_placed(await retry_waiting(tx))}")


async def _studies_page(
    request: Request,
    tx: Tx,
    *,
    study_form: object = None,
    study_errors: list[FieldError] | None = None,
    host_form: object = None,
    host_errors: list[FieldError] | None = None,
) -> Response:
    found = await studies.page(tx.connection, SHOWN)
    zone = reader_of(request).zone.key
    return pages.render(
        request,
        "studies.html",
        status=422 if study_errors or host_errors else 200,
        studies=found,
        members=await hosts.of_studies(tx.connection, [study.study_id for study in found]),
        study_form=study_form or _USUAL_STUDY,
        study_errors=study_errors or [],
        host_form=host_form or _USUAL_HOST | {"timezone": zone},
        host_errors=host_errors or [],
        zones=zone_choices(zone),
    )


def _wrong_hours(body: NewColleague) -> list[FieldError]:
    try:
        body.hours().rule()
    except ValueError as wrong:
        return [FieldError("start", f"{wrong}.", field_id("start"), "From")]
    return []


def _placed(booked: int) -> str:
    return f"{booked} waiting requests are booked now." if booked else ""
