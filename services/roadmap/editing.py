"""What people do to ideas: create, edit, move; shared by the API and the pages."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.roadmap import store
from services.roadmap.ideas import Idea, Status, moved
from services.roadmap.prioritise import mark_due
from shared.contract.events import FeatureStatusChanged
from shared.runtime import Transaction, conflict, not_found, unprocessable


@dataclass(frozen=True, slots=True)
class Content:
    """What an idea says and what it would take; without an estimate of effort one is assumed."""

    title: str
    description: str = ""
    effort_weeks: float | None = None
    kpi_ids: tuple[str, ...] = ()


async def create(
    tx: Transaction, feature_id: str, content: Content, status: Status = "new", released_at: datetime | None = None
) -> tuple[Idea, bool]:
    """Create the idea, or name one that is known from votes or insights alone; gives it and whether it is new.

    Raises Problem when another idea has this id.
    """
    await store.ensure_ideas(tx.connection, [feature_id], tx.now)
    idea = (await store.lock_ideas(tx.connection, [feature_id]))[feature_id]
    if idea.named:
        if _with(idea, content) != idea:
            raise conflict(f"Another idea has the id {feature_id!r}; leave the id out, or change that idea with PATCH.")
        return idea, False
    named = replace(_with(idea, content), created_at=tx.now)
    return await _move(tx, named, status, released_at, note=None), True


async def edit(tx: Transaction, idea: Idea, content: Content) -> Idea:
    """Change what a locked idea says; naming an unnamed one puts it on the board."""
    if not idea.named:
        return (await create(tx, idea.feature_id, content))[0]
    edited = _with(idea, content)
    if edited == idea:
        return idea
    if idea.status == "shipped" and set(edited.kpi_ids) != set(idea.kpi_ids):
        # Whoever measures what was shipped learns of its KPIs only this way.
        edited = replace(edited, status_version=idea.status_version + 1)
        await _tell(tx, edited, idea.status)
    await store.save_idea(tx.connection, edited)
    await mark_due(tx, [idea.feature_id])
    return edited


async def move(
    tx: Transaction, idea: Idea, status: Status, *, released_at: datetime | None = None, note: str | None = None
) -> Idea:
    """Move a locked idea to a status and tell others; moving it where it is changes nothing."""
    if idea.named:
        return await _move(tx, idea, status, released_at, note)
    raise conflict(f"Nobody has named the idea {idea.feature_id!r} yet; give it a title before it moves.")


async def locked(tx: Transaction, feature_id: str) -> Idea:
    """The idea, which nobody else changes until the end of the transaction.

    Raises Problem when there is none.
    """
    ideas = await store.lock_ideas(tx.connection, [feature_id])
    if feature_id not in ideas:
        raise not_found("idea", feature_id)
    return ideas[feature_id]


async def _move(tx: Transaction, idea: Idea, status: Status, released_at: datetime | None, note: str | None) -> Idea:
    try:
        after = moved(idea, status, released_at=released_at, note=note, now=tx.now)
    except ValueError as wrong:
        raise unprocessable(f"{wrong}.") from None
    if not idea.named:
        after = replace(after, status_version=after.status_version + await store.version_floor(tx.connection))
    if after != idea:
        await store.save_idea(tx.connection, after)
    if after.status_version != idea.status_version:
        await _tell(tx, after, idea.status if idea.named else None)
        await mark_due(tx, [idea.feature_id])
    return after


async def _tell(tx: Transaction, idea: Idea, previous: Status | None) -> None:
    await tx.publish(
        FeatureStatusChanged(
            feature_id=idea.feature_id,
            version=idea.status_version,
            title=idea.title,
            status=idea.status,
            previous_status=previous,
            changed_at=tx.now,
            released_at=idea.released_at,
            kpi_ids=idea.kpi_ids,
            asked_by=tuple(await store.asked_by(tx.connection, idea.feature_id)),
        )
    )


def _with(idea: Idea, content: Content) -> Idea:
    return replace(
        idea,
        title=content.title,
        description=content.description,
        effort_weeks=content.effort_weeks,
        kpi_ids=content.kpi_ids,
    )
