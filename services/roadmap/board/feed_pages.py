"""Feeds of the changelog, of the board and of one idea."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from services.roadmap import store
from services.roadmap.board import discussing
from services.roadmap.board.comments import threads
from services.roadmap.board.feeds import MEDIA_TYPE, Item, atom
from services.roadmap.ideas import STATUSES
from shared.contract.types import Id
from shared.runtime import Tx
from shared.ui.markdown import rendered
from shared.ui.words import _

router = APIRouter(include_in_schema=False)

NEWEST = 50
NEVER = datetime(2026, 1, 1, tzinfo=UTC)


@router.get("/feeds/changelog")
async def changelog_feed(request: Request, tx: Tx) -> Response:
    entries = await store.entries(tx.connection, drafts=False, limit=NEWEST)
    items = [
        Item(
            address=_address(request, f"/changelog/{entry.entry_id}"),
            title=entry.title,
            html=await rendered(entry.body),
            published_at=entry.published_at or entry.created_at,
            updated_at=entry.updated_at,
        )
        for entry in entries
    ]
    return _feed(request, _("What is new"), "/changelog", items)


@router.get("/feeds/board")
async def board_feed(request: Request, tx: Tx) -> Response:
    """The newest ideas; an entry changes when its idea moves."""
    newest = await store.board(tx.connection, store.Chosen(), STATUSES, "new", NEWEST, 0)
    items = [
        Item(
            address=_address(request, f"/board/{listed.idea.feature_id}"),
            title=listed.idea.title,
            html=await rendered(listed.idea.description),
            published_at=listed.idea.created_at,
            updated_at=max(listed.idea.created_at, listed.idea.status_changed_at),
            author=listed.idea.author_name,
        )
        for listed in newest
    ]
    return _feed(request, _("New ideas"), "/board", items)


@router.get("/feeds/ideas/{feature_id}")
async def idea_feed(request: Request, feature_id: Id, tx: Tx) -> Response:
    """The comments on one idea, the newest first."""
    idea = await discussing.commented(tx, feature_id)
    page = _address(request, f"/board/{idea.feature_id}")
    found = threads(await store.comments_on(tx.connection, idea.feature_id))
    flat = [thread.comment for top in found for thread in (top, *top.answers) if thread.comment.deleted_at is None]
    flat.sort(key=lambda comment: comment.created_at, reverse=True)
    items = [
        Item(
            address=f"{page}#comment-{comment.comment_id}",
            title=_("Comment by %(name)s", name=comment.author_name) if comment.author_name else _("Comment"),
            html=await rendered(comment.body),
            published_at=comment.created_at,
            updated_at=comment.edited_at or comment.created_at,
            author=comment.author_name,
        )
        for comment in flat[:NEWEST]
    ]
    if idea.status_note:
        told = idea.answered_at or idea.status_changed_at
        answer = Item(f"{page}#answer", _("Our answer"), await rendered(idea.status_note), told, told)
        items.insert(0, answer)
    return _feed(request, idea.title, f"/board/{idea.feature_id}", items)


def _feed(request: Request, title: str, page: str, items: list[Item]) -> Response:
    company = str(getattr(request.app.state, "company", "Earshot"))
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    content = atom(
        title=f"{title} · {company}",
        author=company,
        page=_address(request, page),
        feed=_address(request, path),
        items=items,
        since=NEVER,
    )
    return Response(content, media_type=MEDIA_TYPE, headers={"Cache-Control": "public, max-age=300"})


def _address(request: Request, path: str) -> str:
    """As readers reach it, since feeds are read outside of any page."""
    public_url = str(getattr(request.app.state, "public_url", "")).rstrip("/")
    return f"{public_url}/roadmap{path}"
