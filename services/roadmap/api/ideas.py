"""The endpoints of ideas."""

from collections.abc import Sequence
from typing import Literal
from uuid import uuid4

from fastapi import APIRouter, Response

from services.roadmap import store
from services.roadmap.api.bodies import NewPlace
from services.roadmap.api.lookup import idea_of
from services.roadmap.board import editing
from services.roadmap.ideas import STATUSES, Status
from services.roadmap.priority.prioritise import explain
from services.roadmap.priority.ranking import Ranked
from services.roadmap.priority.standings import CREATED, SUPPORTERS
from services.roadmap.schemas import IdeaAnswer, IdeaChanges, NewIdea, StatusChange, idea_answer
from shared.contract.types import Id
from shared.runtime import Connection, Limit, Manager, Researcher, Tx, Viewer, conflict, known_already

router = APIRouter(prefix="/api/v1")


@router.get("/ideas", tags=["ideas"], summary="Ideas, by priority unless asked otherwise")
async def list_ideas(
    tx: Tx,
    ranked: Ranked,
    _who: Viewer,
    status: Status | None = None,
    sort: Literal["priority", "votes", "new"] = "priority",
    limit: Limit = 100,
) -> Sequence[IdeaAnswer]:
    ranking = await ranked.ranking(tx.connection)
    facts = ranking.standings.facts
    keys = {"priority": ranking.terms.score, "votes": facts[:, SUPPORTERS], "new": facts[:, CREATED]}
    rows = ranking.ordered(keys[sort], STATUSES if status is None else (status,))[:limit]
    ideas = await store.read_ideas(tx.connection, ranking.ids(rows))
    return [idea_answer(ideas[ranking.standings.ids[row]], float(ranking.terms.score[row])) for row in rows]


@router.post("/ideas", tags=["ideas"], summary="Add an idea", status_code=201, responses=known_already(IdeaAnswer))
async def add_idea(body: NewIdea, response: Response, tx: Tx, _who: Researcher) -> IdeaAnswer:
    content = editing.Content(body.title, body.description or "", body.effort_weeks, body.kpi_ids)
    idea, is_new = await editing.create(
        tx, body.feature_id or str(uuid4()), content, body.status, released_at=body.released_at
    )
    if not is_new:
        response.status_code = 200
    return await _answer(tx.connection, idea.feature_id)


@router.get("/ideas/{feature_id}", tags=["ideas"], summary="One idea")
async def read_idea(feature_id: Id, tx: Tx, _who: Viewer) -> IdeaAnswer:
    return await _answer(tx.connection, feature_id)


@router.patch("/ideas/{feature_id}", tags=["ideas"], summary="Change what an idea says or would take")
async def change_idea(feature_id: Id, body: IdeaChanges, tx: Tx, _who: Researcher) -> IdeaAnswer:
    idea = await editing.locked(tx, feature_id)
    if not idea.named and body.title is None:
        raise conflict(f"Nobody has named the idea {feature_id!r} yet; give it a title first.")
    given = body.model_fields_set
    content = editing.Content(
        title=body.title or idea.title,
        description=body.description or "" if "description" in given else idea.description,
        effort_weeks=body.effort_weeks if "effort_weeks" in given else idea.effort_weeks,
        kpi_ids=body.kpi_ids or () if "kpi_ids" in given else idea.kpi_ids,
    )
    await editing.edit(tx, idea, content)
    return await _answer(tx.connection, feature_id)


@router.post("/ideas/{feature_id}/status", tags=["ideas"], summary="Move an idea on the roadmap")
async def move_idea(feature_id: Id, body: StatusChange, tx: Tx, who: Manager) -> IdeaAnswer:
    idea = await editing.locked(tx, feature_id)
    await editing.move(tx, idea, body.status, released_at=body.released_at, note=body.note, by=who.shown)
    return await _answer(tx.connection, feature_id)


@router.put("/ideas/{feature_id}/place", tags=["ideas"], summary="Say where an idea stands on the board")
async def place_idea(feature_id: Id, body: NewPlace, tx: Tx, _who: Manager) -> IdeaAnswer:
    idea = await editing.locked(tx, feature_id)
    await editing.place(tx, idea, editing.Place(body.status, body.status_id, body.confidence, body.category_id))
    return await _answer(tx.connection, feature_id)


async def _answer(connection: Connection, feature_id: str) -> IdeaAnswer:
    idea = await idea_of(connection, feature_id)
    _, found = await explain(connection, feature_id)
    return idea_answer(idea, found.score)
