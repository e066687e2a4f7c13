"""The public page of one idea: its text, the team's answer, what people say, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request, Response
from markupsafe import Markup

from services.roadmap import store
from services.roadmap.board.comments import REACTIONS, Comment, Thread, may_change, threads
from services.roadmap.ideas import Idea
from services.roadmap.people.visitors import Visitor, known_visitor
from services.roadmap.store import anonymous, subscriptions
from services.roadmap.templates import templates
from shared.runtime import Transaction
from shared.ui import FieldError
from shared.ui.markdown import rendered

UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Shown:
    """A comment as this reader sees it."""

    comment: Comment
    html: Markup
    counts: Mapping[str, int]
    mine: frozenset[str]
    is_own: bool
    origin: str | None
    """The title of the merged idea that it was written on."""


async def render(
    request: Request,
    tx: Transaction,
    idea: Idea,
    *,
    came_from: str | None = None,
    form: Mapping[str, object] | None = None,
    errors: Sequence[FieldError] = (),
    preview: Markup | None = None,
) -> Response:
    """The page; `form` and `errors` are those of a comment that was not taken, `preview` what it would look like."""
    visitor = known_visitor(request)
    members = {member.feature_id: member for member in await store.merged_into(tx.connection, idea.feature_id)}
    found = threads(await store.comments_on(tx.connection, idea.feature_id), visitor.voter_id if visitor else None)
    categories = {category.category_id: category for category in await store.categories(tx.connection)}
    return templates.render(
        request,
        "board_idea.html",
        status=UNPROCESSABLE if errors else 200,
        idea=idea,
        description=await rendered(idea.description),
        answer=await rendered(idea.status_note) if idea.status_note else None,
        category=categories.get(idea.category_id or ""),
        statuses=await store.statuses(tx.connection),
        members=list(members.values()),
        came_from=members.get(came_from or ""),
        threads=await _shown(tx, found, members, visitor),
        reactions=REACTIONS,
        entries=await store.entries_about(tx.connection, idea.feature_id),
        impacts=await store.impacts(tx.connection, idea.feature_id),
        mine=await store.voted_for(tx.connection, visitor.voter_id) if visitor else set(),
        visitor=visitor,
        follows=visitor is not None
        and visitor.session is not None
        and await subscriptions.follows(tx.connection, idea.feature_id, visitor.voter_id),
        unconfirmed=(await anonymous.count_anonymous(tx.connection, [idea.feature_id])).get(idea.feature_id, 0),
        here=f"/board/{idea.feature_id}",
        form=form or {},
        errors=errors,
        preview=preview,
    )


async def _shown(
    tx: Transaction, found: Sequence[Thread], members: Mapping[str, Idea], visitor: Visitor | None
) -> list[tuple[Shown, list[Shown]]]:
    flat = [thread.comment for top in found for thread in (top, *top.answers)]
    ids = [comment.comment_id for comment in flat]
    counts = await store.reactions(tx.connection, ids)
    mine = await store.reacted(tx.connection, ids, visitor.voter_id) if visitor else set()
    seen = {
        comment.comment_id: Shown(
            comment=comment,
            html=await rendered(comment.body),
            counts=counts.get(comment.comment_id, {}),
            mine=frozenset(kind for comment_id, kind in mine if comment_id == comment.comment_id),
            is_own=may_change(comment, visitor.voter_id if visitor else None),
            origin=members[comment.feature_id].title if comment.feature_id in members else None,
        )
        for comment in flat
    }
    return [
        (seen[top.comment.comment_id], [seen[answer.comment.comment_id] for answer in top.answers]) for top in found
    ]
