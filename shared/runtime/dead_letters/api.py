"""Dead letters over HTTP: find them, look at them, mend them, replay them, discard them with a reason."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from shared.runtime.auth.principals import Admin
from shared.runtime.batches import Batches
from shared.runtime.database import Connection, Database
from shared.runtime.depends import Tx
from shared.runtime.errors import not_found

from . import search, store, work
from .bodies import (
    DeadLetter,
    Discard,
    DiscardMany,
    EditLetter,
    Listing,
    Outcomes,
    Selection,
    WholeDeadLetter,
)
from .search import Filter
from .work import Outcome

router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"])


@router.get("", summary="Dead letters, oldest first")
async def dead_letter_list(
    request: Request, response: Response, tx: Tx, _who: Admin, wanted: Annotated[Listing, Query()]
) -> list[DeadLetter]:
    """Where there are more, the header Link names the address of the next ones."""
    rows = await search.search(tx.connection, wanted, after=wanted.after, limit=wanted.limit + 1)
    letters = [DeadLetter.of(row) for row in rows[: wanted.limit]]
    if len(rows) > wanted.limit:
        following = request.url.include_query_params(after=letters[-1].number)
        response.headers["Link"] = f'<?{following.query}>; rel="next"'
    return letters


@router.get("/{identifier}", summary="One dead letter with its record")
async def dead_letter(identifier: UUID, request: Request, tx: Tx, _who: Admin) -> WholeDeadLetter:
    return await whole(request, tx.connection, identifier)


@router.post("/replay", summary="Handle many records again, oldest first")
async def replay_many(request: Request, body: Selection, who: Admin) -> Outcomes:
    """Each letter stands for itself; one that still fails holds back only later ones of its topic and key."""
    database, batches = tools(request)
    identifiers, following = await chosen(database, body)
    outcomes = await work.each(identifiers, database, lambda one: work.replay(one, database, batches, who))
    return Outcomes.of(outcomes, following)


@router.post("/discard", summary="Put many records away for good, saying why")
async def discard_many(request: Request, body: DiscardMany, who: Admin) -> Outcomes:
    database, _ = tools(request)
    identifiers, following = await chosen(database, body)
    outcomes = await work.each(identifiers, database, lambda one: work.discard(one, database, body.reason, who))
    return Outcomes.of(outcomes, following)


@router.post("/{identifier}/edit", summary="Mend the record; what came is kept beside it")
async def edit(identifier: UUID, request: Request, tx: Tx, who: Admin, body: EditLetter) -> WholeDeadLetter:
    """What the body leaves out stays as it is; `verdict` in the answer says whether the record is an event now."""
    await work.edit(tx, identifier, body.mend, who, after=body.after_edits)
    return await whole(request, tx.connection, identifier)


@router.post("/{identifier}/replay", summary="Handle the record again, once")
async def replay(identifier: UUID, request: Request, who: Admin) -> DeadLetter:
    """Refused while an earlier letter of the same topic and key is open, since their order may matter."""
    database, batches = tools(request)
    return await _answer(database, await work.replay(identifier, database, batches, who))


@router.post("/{identifier}/discard", summary="Put the record away for good, saying why")
async def discard(identifier: UUID, body: Discard, request: Request, who: Admin) -> DeadLetter:
    database, _ = tools(request)
    return await _answer(database, await work.discard(identifier, database, body.reason, who))


async def whole(request: Request, connection: Connection, identifier: UUID) -> WholeDeadLetter:
    """The letter with everything that is known about it.

    Raises:
        Problem: there is none.
    """
    summary = await search.summary(connection, identifier)
    row = await store.find(connection, identifier)
    if summary is None or row is None:
        raise not_found("dead letter", str(identifier))
    edits = await store.edits(connection, identifier)
    now = store.record_of(row, edits[-1] if edits else None)
    return WholeDeadLetter.made_of(
        summary,
        store.record_of(row),
        edits,
        await store.repeats(connection, identifier),
        work.judge(now, request.app.state.settings.topic_prefix),
    )


def tools(request: Request) -> tuple[Database, Batches]:
    return request.app.state.database, request.app.state.consumer.batches


async def chosen(database: Database, selection: Selection) -> tuple[list[UUID], int | None]:
    """The letters' ids and, where the filter finds more, the number to go on after."""
    if selection.ids is not None:
        return selection.ids, None
    wanted = (selection.filter or Filter()).model_copy(update={"state": "open"})
    async with database.transaction() as tx:
        rows = await search.search(tx.connection, wanted, after=selection.after, limit=selection.limit + 1)
    more = len(rows) > selection.limit
    rows = rows[: selection.limit]
    return [row["id"] for row in rows], rows[-1]["number"] if more else None


async def _answer(database: Database, outcome: Outcome) -> DeadLetter:
    if problem := outcome.problem:
        raise problem
    async with database.transaction() as tx:
        row = await search.summary(tx.connection, outcome.id)
    assert row is not None
    return DeadLetter.of(row)
