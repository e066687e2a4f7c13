"""The endpoints of priorities: where ideas stand by which formula, and why."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.roadmap import store
from services.roadmap.api.lookup import idea_of
from services.roadmap.api.priority_schemas import (
    CellAnswer,
    EstimatesAnswer,
    MoverAnswer,
    NewEstimates,
    PassingAnswer,
    PriorityAnswer,
    RankedAnswer,
    ReadingAnswer,
    TimesAnswer,
    WordAnswer,
)
from services.roadmap.ideas import STATUSES, Status
from services.roadmap.priority.estimating import keep_estimates
from services.roadmap.priority.lenses import LENSES, NOTHING, LensName, Reading
from services.roadmap.priority.ranking import Ranked
from services.roadmap.priority.standings import STATUS, SUPPORTERS
from services.roadmap.priority.why import OPEN, by_lens, explain
from shared.contract.types import Id
from shared.runtime import Limit, Manager, Tx, Viewer

router = APIRouter(prefix="/api/v1")

WORDS = 1000


@router.get("/ranking", tags=["priorities"], summary="Ideas in order, by the measured priority or another formula")
async def read_ranking(
    tx: Tx,
    ranked: Ranked,
    _who: Viewer,
    sort: Literal["priority"] | LensName = "priority",
    status: Status | None = None,
    limit: Limit = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Sequence[RankedAnswer]:
    ranking = await ranked.ranking(tx.connection)
    key = ranking.terms.score
    reading: Callable[[int], Reading] | None = None
    if sort != "priority":
        key, reading = await by_lens(tx.connection, ranking, sort, tx.now)
    rows = ranking.ordered(key, OPEN if status is None else (status,))[offset : offset + limit].tolist()
    facts, terms = ranking.standings.facts, ranking.terms
    return [
        RankedAnswer(
            rank=offset + place,
            feature_id=ranking.standings.ids[row],
            status=STATUSES[int(facts[row, STATUS])],
            score=float(terms.score[row]),
            share=float(terms.share[row]),
            share_low=float(terms.low[row]),
            votes=int(facts[row, SUPPORTERS]),
            value=reading(row).value if reading else float(terms.score[row]),
        )
        for place, row in enumerate(rows, start=1)
    ]


@router.get("/ideas/{feature_id}/priority", tags=["priorities"], summary="An idea's priority, term by term")
async def read_priority(feature_id: Id, tx: Tx, ranked: Ranked, _who: Viewer) -> PriorityAnswer:
    await idea_of(tx.connection, feature_id)
    why = await explain(tx, ranked, feature_id)
    found = why.priority
    return PriorityAnswer(
        feature_id=feature_id,
        score=found.score,
        published_version=why.given.published.version if why.given.published else 0,
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
        kpi_gap=why.given.idea.kpi_gap,
        kpi_factor=found.kpi_factor,
        effort_weeks=found.effort_weeks,
        effort_assumed=found.effort_assumed,
        mean_support=found.mean_support,
        formula=found.formula_version,
        rank=why.rank,
        unweighted_rank=why.unweighted_rank,
        unweighted_score=why.unweighted.score,
        unweighted_share=why.unweighted.share,
        ranked=why.ranked,
        moved_most_by=MoverAnswer.model_validate(why.mover) if why.mover else None,
        to_pass_the_next=PassingAnswer.model_validate(why.above) if why.above else None,
        words=tuple(WordAnswer.model_validate(word) for word in await store.evidence(tx.connection, feature_id, WORDS)),
        lenses={lens: ReadingAnswer.model_validate(why.readings[lens]) for lens in LENSES},
        as_of=tx.now,
        inputs_at=TimesAnswer.model_validate(why.times),
    )


@router.get("/ideas/{feature_id}/estimates", tags=["priorities"], summary="What people estimated of an idea")
async def read_estimates(feature_id: Id, tx: Tx, _who: Viewer) -> EstimatesAnswer:
    await idea_of(tx.connection, feature_id)
    given = (await store.estimates(tx.connection, [feature_id])).get(feature_id, NOTHING)
    return EstimatesAnswer.of(given, await store.estimates_changed(tx.connection, feature_id))


@router.put("/ideas/{feature_id}/estimates", tags=["priorities"], summary="Say what other formulas ask of an idea")
async def write_estimates(feature_id: Id, body: NewEstimates, tx: Tx, who: Manager) -> EstimatesAnswer:
    await keep_estimates(tx, feature_id, body.estimates, who.subject)
    return await read_estimates(feature_id, tx, who)
