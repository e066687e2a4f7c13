"""The team's pages on the customer base: what votes are weighted to, what accounts are worth, what is estimated."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile

from services.roadmap import store
from services.roadmap.priority.accounts import replace_accounts
from services.roadmap.priority.frame import Frame
from services.roadmap.priority.frame_csv import (
    ReadAccounts,
    ReadFrame,
    Wrong,
    decoded,
    read_accounts,
    read_frame,
    written,
)
from services.roadmap.priority.population import replace_frame
from services.roadmap.priority.prioritise import audience
from services.roadmap.priority.segments import DIMENSIONS, part_of
from services.roadmap.priority.shown import shown_cell
from services.roadmap.store import AccountPerson
from services.roadmap.templates import templates
from shared.runtime import Manager, Problem, Transaction, Tx, Viewer
from shared.ui import FieldError, field_id, parse_form, redirect
from shared.ui.sentences import Sentence
from shared.ui.words import gettext as _
from shared.ui.words import ngettext, spoken

router = APIRouter(include_in_schema=False)

UNPROCESSABLE = 422
SHOWN_ROWS = 200
MOST_BYTES = 10_000_000
NO_TEXT = Wrong(0, Sentence("This file is no text in UTF-8; save it as “CSV UTF-8”."))
TOO_LONG = Wrong(0, Sentence("This file is longer than 10 MB; leave out the columns that are not asked for."))


class FrameForm(BaseModel):
    source: Annotated[Literal["table", "kpi", "none"], Field(title="Where the numbers come from")] = "table"
    customers: Annotated[float | None, Field(title="All customers", gt=0, le=1e12)] = None
    kpi_id: Annotated[str | None, Field(title="KPI", max_length=200)] = None
    trim_ratio: Annotated[float | None, Field(title="Cut weights at so many times their mean", gt=1, le=1000)] = None
    collapses: Annotated[str, Field(title="Values taken together", max_length=20_000)] = ""


@router.get("/population")
async def show_population(request: Request, tx: Tx, _who: Viewer) -> Response:
    stored = await store.stored_frame(tx.connection)
    typed = {
        "source": "kpi" if stored.kpi_id else "table",
        "kpi_id": stored.kpi_id,
        "trim_ratio": stored.frame.trim_ratio,
        "collapses": "\n".join(f"{name} {value} = {to}" for (name, value), to in stored.frame.collapses.items()),
    }
    return await _population(request, tx, typed, [], text="" if stored.kpi_id else written(stored.frame))


@router.post("/population")
async def write_population(request: Request, tx: Tx, who: Manager) -> Response:
    """First shows what was read and what it would mean; the second time it is taken."""
    typed = await request.form()
    form, errors = parse_form(FrameForm, typed)
    if form is None:
        return await _population(request, tx, typed, errors)
    collapses, errors = _collapses(form.collapses)
    read = ReadFrame(Frame())
    if form.source == "table":
        text, wrong = await _table_of(typed)
        read = ReadFrame(None, wrong=(wrong,)) if wrong else read_frame(text, form.customers)
    else:
        text = ""
    if read.frame is None or errors:
        return await _population(request, tx, typed, errors, read=read, text=text)
    frame = Frame(read.frame.cells, read.frame.margins, collapses, form.trim_ratio)
    kpi_id = form.kpi_id if form.source == "kpi" else None
    if "apply" not in typed and form.source == "table":
        return await _population(request, tx, typed, [], read=read, text=text, preview=frame)
    try:
        await replace_frame(tx, frame, kpi_id, who.subject)
    except Problem as problem:
        return await _population(request, tx, typed, [_error("source", spoken(problem.detail))], read=read, text=text)
    said = (
        _("Votes are weighted to this customer base from now on.")
        if form.source != "none"
        else _("Votes are not weighted any more.")
    )
    return redirect(request, "/population", said)


@router.get("/accounts")
async def show_accounts(request: Request, tx: Tx, _who: Viewer) -> Response:
    return await _accounts(request, tx, ReadAccounts(), "")


@router.post("/accounts")
async def write_accounts(request: Request, tx: Tx, _who: Manager) -> Response:
    """First shows what was read, the second time it is taken."""
    typed = await request.form()
    text, wrong = await _table_of(typed)
    read = ReadAccounts(wrong=(wrong,)) if wrong else read_accounts(text)
    if read.wrong or "apply" not in typed:
        return await _accounts(request, tx, read, text)
    erased = await replace_accounts(tx, [AccountPerson(*person) for person in read.people])
    said = ngettext(
        "One person is known with their account.",
        "%(count)s people are known with their accounts.",
        len(read.people) - erased,
    )
    return redirect(request, "/accounts", said)


async def _table_of(typed: FormData) -> tuple[str, Wrong | None]:
    """The table that was uploaded, or else pasted; what is wrong with the file."""
    file = typed.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return str(typed.get("table") or ""), None
    content = await file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return "", TOO_LONG
    text = decoded(content)
    return (text, None) if text is not None else ("", NO_TEXT)


def _collapses(text: str) -> tuple[dict[tuple[str, str], str], list[FieldError]]:
    """Rules as lines "plan starter = small"."""
    rules: dict[tuple[str, str], str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        left, equals, becomes = line.partition("=")
        dimension, _gap, value = left.strip().partition(" ")
        if not line.strip():
            continue
        if not equals or dimension.casefold() not in DIMENSIONS or not value.strip() or not becomes.strip():
            said = _("Line %(number)s is no rule; write it as: plan starter = small.", number=number)
            return {}, [_error("collapses", said)]
        rules[dimension.casefold(), part_of(value)] = part_of(becomes)
    return rules, []


def _error(name: str, message: str) -> FieldError:
    return FieldError(name, message, field_id(name), "")


async def _population(
    request: Request,
    tx: Transaction,
    typed: Mapping[str, object],
    errors: Sequence[FieldError],
    *,
    read: ReadFrame | None = None,
    text: str = "",
    preview: Frame | None = None,
) -> Response:
    everybody = await audience(tx.connection, preview)
    uncut = await audience(tx.connection, Frame(preview.cells, preview.margins, preview.collapses) if preview else None)
    wrong = read.wrong if read else ()
    return templates.render(
        request,
        "population.html",
        status=UNPROCESSABLE if errors or wrong else 200,
        everybody=everybody,
        uncut=uncut,
        cells=[(shown_cell(name), cell) for name, cell in list(everybody.cells.items())[:SHOWN_ROWS]],
        stored=await store.stored_frame(tx.connection),
        kpis=await store.kpis_by_segment(tx.connection),
        form=typed,
        errors=errors,
        wrong=wrong,
        read_rows=read.rows[:SHOWN_ROWS] if read else (),
        text=text,
        preview=preview,
        now=tx.now,
    )


async def _accounts(request: Request, tx: Transaction, read: ReadAccounts, text: str) -> Response:
    accounts, people, value = await store.count_accounts(tx.connection)
    return templates.render(
        request,
        "accounts.html",
        status=UNPROCESSABLE if read.wrong else 200,
        accounts=accounts,
        people=people,
        value=value,
        read=read,
        shown=read.people[:SHOWN_ROWS],
        text=text,
        form={},
    )
