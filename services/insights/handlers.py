"""What each event does here: copies are kept, erased people are forgotten."""

from uuid import uuid4

from shared.contract.events import FeatureStatusChanged, KpiImpactAssessed, ParticipantErased, SessionCompleted
from shared.runtime import Handlers, Person, Received, Rejected, Transaction, erasure

from . import store_copies
from .model import Impact, Session, Transcript

handlers = Handlers()


@handlers.on(SessionCompleted)
async def keep_session(tx: Transaction, event: Received[SessionCompleted]) -> None:
    said = event.data
    # Erasures come on another topic and may be ahead of the session.
    alias, erased_at = await store_copies.erasure(tx.connection, said.participant_id) or (None, None)
    file = said.transcript
    transcript = Transcript(file.url, file.format, file.sha256) if file and not alias else None
    session = Session(
        session_id=said.session_id,
        interview_id=said.interview_id,
        participant_id=alias or said.participant_id,
        study_id=said.study_id,
        completed_at=said.completed_at,
        transcript=transcript,
        segment={} if alias else said.segment.model_dump(exclude_none=True),
        listening=said.listening.model_dump(exclude_none=True),
        erased_at=erased_at,
    )
    if not await store_copies.keep_session(tx.connection, session):
        raise Rejected(
            f"session {said.session_id!r} is known with another participant than {said.participant_id!r}; "
            "publish it with a session_id of its own or with the participant it had"
        )


@handlers.on(FeatureStatusChanged)
async def keep_feature(tx: Transaction, event: Received[FeatureStatusChanged]) -> None:
    said = event.data
    await store_copies.keep_feature(tx.connection, said.feature_id, said.title, said.status, said.version)


@handlers.on(KpiImpactAssessed)
async def keep_impact(tx: Transaction, event: Received[KpiImpactAssessed]) -> None:
    said = event.data
    impact = Impact(
        kpi_id=said.kpi_id,
        effect=said.effect,
        effect_low=said.effect_low,
        effect_high=said.effect_high,
        confidence=said.confidence,
        unit=said.unit,
        verdict=said.verdict,
        smallest_visible_effect=said.smallest_visible_effect,
        released_at=said.released_at,
        assessed_at=said.assessed_at,
    )
    await store_copies.keep_impact(tx.connection, said.feature_id, said.version, impact)


@handlers.on(ParticipantErased)
async def forget_participant(tx: Transaction, event: Received[ParticipantErased]) -> None:
    # The alias is random: it must not lead back to the person, yet keep one person's sessions one person's.
    alias = f"anonymous-{uuid4().hex}"
    erased = event.data
    removed = await store_copies.erase(tx.connection, erased.participant_id, alias, erased.erased_at)
    await erasure.complete(
        tx,
        Person((erased.participant_id,)),
        erased.erased_at,
        removed=removed,
        kept={
            "sessions": "that they took place, when, and how the moderator listened, under a random id",
            "insights": "the researchers' tags, feelings and importances without a quote, under the same random id",
            "erasures": "a hash of the id, so that nothing late brings the person back",
        },
    )
