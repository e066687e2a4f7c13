"""Tagging, changing and withdrawing insights: what the endpoints and the pages have in common."""

from uuid import uuid4

from shared.contract.events import InsightTagged
from shared.contract.types import Segment
from shared.runtime import Principal, Transaction, conflict, not_found

from . import store, store_copies
from .model import Content, Insight, Session, revise
from .model import withdraw as withdrawn


async def tag(
    tx: Transaction, session_id: str, content: Content, who: Principal, *, insight_id: str | None = None
) -> tuple[Insight, bool]:
    """The insight, and whether it is new: the same id with the same content is the same insight.

    Raises:
        Problem: 404 for an unknown session, 409 for an erased participant or an id that is taken by another insight.
    """
    session = await store_copies.lock_session(tx.connection, session_id)
    if session is None:
        raise not_found("session", session_id)
    insight = Insight(
        insight_id=insight_id or str(uuid4()),
        version=await store.first_version(tx.connection),
        withdrawn=False,
        session_id=session_id,
        participant_id=session.participant_id,
        content=content,
        coder_id=who.id,
        tagged_at=tx.now,
    )
    existing = await store.insight(tx.connection, insight.insight_id)
    if existing is None:
        _refuse_erased(session)
        if await store.insert(tx.connection, insight):
            await tx.publish(_announcement(insight, session))
            return insight, True
        # Somebody sent the same id at the same moment and was first.
        existing = await store.insight(tx.connection, insight.insight_id)
        assert existing is not None
    if (existing.session_id, existing.content) != (session_id, content):
        raise conflict(
            f"Insight {insight.insight_id!r} exists with other content; change it by PUT or leave its id out."
        )
    return existing, False


async def change(
    tx: Transaction, insight_id: str, content: Content, who: Principal, *, expected_version: int | None = None
) -> Insight:
    """The insight with its new content; what says nothing new leaves it as it is.

    Raises:
        Problem: 404 for an unknown insight; 409 where it was withdrawn, its participant erased, or it is not at the
            expected version.
    """
    insight, session = await _locked(tx, insight_id)
    if insight.withdrawn:
        raise conflict("This insight was withdrawn; tag the passage again instead of changing it.")
    if expected_version not in {None, insight.version}:
        raise conflict(f"The insight is at version {insight.version} by now; read it again and repeat your change.")
    _refuse_erased(session)
    versions = revise(insight, content, coder_id=who.id, at=tx.now)
    if not versions:
        return insight
    await store.update(tx.connection, versions[-1])
    await tx.publish(*(_announcement(version, session) for version in versions))
    return versions[-1]


async def withdraw(tx: Transaction, insight_id: str, who: Principal) -> Insight:
    """The withdrawn insight; a second time changes nothing.

    Raises:
        Problem: 404 for an unknown insight.
    """
    insight, session = await _locked(tx, insight_id)
    if insight.withdrawn:
        return insight
    insight = withdrawn(insight, coder_id=who.id, at=tx.now)
    await store.update(tx.connection, insight)
    await tx.publish(_announcement(insight, session))
    return insight


async def _locked(tx: Transaction, insight_id: str) -> tuple[Insight, Session]:
    known = await store.insight(tx.connection, insight_id)
    if known is None:
        raise not_found("insight", insight_id)
    # The session before the insight, as an erasure does, or the two would wait for each other.
    session = await store_copies.lock_session(tx.connection, known.session_id)
    insight = await store.lock_insight(tx.connection, insight_id)
    assert session is not None
    assert insight is not None
    return insight, session


def _refuse_erased(session: Session) -> None:
    if session.erased_at is not None:
        raise conflict("This session's participant asked to be forgotten; its insights can only be withdrawn.")


def _announcement(insight: Insight, session: Session) -> InsightTagged:
    content = insight.content
    return InsightTagged(
        insight_id=insight.insight_id,
        version=insight.version,
        withdrawn=insight.withdrawn,
        feature_id=content.feature_id,
        session_id=insight.session_id,
        study_id=session.study_id,
        participant_id=insight.participant_id,
        quote=content.quote,
        tags=content.tags,
        sentiment=content.sentiment,
        importance=content.importance,
        coder_id=insight.coder_id,
        tagged_at=insight.tagged_at,
        segment=Segment(**session.segment),
    )
