"""The endpoints of comments."""

from collections.abc import Sequence
from hashlib import sha256

from fastapi import APIRouter, Response

from services.roadmap import store
from services.roadmap.api.bodies import CommentAnswer, NewComment
from services.roadmap.api.lookup import idea_of
from services.roadmap.board import discussing
from services.roadmap.people.visitors import Visitor
from shared.contract.types import Id
from shared.runtime import NoteTaker, Tx, Viewer, conflict, known_already

router = APIRouter(prefix="/api/v1", tags=["comments"])


@router.get("/ideas/{feature_id}/comments", summary="What people say about an idea and those merged into it")
async def list_comments(feature_id: Id, tx: Tx, _who: Viewer) -> Sequence[CommentAnswer]:
    await idea_of(tx.connection, feature_id)
    found = await store.comments_on(tx.connection, feature_id)
    return [CommentAnswer.model_validate(comment) for comment in found]


@router.post(
    "/ideas/{feature_id}/comments",
    summary="Comment as the team",
    status_code=201,
    responses=known_already(CommentAnswer),
)
async def add_comment(feature_id: Id, body: NewComment, response: Response, tx: Tx, who: NoteTaker) -> CommentAnswer:
    await discussing.meet(tx, who)
    author = Visitor(f"team-{sha256(who.subject.encode()).hexdigest()[:32]}", "team", name=who.shown, trust="trusted")
    there = await store.hold_comment(tx.connection, body.comment_id) if body.comment_id else None
    if there is not None:
        if (there.body, there.author_id, there.parent_id) != (body.body, author.voter_id, body.parent_id):
            raise conflict(f"Another comment has the id {body.comment_id!r}; leave the id out.")
        response.status_code = 200
        return CommentAnswer.model_validate(there)
    comment = await discussing.write(
        tx,
        feature_id,
        body.body,
        author,
        comment_id=body.comment_id,
        parent_id=body.parent_id,
        official=body.official,
    )
    return CommentAnswer.model_validate(comment)
