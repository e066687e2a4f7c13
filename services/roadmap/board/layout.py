"""What the team does with the board's own statuses and categories."""

from services.roadmap import store
from services.roadmap.board.statuses import LONGEST_NAME, MOST, Category, OwnStatus, why_not_removed
from shared.runtime import Transaction, conflict, not_found, unprocessable
from shared.ui.sentences import Sentence
from shared.ui.words import marked


async def keep_status(tx: Transaction, status: OwnStatus) -> None:
    """Add a status, or rename and move one.

    Raises Problem when its type would change, when a new one has no name, or when there are too many.
    """
    known = {each.status_id: each for each in await store.statuses(tx.connection)}
    before = known.get(status.status_id)
    if before is not None and before.type != status.type:
        raise conflict(
            Sentence(
                "This status is of the type %(type)s, and ideas are in it; add another one instead.", type=before.type
            )
        )
    _check_length(status.name or "")
    if status.name is None and not status.is_built_in:
        raise unprocessable(Sentence("Give the status a name."))
    if before is None and len(known) >= MOST:
        raise conflict(Sentence("There are %(most)s statuses already; remove one that nobody uses.", most=MOST))
    await store.keep_status(tx.connection, status)


async def remove_status(tx: Transaction, status_id: str) -> None:
    """Remove a status that no idea is in.

    Raises Problem when there is none or it must stay.
    """
    status = await status_of(tx, status_id)
    if reason := why_not_removed(status, await store.ideas_in(tx.connection, status_id)):
        raise conflict(reason)
    await store.remove_status(tx.connection, status_id)


async def status_of(tx: Transaction, status_id: str) -> OwnStatus:
    for status in await store.statuses(tx.connection):
        if status.status_id == status_id:
            return status
    raise not_found(marked("status"), status_id)


async def keep_category(tx: Transaction, category: Category) -> None:
    """Add a category, or rename and move one.

    Raises Problem when another one has this name, or when there are too many.
    """
    _check_length(category.name)
    known = await store.categories(tx.connection)
    others = [each for each in known if each.category_id != category.category_id]
    if any(each.name.casefold() == category.name.casefold() for each in others):
        raise conflict(Sentence("There is a category %(name)r already.", name=category.name))
    if len(others) >= MOST:
        raise conflict(Sentence("There are %(most)s categories already; remove one first.", most=MOST))
    await store.keep_category(tx.connection, category)


async def remove_category(tx: Transaction, category_id: str) -> None:
    """Remove a category; its ideas have none afterwards."""
    if all(each.category_id != category_id for each in await store.categories(tx.connection)):
        raise not_found(marked("category"), category_id)
    await store.remove_category(tx.connection, category_id)


def _check_length(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise unprocessable(Sentence("A name has at most %(most)s characters; shorten it.", most=LONGEST_NAME))
