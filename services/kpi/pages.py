"""The HTML pages: the board, one KPI, a new KPI, releases."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from services.kpi import measuring, views
from services.kpi.kpis import Kpi, Objective
from services.kpi.rows import BadFile
from services.kpi.schemas import NewKpi, NewObjective
from shared.contract.types import Id
from shared.runtime import Problem, Researcher, Transaction, Tx, Viewer
from shared.ui import Pages
from shared.ui.flash import redirect
from shared.ui.formats import reader_of
from shared.ui.forms import FieldError, field_id, parse_form

router = APIRouter(include_in_schema=False)
pages = Pages("kpi", Path(__file__).parent / "pages")

WRONG = 422


@router.get("/")
async def board(request: Request, tx: Tx, _who: Viewer) -> Response:
    rows = await views.board(tx, reader_of(request).locale)
    return pages.render(request, "board.html", rows=rows, most=views.MOST_KPIS)


@router.get("/new")
async def new_kpi(request: Request, _who: Researcher) -> Response:
    return pages.render(request, "new.html", form={"higher_is_better": "true"}, errors=[])


@router.post("/new")
async def add_kpi(request: Request, tx: Tx, _who: Researcher) -> Response:
    form = await request.form()
    body, errors = parse_form(NewKpi, form)
    if body:
        wanted = Kpi(body.kpi_id or str(uuid4()), tx.now, body.name, body.unit, higher_is_better=body.higher_is_better)
        try:
            kpi, _ = await measuring.define(tx, wanted)
        except Problem as problem:
            errors = [_error("kpi_id", "Id", problem.detail)]
        else:
            return redirect(request, f"/kpis/{kpi.kpi_id}", f"{kpi.title[:200]} is here to be measured.")
    return pages.render(request, "new.html", status=WRONG, form=form, errors=errors)


@router.get("/kpis/{kpi_id}")
async def show_kpi(kpi_id: Id, request: Request, tx: Tx, _who: Viewer, release: str | None = None) -> Response:
    return await _show(request, tx, await measuring.find(tx, kpi_id), release=release)


@router.post("/kpis/{kpi_id}/objective")
async def set_objective(kpi_id: Id, request: Request, tx: Tx, _who: Researcher) -> Response:
    kpi = await measuring.find(tx, kpi_id)
    form = await request.form()
    body, errors = parse_form(NewObjective, form)
    if body:
        objective = Objective(body.baseline, body.target, body.by)
        fault = kpi.fault_of(objective)
        if fault is None:
            await measuring.set_objective(tx, kpi_id, objective)
            return redirect(request, f"/kpis/{kpi_id}", "The objective is set.")
        errors = [_error("target", "Target", fault)]
    return await _show(request, tx, kpi, form=form, errors=errors)


@router.post("/kpis/{kpi_id}/measurements")
async def upload_measurements(kpi_id: Id, request: Request, tx: Tx, _who: Researcher) -> Response:
    kpi = await measuring.find(tx, kpi_id)
    file = (await request.form()).get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    try:
        if not content:
            raise BadFile("Choose a CSV file that is not empty.")
        recorded = await measuring.record_file(tx, kpi_id, content)
    except BadFile as bad:
        return await _show(request, tx, kpi, errors=[_error("file", "File", fault) for fault in bad.faults])
    counted = f"{recorded.stored} new or corrected, {recorded.unchanged} known already."
    return redirect(request, f"/kpis/{kpi_id}", f"The file is in: {counted}")


@router.get("/releases")
async def releases(request: Request, tx: Tx, _who: Viewer) -> Response:
    rows = await views.releases(tx, reader_of(request).locale)
    return pages.render(request, "releases.html", rows=rows, most=views.MOST_RELEASES)


async def _show(
    request: Request,
    tx: Transaction,
    kpi: Kpi,
    *,
    release: str | None = None,
    form: Mapping[str, Any] | None = None,
    errors: Sequence[FieldError] = (),
) -> Response:
    """The KPI's page; with errors it is an answer to a form, which keeps what was typed."""
    view = await views.kpi_page(tx, kpi, release, reader_of(request).locale)
    objective = kpi.objective
    present = {"baseline": objective.baseline, "target": objective.target, "by": objective.by} if objective else {}
    status = WRONG if errors else 200
    return pages.render(request, "kpi.html", status=status, view=view, form=form or present, errors=list(errors))


def _error(field: str, label: str, message: str) -> FieldError:
    return FieldError(field, message, field_id(field), label)
