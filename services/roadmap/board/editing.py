"""What people do to ideas: create, send in, publish, edit, move; shared by the API and the pages."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from services.roadmap import store
from services.roadmap.board.statuses import fitting
from services.roadmap.ideas import Confidence, Idea, Status, Visibility, moved
from services.roadmap.priority.prioritise import mark_due
from shared.contract.events import FeatureStatusChanged
from shared.runtime import Transaction, conflict, not_found, unprocessable
from shared.ui.sentences import Sentence
from shared.ui.words import marked


@dataclass(frozen=True, slots=True)
class Content:
    """What an idea says and what it would take; without an estimate of effort one is assumed."""

    title: str
    description: str = ""
    effort_weeks: float | None = None
    kpi_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an idea stands on the board: the company's own status and category, and how sure the team is of when."""

    status: Status
    status_id: str | None = None
    confidence: Confidence | None = None
    category_id: str | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """Who sent an idea in over the board."""

    person_id: str
    name: str | None = None


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
            raise conflict(
                Sentence(
                    "Another idea has the id %(id)r; leave the id out, or change that idea with PATCH.", id=feature_id
                )
            )
        return idea, False
    named = replace(_with(idea, content), created_at=tx.now)
    return await _move(tx, named, status, released_at, note=None), True


async def send_in(
    tx: Transaction, content: Content, author: Author, *, category_id: str | None = None, publish: bool
) -> Idea:
    """Take an idea of somebody at the board; others see and hear of it once it is published.

    Raises Problem for a category that does not exist.
    """
    await _check_category(tx, category_id)
    feature_id = str(uuid4())
    await store.ensure_ideas(tx.connection, [feature_id], tx.now)
    idea = (await store.lock_ideas(tx.connection, [feature_id]))[feature_id]
    sent = replace(
        _with(idea, content),
        visibility="pending",
        category_id=category_id,
        author_id=author.person_id,
        author_name=author.name,
    )
    await store.save_idea(tx.connection, sent)
    return await show(tx, sent, "published") if publish else sent


async def show(tx: Transaction, idea: Idea, visibility: Visibility) -> Idea:
    """Put a locked idea on the board or take it off; others hear of it when it is first published."""
    if visibility == idea.visibility:
        return idea
    shown = replace(idea, visibility=visibility)
    if visibility == "published" and not idea.named:
        return await _move(tx, shown, shown.status, None, note=None)
    await store.save_idea(tx.connection, shown)
    await mark_due(tx, [idea.feature_id])
    return shown


async def edit(tx: Transaction, idea: Idea, content: Content) -> Idea:
    """Change what a locked idea says; naming an unnamed one puts it on the board."""
    if not idea.named and idea.visibility == "published":
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
    tx: Transaction,
    idea: Idea,
    status: Status,
    *,
    released_at: datetime | None = None,
    note: str | None = None,
    by: str | None = None,
) -> Idea:
    """Move a locked idea to a status and tell others; moving it where it is changes nothing.

    `note` is the official answer, `by` who gives it. An own status of another type is left behind.
    """
    if idea.merged_into is not None:
        raise conflict(
            Sentence("The idea is merged into %(id)r; move that one, or undo the merge first.", id=idea.merged_into)
        )
    if not idea.named:
        raise conflict(
            Sentence("Nobody has named the idea %(id)r yet; give it a title before it moves.", id=idea.feature_id)
        )
    if note != idea.status_note:
        idea = replace(idea, answered_by=by if note else None, answered_at=tx.now if note else None)
    if status != idea.status:
        idea = replace(idea, status_id=None)
    return await _move(tx, idea, status, released_at, note)


async def place(tx: Transaction, idea: Idea, given: Place) -> Idea:
    """Put a locked idea into one of the company's statuses; others hear of it when its type changes.

    Raises Problem for a status that does not exist or is of another type, and for an unknown category.
    """
    await _check_category(tx, given.category_id)
    try:
        status_id = fitting(given.status_id, given.status, await store.statuses(tx.connection))
    except ValueError as wrong:
        raise unprocessable(wrong.args[0]) from None
    if given.status != idea.status:
        idea = await move(tx, idea, given.status, note=idea.status_note)
    placed = replace(idea, status_id=status_id, confidence=given.confidence, category_id=given.category_id)
    if placed != idea:
        await store.save_idea(tx.connection, placed)
    return placed


async def locked(tx: Transaction, feature_id: str) -> Idea:
    """The idea, which nobody else changes until the end of the transaction.

    Raises Problem when there is none.
    """
    ideas = await store.lock_ideas(tx.connection, [feature_id])
    if feature_id not in ideas:
        raise not_found(marked("idea"), feature_id)
    return ideas[feature_id]


async def _move(tx: Transaction, idea: Idea, status: Status, released_at: datetime | None, note: str | None) -> Idea:
    try:
        after = moved(idea, status, released_at=released_at, note=note, now=tx.now)
    except ValueError as wrong:
        raise unprocessable(wrong.args[0]) from None
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


async def _check_category(tx: Transaction, category_id: str | None) -> None:
    known = [category.category_id for category in await store.categories(tx.connection)] if category_id else []
    if category_id is not None and category_id not in known:
        there = ", ".join(known) or Sentence("none yet")
        raise unprocessable(Sentence("There is no category %(id)r; there are: %(known)s.", id=category_id, known=there))
