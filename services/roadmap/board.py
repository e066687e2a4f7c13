"""The public board: what is asked for, planned and shipped, and a vote for everybody."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.roadmap import store, voting
from services.roadmap.ideas import STATUSES, Status
from services.roadmap.store import Sort
from services.roadmap.templates import templates
from services.roadmap.visitors import known_visitor, new_visitor
from shared.contract.events import FeatureVoted
from shared.contract.types import Id, Line
from shared.runtime import Tx, not_found, unprocessable
from shared.ui import parse_form, redirect

router = APIRouter(include_in_schema=False)

Stage = Literal["now", "next", "later", "shipped", "all"]
STAGES: dict[Stage, tuple[Status, ...]] = {
    "now": ("now",),
    "next": ("planned",),
    "later": ("new", "considered"),
    "shipped": ("shipped",),
    "all": STATUSES,
}
PAGE_SIZE = 50


class Filters(BaseModel):
    """What the board shows; its address is the query."""

    stage: Stage = "all"
    q: Annotated[str, Field(max_length=200)] = ""
    sort: Sort = "votes"
    page: Annotated[int, Field(ge=1, le=10_000)] = 1

    @property
    def words(self) -> list[str]:
        return self.q.replace("\x00", " ").lower().split()

    def address(self, **changes: object) -> str:
        """The board with some of these changed; another selection begins at its first page."""
        chosen = self.model_dump() | {"page": 1} | changes
        defaults = Filters().model_dump()
        query = urlencode({name: value for name, value in chosen.items() if value != defaults[name]})
        return f"/board?{query}" if query else "/board"


class VoteForm(BaseModel):
    vote: Literal["up", "withdrawn"]
    back: Line = "/board"


@router.get("/board")
async def show_board(request: Request, filters: Annotated[Filters, Query()], tx: Tx) -> Response:
    counts = await store.count_by_status(tx.connection, filters.words)
    totals = {stage: sum(counts.get(status, 0) for status in statuses) for stage, statuses in STAGES.items()}
    ideas = await store.board(
        tx.connection,
        STAGES[filters.stage],
        filters.words,
        filters.sort,
        limit=PAGE_SIZE,
        offset=(filters.page - 1) * PAGE_SIZE,
    )
    visitor = known_visitor(request)
    return templates.render(
        request,
        "board.html",
        filters=filters,
        totals=totals,
        ideas=ideas,
        mine=await store.voted_for(tx.connection, visitor.voter_id) if visitor else set(),
        here=filters.address(page=filters.page),
        pages=-(-totals[filters.stage] // PAGE_SIZE),
    )


@router.get("/board/{feature_id}")
async def show_idea(request: Request, feature_id: Id, tx: Tx) -> Response:
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is None or not idea.named:
        raise not_found("idea", feature_id)
    visitor = known_visitor(request)
    return templates.render(
        request,
        "board_idea.html",
        idea=idea,
        mine=await store.voted_for(tx.connection, visitor.voter_id) if visitor else set(),
        impacts=await store.impacts(tx.connection, feature_id),
        here=f"/board/{feature_id}",
    )


@router.post("/board/{feature_id}/vote")
async def vote(request: Request, feature_id: Id, tx: Tx) -> Response:
    form, errors = parse_form(VoteForm, await request.form())
    if form is None:
        raise unprocessable(f"{errors[0].label}: {errors[0].message} Go back to the board and vote there.")
    visitor = known_visitor(request) or new_visitor()
    await voting.cast_vote(
        tx,
        FeatureVoted(
            feature_id=feature_id,
            voter_id=visitor.voter_id,
            voter_kind=visitor.kind,
            vote=form.vote,
            voted_at=tx.now,
            channel="board",
        ),
    )
    said = "Thank you, your vote counts." if form.vote == "up" else "Your vote is taken back."
    response = redirect(request, _back(form.back, feature_id), said)
    visitor.remember(request, response)
    return response


def _back(path: str, feature_id: str) -> str:
    """Where the vote was given, at the idea's place; the board itself for any other address."""
    if path == f"/board/{feature_id}":
        return path
    return f"{path if path.startswith('/board?') else '/board'}#idea-{feature_id}"
