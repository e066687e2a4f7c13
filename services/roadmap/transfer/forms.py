"""Taking the board out as CSV or JSON lines, and in from such files: first a preview, then for good."""

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from services.roadmap.store import transfer
from services.roadmap.templates import templates
from services.roadmap.transfer.importing import Report, take
from services.roadmap.transfer.rows import KINDS, Form, Kind, Row, Source, lines_of, read, write
from shared.runtime import Answer, Body, Manager, unprocessable
from shared.runtime.database import Database
from shared.ui import parse_form
from shared.ui.words import _

router = APIRouter()

LONGEST = 5_000_000
"""Characters of one file; larger ones are split."""
CHUNK = 200
"""Lines sent at once."""
VOTES_AT_ONCE = 100
MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}


class ImportBody(Body):
    """A file's text; without `apply` nothing is kept."""

    text: Annotated[str, Field(max_length=LONGEST)]
    format: Form = "csv"
    source: Source = "earshot"
    apply: bool = False


class FaultAnswer(Answer):
    number: int = Field(description="the line, counted from 1")
    says: str


class ImportAnswer(Answer):
    """What an import did, or would do; rows that were here before are left as they are."""

    applied: bool
    new: int
    known: int
    left_out: int
    faults: tuple[FaultAnswer, ...] = Field(description="the first hundred")


class ImportForm(BaseModel):
    kind: Kind
    format: Form = "csv"
    source: Source = "earshot"
    act: Literal["preview", "apply"] = "preview"
    text: Annotated[str, Field(max_length=LONGEST)] = ""


@router.get(
    "/api/v1/export/{kind}",
    tags=["transfer"],
    summary="Everything of one kind, as a file",
    response_class=StreamingResponse,
    responses={200: {"content": {kind: {"schema": {"type": "string"}} for kind in MEDIA.values()}}},
)
async def export(request: Request, kind: Kind, _who: Manager, format: Form = "csv") -> Response:  # noqa: A002
    # A transaction of its own: the file is sent after the endpoint's would have ended.
    lines = _lines(request.app.state.database, kind, format)
    name = f'attachment; filename="{kind}.{format}"'
    return StreamingResponse(lines, media_type=MEDIA[format], headers={"Content-Disposition": name})


@router.post("/api/v1/import/{kind}", tags=["transfer"], summary="Take in a file, or see what that would do")
async def import_rows(request: Request, kind: Kind, body: ImportBody, _who: Manager) -> ImportAnswer:
    database = request.app.state.database
    report = await _taken(database, kind, body.format, body.source, body.text, apply=body.apply)
    faults = tuple(FaultAnswer.model_validate(fault) for fault in report.faults)
    return ImportAnswer(applied=body.apply, new=report.new, known=report.known, left_out=report.left_out, faults=faults)


@router.get("/transfer", include_in_schema=False)
async def show_form(request: Request, _who: Manager) -> Response:
    return _page(request, ImportForm(kind="ideas"), None)


@router.post("/transfer", include_in_schema=False)
async def import_file(request: Request, _who: Manager) -> Response:
    typed = await request.form(max_part_size=LONGEST * 4)
    file = typed.get("file")
    text = await _text(file) if isinstance(file, UploadFile) and file.filename else None
    form, _errors = parse_form(ImportForm, {**typed, **({"text": text} if text is not None else {})})
    if form is None or not form.text:
        raise unprocessable(_("Choose a file of at most five million characters, and what it holds."))
    database, apply = request.app.state.database, form.act == "apply"
    report = await _taken(database, form.kind, form.format, form.source, form.text, apply=apply)
    return _page(request, form, report)


async def _taken(database: Database, kind: Kind, form: Form, source: Source, text: str, *, apply: bool) -> Report:
    """Take a file in, or look at what that would do.

    Votes go by the hundred: all together they would hold the ideas they are for, and everybody else's vote would wait
    for the end of the file.
    """
    report, rows = Report(), read(kind, form, lines_of(text))
    for together in _parts(rows) if kind == "votes" else (rows,):
        async with database.transaction() as tx:
            kept = tx.connection.transaction()
            await kept.start()
            await take(tx, kind, source, together, report)
            await (kept.commit() if apply else kept.rollback())
    return report


def _parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while part := list(islice(rows, VOTES_AT_ONCE)):
        yield part


async def _lines(database: Database, kind: Kind, form: Form) -> AsyncIterator[str]:
    async with database.transaction() as tx:
        for line in write(kind, form, ()):
            yield line
        chunk: list[str] = []
        async for row in transfer.export(tx.connection, kind):
            *_head, line = write(kind, form, [row])
            chunk.append(line)
            if len(chunk) == CHUNK:
                yield "".join(chunk)
                chunk.clear()
        yield "".join(chunk)


async def _text(file: UploadFile) -> str:
    try:
        return (await file.read(LONGEST * 4)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unprocessable(_("This file is no text in UTF-8; save it as “CSV UTF-8”.")) from None


def _page(request: Request, form: ImportForm, report: Report | None) -> Response:
    done = report is not None and form.act == "apply"
    return templates.render(request, "transfer.html", form=form, report=report, done=done, kinds=KINDS)
