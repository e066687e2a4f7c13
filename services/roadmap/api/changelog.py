"""The endpoints of the changelog."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from services.roadmap import store
from services.roadmap.api.bodies import AddedEntry, EntryAnswer, NewEntry
from services.roadmap.board import changelog
from shared.contract.types import Id
from shared.runtime import Limit, Manager, Tx, Viewer, conflict, known_already

router = APIRouter(prefix="/api/v1", tags=["changelog"])


@router.get("/changelog", summary="Published entries, or drafts, the last first")
async def list_entries(tx: Tx, _who: Viewer, *, drafts: bool = False, limit: Limit = 100) -> Sequence[EntryAnswer]:
    found = await store.entries(tx.connection, drafts=drafts, limit=limit)
    return [EntryAnswer.model_validate(entry) for entry in found]


@router.post(
    "/changelog",
    summary="Write an entry, as a draft or for everybody",
    status_code=201,
    responses=known_already(EntryAnswer),
)
async def add_entry(body: AddedEntry, response: Response, tx: Tx, _who: Manager) -> EntryAnswer:
    there = await store.find_entry(tx.connection, body.entry_id) if body.entry_id else None
    if there is None:
        return await _save(tx, body.entry_id, body, is_new=True)
    said = (there.title, there.body, set(there.feature_ids), there.published_at is not None)
    if said != (body.title, body.body, set(body.feature_ids), body.published):
        raise conflict(f"Another entry has the id {body.entry_id!r}; leave the id out, or replace that one with PUT.")
    response.status_code = 200
    return EntryAnswer.model_validate(there)


@router.put("/changelog/{entry_id}", summary="Replace an entry")
async def replace_entry(entry_id: Id, body: NewEntry, tx: Tx, _who: Manager) -> EntryAnswer:
    return await _save(tx, entry_id, body)


@router.delete("/changelog/{entry_id}", summary="Remove an entry", status_code=204)
async def remove_entry(entry_id: Id, tx: Tx, _who: Manager) -> None:
    await changelog.remove(tx, entry_id)


async def _save(tx: Tx, entry_id: str | None, body: NewEntry, *, is_new: bool = False) -> EntryAnswer:
    entry = await changelog.save(
        tx,
        entry_id,
        title=body.title,
        body=body.body,
        feature_ids=body.feature_ids,
        publish=body.published,
        is_new=is_new,
    )
    return EntryAnswer.model_validate(entry)
