"""The endpoints of votes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends

from services.roadmap import store
from services.roadmap.api.lookup import idea_of
from services.roadmap.casting import Ballot, cast_votes
from services.roadmap.schemas import NewVote, SummaryAnswer, VoteAnswer
from services.roadmap.store.casting import supporters_of
from shared.contract.events import FeatureVoted
from shared.contract.types import Id
from shared.runtime import NoteTaker, Now, Problem, Transaction, Tx, Viewer
from shared.runtime.database import Cause
from shared.runtime.direct import Direct
from shared.runtime.telemetry import trace_headers
from shared.runtime.together import Together

router = APIRouter(prefix="/api/v1")
many = APIRouter(prefix="/api/v1", route_class=Direct)


async def _count(tx: Transaction, ballots: Sequence[Ballot]) -> list[VoteAnswer | Problem]:
    counted = await cast_votes(tx, ballots)
    supporters = await supporters_of(
        tx.connection, {vote.feature_id for vote in counted if not isinstance(vote, Problem)}
    )
    return [
        vote
        if isinstance(vote, Problem)
        else VoteAnswer(
            feature_id=vote.feature_id,
            voter_id=vote.voter_id,
            vote=vote.vote,
            voted_at=vote.voted_at,
            votes=supporters[vote.feature_id],
        )
        for vote in counted
    ]


Cast = Annotated[Callable[[Ballot], Awaitable[VoteAnswer]], Depends(Together(_count))]


@many.post("/ideas/{feature_id}/votes", tags=["votes"], summary="Count a person's vote, or take it back")
async def vote(feature_id: Id, body: NewVote, now: Now, cast: Cast, _who: NoteTaker) -> VoteAnswer:
    given = FeatureVoted(
        feature_id=feature_id,
        voter_id=body.voter_id,
        voter_kind=body.voter_kind,
        vote=body.vote,
        voted_at=body.voted_at or now,
        channel=body.channel,
        on_behalf=body.on_behalf,
        segment=body.segment,
    )
    cause = Cause(trace=trace_headers().get("traceparent"))
    return await cast(Ballot(given, dated=body.voted_at is not None, cause=cause))


@router.get("/ideas/{feature_id}/votes/summary", tags=["votes"], summary="Who stands behind an idea")
async def read_votes(feature_id: Id, tx: Tx, _who: Viewer) -> SummaryAnswer:
    idea = await idea_of(tx.connection, feature_id)
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
