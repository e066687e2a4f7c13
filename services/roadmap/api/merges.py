"""The endpoints of merges and of what looks alike."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.roadmap import store
from services.roadmap.api.bodies import LookalikeAnswer, MergeAnswer, NewMerge, SimilarAnswer
from services.roadmap.board import finding
from services.roadmap.merges import merging
from shared.contract.types import Id
from shared.runtime import Limit, Researcher, Tx, Viewer, known_already

router = APIRouter(prefix="/api/v1", tags=["merges"])


@router.get("/similar", summary="The ideas that say most nearly what a text begins to say")
async def similar(
    tx: Tx, _who: Viewer, text: Annotated[str, Query(min_length=1, max_length=1_000)]
) -> Sequence[SimilarAnswer]:
    return [SimilarAnswer.model_validate(idea) for idea in await finding.similar(tx.connection, text)]


@router.get("/merges", summary="What was merged and parted, the last first")
async def list_merges(tx: Tx, _who: Viewer, limit: Limit = 100) -> Sequence[MergeAnswer]:
    return [MergeAnswer.model_validate(told.merge) for told in await store.told_merges(tx.connection, limit)]


@router.post("/merges", summary="Have one idea stand for two", status_code=201, responses=known_already(MergeAnswer))
async def merge(body: NewMerge, response: Response, tx: Tx, who: Researcher) -> MergeAnswer:
    standing = await store.merges_around(tx.connection, [body.feature_id])
    for one in standing:
        if (one.feature_id, one.into_id, one.unmerged_at) == (body.feature_id, body.into_id, None):
            response.status_code = 200
            return MergeAnswer.model_validate(one)
    return MergeAnswer.model_validate(await merging.merge(tx, body.feature_id, body.into_id, who.shown))


@router.post("/merges/{merge_id}/undo", summary="Part two ideas again")
async def unmerge(merge_id: Id, tx: Tx, who: Researcher) -> MergeAnswer:
    return MergeAnswer.model_validate(await merging.unmerge(tx, merge_id, who.shown))


@router.get("/lookalikes", summary="Ideas that may be the same, which people decide")
async def list_lookalikes(tx: Tx, _who: Viewer, limit: Limit = 100) -> Sequence[LookalikeAnswer]:
    return [LookalikeAnswer.model_validate(pair) for pair in await store.lookalikes(tx.connection, limit)]
