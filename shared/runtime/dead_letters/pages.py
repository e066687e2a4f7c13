"""Dead letters as pages: the list with its filters, one letter with its record, mending, replay and discard."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import FormData

from shared.runtime.auth.principals import Admin
from shared.runtime.database import Connection
from shared.runtime.depends import Tx
from shared.runtime.errors import Problem, not_found
from shared.ui import FieldError, Pages, field_id, parse_form, redirect

from . import forms, record_text, search, store, work
from .api import chosen, tools
from .work import Outcome

router = APIRouter(prefix="/dead-letters", include_in_schema=False)

SHOWN = 50
UNPROCESSABLE = 422
TAB = ("open", "replayed", "discarded", "erased")


@router.get("")
async def list_page(
    request: Request, tx: Tx, _who: Admin, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0
) -> Response:
    """Show the letters of one state, oldest first."""
    return await _list_page(request, tx.connection, request.query_params, after)


@router.post("")
async def act_on_many(request: Request, who: Admin) -> Response:
    """Replay or discard the chosen letters, or all that the filters find."""
    form = await request.form()
    database, batches = tools(request)
    discarding = str(form.get("do")).startswith("discard")
    wanted, errors = parse_form(forms.Reason, form)
    try:
        selection = forms.selection(form)
    except Problem as problem:
        return await _list_again(request, form, FieldError("letter", problem.detail, "letters", ""))
    if discarding and wanted is None:
        return await _list_again(request, form, errors[0])
    identifiers, following = await chosen(database, selection)
    reason = wanted.reason if wanted else ""
    outcomes = await work.each(
        identifiers,
        database,
        lambda one: (
            work.discard(one, database, reason, who) if discarding else work.replay(one, database, batches, who)
        ),
    )
    return redirect(
        request,
        f"/dead-letters?{forms.filters(form)}",
        forms.told(outcomes, more=following is not None),
    )


@router.get("/{identifier}")
async def letter_page(identifier: UUID, request: Request, tx: Tx, _who: Admin) -> Response:
    """Show one letter and what can be done about it."""
    return await _letter_page(request, tx.connection, identifier)


@router.post("/{identifier}/edit")
async def edit(identifier: UUID, request: Request, tx: Tx, who: Admin) -> Response:
    """Keep what was mended beside the record."""
    form = await request.form()
    seen = str(form.get("after_edits", ""))
    try:
        async with tx.connection.transaction():
            record = await work.edit(
                tx,
                identifier,
                lambda present: forms.mended(present, form),
                who,
                after=int(seen) if seen.isdigit() else None,
            )
    except record_text.Unreadable as wrong:
        error = FieldError("headers", f"{str(wrong).capitalize()}.", field_id("headers"), "Headers")
        return await _letter_page(request, tx.connection, identifier, form, [error])
    except Problem as problem:
        error = FieldError("form", problem.detail, "edit", "")
        return await _letter_page(request, tx.connection, identifier, form, [error], problem.status)
    verdict = work.judge(record, request.app.state.settings.topic_prefix)
    said = "It can be replayed now." if verdict.accepted else f"It would still be refused: {verdict.detail}"
    return redirect(request, f"/dead-letters/{identifier}", forms.cut(f"The edit is kept. {said}"))


@router.post("/{identifier}/replay")
async def replay(identifier: UUID, request: Request, who: Admin) -> Response:
    """Handle the record again, or show why not."""
    database, batches = tools(request)
    outcome = await work.replay(identifier, database, batches, who)
    if outcome.problem is None:
        told = "The record took effect." if outcome.detail is None else f"Nothing more to do: {outcome.detail}."
        return redirect(request, f"/dead-letters/{identifier}", told)
    return await _refused(request, outcome)


@router.post("/{identifier}/discard")
async def discard(identifier: UUID, request: Request, who: Admin) -> Response:
    """Put the record away with a reason."""
    form = await request.form()
    database, _ = tools(request)
    wanted, errors = parse_form(forms.Reason, form)
    if wanted is None:
        async with database.transaction() as tx:
            return await _letter_page(request, tx.connection, identifier, form, errors)
    outcome = await work.discard(identifier, database, wanted.reason, who)
    if outcome.problem is None:
        return redirect(request, f"/dead-letters/{identifier}", "The record is discarded; its bytes are kept.")
    return await _refused(request, outcome)


async def _list_page(
    request: Request,
    connection: Connection,
    typed: Mapping[str, Any],
    after: int,
    error: FieldError | None = None,
) -> Response:
    wanted, errors = forms.wanted(typed)
    rows = await search.search(connection, wanted, after=after, limit=SHOWN + 1)
    counts = await search.counts(connection)
    pages: Pages = request.app.state.pages
    return pages.render(
        request,
        "dead_letters.html",
        status=UNPROCESSABLE if error or errors else 200,
        letters=[forms.safe(row, forms.REASON_LISTED) for row in rows[:SHOWN]],
        following=rows[SHOWN - 1]["number"] if len(rows) > SHOWN else None,
        after=after,
        state=wanted.state,
        tabs=[(name, counts.get(name, 0)) for name in TAB if name != "erased" or name in counts],
        topics=[(topic, topic) for topic in await search.topics(connection)],
        form=typed,
        filters=forms.filters(typed),
        errors=[*errors, *([error] if error else [])],
    )


async def _list_again(request: Request, form: FormData, error: FieldError) -> Response:
    async with request.app.state.database.transaction() as tx:
        return await _list_page(request, tx.connection, form, 0, error)


async def _letter_page(
    request: Request,
    connection: Connection,
    identifier: UUID,
    form: Mapping[str, Any] | None = None,
    errors: Sequence[FieldError] = (),
    status: int = UNPROCESSABLE,
) -> Response:
    letter = await search.summary(connection, identifier)
    row = await store.find(connection, identifier)
    if letter is None or row is None:
        raise not_found("dead letter", str(identifier))
    edits = await store.edits(connection, identifier)
    record = store.record_of(row, edits[-1] if edits else None)
    pages: Pages = request.app.state.pages
    return pages.render(
        request,
        "dead_letter.html",
        status=status if errors else 200,
        letter=forms.safe(letter, forms.REASON_SHOWN),
        record=forms.Shown.of(record),
        edits=[(one, forms.Shown.of(one)) for one in edits],
        original=forms.Shown.of(store.record_of(row)),
        repeats=await store.repeats(connection, identifier),
        earlier=await store.earlier_open(connection, row) if row["state"] == "open" else None,
        verdict=work.judge(record, request.app.state.settings.topic_prefix),
        form={**forms.typed(record), **(form or {})},
        typable=forms.typed(record).keys(),
        errors=list(errors),
    )


async def _refused(request: Request, outcome: Outcome) -> Response:
    assert outcome.problem is not None
    error = FieldError("form", outcome.problem.detail, "record", "")
    async with request.app.state.database.transaction() as tx:
        return await _letter_page(request, tx.connection, outcome.id, None, [error], outcome.problem.status)
