"""The public board: what is asked for, planned and shipped, and a vote for everybody."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from services.roadmap import store
from services.roadmap.board import finding, idea_page
from services.roadmap.board.statuses import COLUMNS
from services.roadmap.ideas import STATUSES, Status
from services.roadmap.people import arrivals
from services.roadmap.people.abuse import guard
from services.roadmap.people.visitors import known_visitor, new_visitor, recognise
from services.roadmap.store import Sort
from services.roadmap.templates import templates
from shared.contract.types import Id, Line
from shared.runtime import Tx, not_found, unprocessable
from shared.ui import parse_form, redirect
from shared.ui.words import _

router = APIRouter(include_in_schema=False, dependencies=[Depends(recognise), Depends(guard)])

Stage = Literal["now", "next", "later", "shipped", "all"]
STAGES: dict[Stage, tuple[Status, ...]] = {
    "now": COLUMNS["now"],
    "next": COLUMNS["next"],
    "later": COLUMNS["later"],
    "shipped": COLUMNS["shipped"],
    "all": STATUSES,
}
PAGE_SIZE = 50
IN_A_COLUMN = 12


class Filters(BaseModel):
    """What the board shows; its address is the query."""

    stage: Stage = "all"
    q: Annotated[str, Field(max_length=200)] = ""
    category: Annotated[str, Field(max_length=300)] = ""
    sort: Sort = "votes"
    view: Literal["list", "columns"] = "list"
    page: Annotated[int, Field(ge=1, le=10_000)] = 1

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
    chosen = await finding.chosen(tx.connection, filters.q, filters.category or None)
    counts = await store.count_by_status(tx.connection, chosen)
    totals = {stage: sum(counts.get(status, 0) for status in statuses) for stage, statuses in STAGES.items()}
    visitor = known_visitor(request)
    surroundings: dict[str, Any] = {
        "filters": filters,
        "totals": totals,
        "mine": await store.voted_for(tx.connection, visitor.voter_id) if visitor else set(),
        "here": filters.address(page=filters.page),
        "categories": await store.categories(tx.connection),
        "statuses": await store.statuses(tx.connection),
    }
    if filters.view == "columns":
        columns = await store.board_columns(tx.connection, chosen, IN_A_COLUMN)
        return templates.render(request, "board_columns.html", columns=columns, **surroundings)
    ideas = await store.board(
        tx.connection,
        chosen,
        STAGES[filters.stage],
        filters.sort,
        limit=PAGE_SIZE,
        offset=(filters.page - 1) * PAGE_SIZE,
    )
    pages = -(-totals[filters.stage] // PAGE_SIZE)
    return templates.render(request, "board.html", ideas=ideas, pages=pages, **surroundings)


@router.get("/board/{feature_id}")
async def show_idea(
    request: Request, feature_id: Id, tx: Tx, merged: Annotated[Id | None, Query(alias="from")] = None
) -> Response:
    idea = await store.find_idea(tx.connection, feature_id)
    if idea is None or not idea.public:
        raise not_found("idea", feature_id)
    if idea.merged_into is not None:
        # Not for ever: a merge can be undone.
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/board/{idea.merged_into}?{urlencode({'from': feature_id})}", status_code=302)
    return await idea_page.render(request, tx, idea, came_from=merged)


@router.post("/board/{feature_id}/vote")
async def vote(request: Request, feature_id: Id, tx: Tx) -> Response:
    form, errors = parse_form(VoteForm, await request.form())
    if form is None:
        raise unprocessable(
            " ".join([f"{errors[0].label}: {errors[0].message}", _("Go back to the board and vote there.")])
        )
    visitor = known_visitor(request) or new_visitor()
    counted = await arrivals.vote(tx, request, feature_id, visitor, form.vote, by="board")
    said = {
        ("up", True): _("Thank you, your vote counts."),
        ("up", False): _("Thank you. Your vote counts as soon as you sign in; it takes one mail."),
    }.get((form.vote, visitor.is_known), _("Your vote is taken back."))
    response = redirect(request, _back(form.back, counted.feature_id), said)
    visitor.remember(request, response)
    return response


def _back(path: str, feature_id: str) -> str:
    """Where the vote was given, at the idea's place; the board itself for any other address."""
    if path == f"/board/{feature_id}":
        return path
    return f"{path if path.startswith('/board?') else '/board'}#idea-{feature_id}"
