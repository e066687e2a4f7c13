"""What people do with comments: write, change, delete, react, pin."""

from dataclasses import replace
from uuid import uuid4

from services.roadmap import store
from services.roadmap.board.comments import Comment, Reaction, handle_of, may_change, mentioned
from services.roadmap.ideas import Idea, Visibility
from services.roadmap.people.visitors import Visitor
from shared.runtime import Principal, Transaction, conflict, not_found
from shared.runtime.errors import Problem
from shared.ui.sentences import Sentence
from shared.ui.words import marked


async def write(
    tx: Transaction,
    feature_id: str,
    body: str,
    author: Visitor,
    *,
    comment_id: str | None = None,
    parent_id: str | None = None,
    name: str | None = None,
    official: bool = False,
) -> Comment:
    """Add a comment; one of somebody the team does not know yet waits until it is published.

    On an idea that is merged into another it is written there. `name` is what somebody without one calls themselves.
    Raises Problem when the idea is not on the board or the comment answers none that is there.
    """
    idea = await commented(tx, feature_id)
    if parent_id is not None:
        await _answered(tx, idea, parent_id)
    comment = Comment(
        comment_id=comment_id or str(uuid4()),
        feature_id=idea.feature_id,
        parent_id=parent_id,
        author_id=author.voter_id,
        author_kind=author.kind,
        author_name=author.name or name,
        body=body,
        official=official and author.kind == "team",
        pinned=False,
        visibility="published" if author.publishes else "pending",
        created_at=tx.now,
    )
    await _save(tx, comment)
    return comment


async def change(tx: Transaction, comment_id: str, body: str, author: Visitor | None) -> Comment:
    """Replace the words of one's own comment; new words wait for a moderator as a new comment would.

    Raises Problem when there is no such comment or it is somebody else's.
    """
    comment = await _own(tx, comment_id, author.voter_id if author else None)
    if author is None or body == comment.body:
        return comment
    visibility: Visibility = "published" if author.publishes else "pending"
    changed = replace(comment, body=body, edited_at=tx.now, visibility=visibility)
    await _save(tx, changed)
    return changed


async def delete(tx: Transaction, comment_id: str, person_id: str | None) -> Comment:
    """Take back one's own comment; its answers stay.

    Raises Problem when there is no such comment or it is somebody else's.
    """
    deleted = replace(await _own(tx, comment_id, person_id), body="", deleted_at=tx.now, pinned=False)
    await _save(tx, deleted)
    return deleted


async def react(tx: Transaction, comment_id: str, person_id: str, kind: Reaction, *, wanted: bool) -> Comment:
    """Leave a reaction at a comment, or take it back."""
    comment = await _readable(tx, comment_id)
    await store.react(tx.connection, comment_id, person_id, kind, wanted=wanted)
    return comment


async def pin(tx: Transaction, comment_id: str, *, pinned: bool) -> Comment:
    """Show a comment before the others, or where it was."""
    changed = replace(await _readable(tx, comment_id), pinned=pinned)
    await store.save_comment(tx.connection, changed)
    return changed


async def meet(tx: Transaction, colleague: Principal) -> str:
    """The handle that a colleague is mentioned by."""
    return await store.know_colleague(tx.connection, colleague.subject, handle_of(colleague.shown), colleague.shown)


async def commented(tx: Transaction, feature_id: str) -> Idea:
    """The idea whose page shows what is said about this one.

    Raises Problem when it is not on the board.
    """
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is not None and idea.merged_into is not None:
        idea = await store.find_idea(tx.connection, idea.merged_into)
    if idea is None or not idea.public:
        raise not_found("idea", feature_id)
    return idea


async def _answered(tx: Transaction, idea: Idea, parent_id: str) -> None:
    parent = await _readable(tx, parent_id)
    if (await commented(tx, parent.feature_id)).feature_id != idea.feature_id:
        raise conflict(Sentence("The comment you answer is about another idea; answer it on that idea's page."))


async def _readable(tx: Transaction, comment_id: str) -> Comment:
    comment = await store.hold_comment(tx.connection, comment_id)
    if comment is None or comment.visibility != "published" or comment.deleted_at is not None:
        raise not_found(marked("comment"), comment_id)
    return comment


async def _own(tx: Transaction, comment_id: str, person_id: str | None) -> Comment:
    comment = await store.hold_comment(tx.connection, comment_id)
    if comment is None or comment.deleted_at is not None or comment.visibility not in {"published", "pending"}:
        raise not_found(marked("comment"), comment_id)
    if not may_change(comment, person_id):
        raise Problem(
            403,
            Sentence("Not yours"),
            Sentence("Only who wrote a comment can change or delete it; sign in as that person."),
        )
    return comment


async def _save(tx: Transaction, comment: Comment) -> None:
    await store.save_comment(tx.connection, comment)
    known = list(await store.colleagues(tx.connection)) if "@" in comment.body else []
    await store.keep_mentions(tx.connection, comment.comment_id, mentioned(comment.body, known))
