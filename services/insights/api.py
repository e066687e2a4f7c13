"""The JSON endpoints: sessions and their turns, insights, and the evidence behind features."""

from fastapi import APIRouter, Request, Response

from shared.contract.types import Id, Line
from shared.runtime import Body, Limit, Researcher, Tx, Viewer, known_already, not_found

from . import answers, opinions, store, store_copies, tagging, transcripts
from .drafts import Draft, content_of

router = APIRouter(prefix="/api/v1", tags=["insights"])


class NewInsight(Draft, Body):
    """The same `insight_id` with the same content may be sent again."""

    insight_id: Id | None = None
    session_id: Id


class ChangedInsight(Draft, Body):
    """The insight's whole content; `version` is the one that was read, to find out about changes by others."""

    version: int | None = None


@router.get("/sessions", summary="Interviews that took place, newest first")
async def list_sessions(tx: Tx, _who: Viewer, limit: Limit = 100) -> list[answers.Session]:
    return [answers.Session.of(session) for session in await store_copies.sessions(tx.connection, limit)]


@router.get("/sessions/{session_id}", summary="One session")
async def get_session(session_id: Id, tx: Tx, _who: Viewer) -> answers.Session:
    session = await store_copies.session(tx.connection, session_id)
    if session is None:
        raise not_found("session", session_id)
    return answers.Session.of(session)


@router.get("/sessions/{session_id}/turns", summary="What was said, fetched from the sessions service")
async def get_turns(session_id: Id, request: Request, _who: Viewer) -> list[answers.Turn]:
    # Not Tx: no connection is held while another service takes its time.
    async with request.app.state.database.transaction() as tx:
        session = await store_copies.session(tx.connection, session_id)
    if session is None:
        raise not_found("session", session_id)
    turns = await transcripts.read(request, session)
    return [
        answers.Turn(number=number, speaker=turn.speaker, start=turn.start, end=turn.end, text=turn.text)
        for number, turn in enumerate(turns, start=1)
    ]


@router.post("/insights", summary="Tag a passage", status_code=201, responses=known_already(answers.Insight))
async def tag(body: NewInsight, request: Request, response: Response, who: Researcher) -> answers.Insight:
    content = await content_of(request, body.session_id, body)
    async with request.app.state.database.transaction() as tx:
        insight, new = await tagging.tag(tx, body.session_id, content, who, insight_id=body.insight_id)
    if not new:
        response.status_code = 200
    return answers.Insight.of(insight)


@router.get("/insights", summary="Insights that were not withdrawn, newest first")
async def list_insights(
    tx: Tx,
    _who: Viewer,
    feature_id: Id | None = None,
    session_id: Id | None = None,
    tag: Line | None = None,
    limit: Limit = 100,
) -> list[answers.Insight]:
    found = await store.insights(tx.connection, limit, feature_id=feature_id, session_id=session_id, tag=tag)
    return [answers.Insight.of(insight) for insight in found]


@router.put("/insights/{insight_id}", summary="Replace what an insight says")
async def change(insight_id: Id, body: ChangedInsight, request: Request, who: Researcher) -> answers.Insight:
    async with request.app.state.database.transaction() as tx:
        known = await store.insight(tx.connection, insight_id)
    if known is None:
        raise not_found("insight", insight_id)
    content = await content_of(request, known.session_id, body)
    async with request.app.state.database.transaction() as tx:
        insight = await tagging.change(tx, insight_id, content, who, expected_version=body.version)
    return answers.Insight.of(insight)


@router.post("/insights/{insight_id}/withdraw", summary="Take an insight back")
async def withdraw(insight_id: Id, tx: Tx, who: Researcher) -> answers.Insight:
    return answers.Insight.of(await tagging.withdraw(tx, insight_id, who))


@router.get("/features", summary="Features, those that most people speak about first")
async def list_features(tx: Tx, _who: Viewer, limit: Limit = 100) -> list[answers.Feature]:
    return [answers.Feature.of(feature) for feature in await store_copies.features(tx.connection, limit)]


@router.get("/features/{feature_id}", summary="What people say about a feature, and what it did once shipped")
async def get_feature(feature_id: Id, tx: Tx, _who: Viewer, limit: Limit = 100) -> answers.Evidence:
    feature = await store_copies.feature(tx.connection, feature_id)
    if feature is None:
        raise not_found("feature", feature_id)
    return answers.Evidence.gathered(
        feature,
        opinions.count(await store.sentiments(tx.connection, feature_id)),
        await store.insights(tx.connection, limit, feature_id=feature_id),
        await store_copies.impacts(tx.connection, feature_id),
    )
