"""What the team does with the changelog: write, publish, take back."""

from uuid import uuid4

from services.roadmap import store
from services.roadmap.board.entries import Entry, edited, published
from shared.runtime import Transaction, not_found, unprocessable
from shared.ui.sentences import Sentence
from shared.ui.words import marked


async def save(
    tx: Transaction,
    entry_id: str | None,
    *,
    title: str,
    body: str,
    feature_ids: tuple[str, ...],
    publish: bool,
    is_new: bool = False,
) -> Entry:
    """Write an entry, a new one without an id or where `is_new` says so, as a draft or for everybody.

    Raises Problem for an entry or an idea that does not exist.
    """
    for feature_id in feature_ids:
        idea = await store.find_idea(tx.connection, feature_id)
        if idea is None or not idea.named:
            raise unprocessable(Sentence("There is no idea %(id)r to link to; check its id.", id=feature_id))
    if entry_id is None or is_new:
        before = Entry(entry_id or str(uuid4()), "", "", tx.now, tx.now, None)
    else:
        before = await entry_of(tx, entry_id)
    after = published(edited(before, title, body, feature_ids, tx.now), shown=publish, now=tx.now)
    if after != before:
        await store.save_entry(tx.connection, after)
    return after


async def remove(tx: Transaction, entry_id: str) -> None:
    """Remove an entry; the ideas it links to stay as they are."""
    await entry_of(tx, entry_id)
    await store.remove_entry(tx.connection, entry_id)


async def entry_of(tx: Transaction, entry_id: str) -> Entry:
    entry = await store.find_entry(tx.connection, entry_id)
    if entry is None:
        raise not_found(marked("entry"), entry_id)
    return entry
