"""The JSON endpoints: ideas and their priorities, votes, and the customer base."""

from collections.abc import Sequence
from typing import Literal
from uuid import uuid4

from fastapi import APIRouter, Response

from services.roadmap import editing, store, voting
from services.roadmap.ideas import Idea, Status
from services.roadmap.population import replace_population
from services.roadmap.prioritise import audience, explain, ranking
from services.roadmap.schemas import (
    CellAnswer,
    IdeaAnswer,
    IdeaChanges,
    NewIdea,
    NewPopulation,
    NewVote,
    PopulationAnswer,
    PopulationCellAnswer,
    PriorityAnswer,
    StatusChange,
    SummaryAnswer,
    VoteAnswer,
    idea_answer,
)
from services.roadmap.segments import cell_of, parts_of
from shared.contract.events import FeatureVoted
from shared.contract.types import Id
from shared.runtime import (
    Connection,
    Limit,
    Manager,
    NoteTaker,
    Researcher,
    Tx,
    Viewer,
    conflict,
    known_already,
    not_found,
)

router = APIRouter(prefix="/api/v1")


@router.get("/ideas", tags=["ideas"], summary="Ideas, by priority unless asked otherwise")
async def list_ideas(
    tx: Tx,
    _who: Viewer,
    status: Status | None = None,
    sort: Literal["priority", "votes", "new"] = "priority",
    limit: Limit = 100,
) -> Sequence[IdeaAnswer]:
    ideas = await store.all_ideas(tx.connection)
    ranked = await ranking(tx.connection)
    found = [idea_answer(ideas[given.feature_id], priority.score) for given, priority in ranked]
    if sort == "votes":
        found.sort(key=lambda idea: -idea.votes)
    elif sort == "new":
        found.sort(key=lambda idea: idea.created_at, reverse=True)
    return [idea for idea in found if status in {None, idea.status}][:limit]


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
async def move_idea(feature_id: Id, body: StatusChange, tx: Tx, _who: Manager) -> IdeaAnswer:
    idea = await editing.locked(tx, feature_id)
    await editing.move(tx, idea, body.status, released_at=body.released_at, note=body.note)
    return await _answer(tx.connection, feature_id)


@router.get("/ideas/{feature_id}/priority", tags=["ideas"], summary="An idea's priority, term by term")
async def read_priority(feature_id: Id, tx: Tx, _who: Viewer) -> PriorityAnswer:
    await _exists(tx.connection, feature_id)
    inputs, found = await explain(tx.connection, feature_id)
    return PriorityAnswer(
        feature_id=feature_id,
        score=found.score,
        published_version=inputs.published.version if inputs.published else 0,
        raw_votes=found.raw_votes,
        cells=tuple(CellAnswer.model_validate(row) for row in found.rows),
        share=found.share,
        share_low=found.interval[0],
        share_high=found.interval[1],
        effective_sample_size=found.n_eff,
        population=found.population,
        covered_share=found.covered_share,
        weighted=found.weighted,
        conservative_reach=found.conservative_reach,
        impact=found.impact,
        kpi_factor=found.kpi_factor,
        effort_weeks=found.effort_weeks,
        effort_assumed=found.effort_assumed,
        mean_support=found.mean_support,
        formula=found.formula_version,
    )


@router.post("/ideas/{feature_id}/votes", tags=["votes"], summary="Count a person's vote, or take it back")
async def vote(feature_id: Id, body: NewVote, tx: Tx, _who: NoteTaker) -> VoteAnswer:
    cast = FeatureVoted(
        feature_id=feature_id,
        voter_id=body.voter_id,
        voter_kind=body.voter_kind,
        vote=body.vote,
        voted_at=body.voted_at or tx.now,
        channel=body.channel,
        on_behalf=body.on_behalf,
        segment=body.segment,
    )
    counted = await voting.cast_vote(tx, cast, dated=body.voted_at is not None)
    idea = await _exists(tx.connection, feature_id)
    return VoteAnswer(
        feature_id=feature_id,
        voter_id=counted.voter_id,
        vote=counted.vote,
        voted_at=counted.voted_at,
        votes=idea.supporters,
    )


@router.get("/ideas/{feature_id}/votes/summary", tags=["votes"], summary="Who stands behind an idea")
async def read_votes(feature_id: Id, tx: Tx, _who: Viewer) -> SummaryAnswer:
    idea = await _exists(tx.connection, feature_id)
    found = await store.vote_summary(tx.connection, feature_id)
    return SummaryAnswer(
        feature_id=feature_id,
        supporters=idea.supporters,
        up=found.up,
        withdrawn=found.withdrawn,
        on_behalf=found.on_behalf,
        interviewed=found.interviewed,
        by_kind=found.by_kind,
        by_channel=found.by_channel,
    )


@router.get("/population", tags=["population"], summary="The customer base against those who took part")
async def read_population(tx: Tx, _who: Viewer) -> PopulationAnswer:
    return await _population(tx.connection)


@router.put("/population", tags=["population"], summary="Say what the whole customer base looks like")
async def write_population(body: NewPopulation, tx: Tx, _who: Manager) -> PopulationAnswer:
    await replace_population(tx, [(cell_of(cell.model_dump()), cell.customers) for cell in body.cells])
    return await _population(tx.connection)


async def _exists(connection: Connection, feature_id: str) -> Idea:
    idea = await store.find_idea(connection, feature_id)
    if idea is None:
        raise not_found("idea", feature_id)
    return idea


async def _answer(connection: Connection, feature_id: str) -> IdeaAnswer:
    idea = await _exists(connection, feature_id)
    _, found = await explain(connection, feature_id)
    return idea_answer(idea, found.score)


async def _population(connection: Connection) -> PopulationAnswer:
    everybody = await audience(connection)
    customers = await store.population(connection)
    return PopulationAnswer(
        weighted=everybody.weighted,
        customers=sum(customers.values()),
        active=everybody.active,
        covered_share=everybody.covered_share,
        effective_sample_size=everybody.n_eff,
        cells=tuple(
            PopulationCellAnswer(
                cell=name,
                **parts_of(name),
                customers=customers.get(name, 0.0),
                active=cell.active,
                weight=cell.weight,
            )
            for name, cell in everybody.cells.items()
        ),
    )
