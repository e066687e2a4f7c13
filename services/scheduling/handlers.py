"""What each event does."""

import structlog

from services.scheduling import changes, erasing, intake
from services.scheduling.erasures import Answer
from services.scheduling.store import erasures, interviews, notices
from services.scheduling.telling import WORTH_TELLING
from shared.contract.events import (
    DemoRequested,
    ErasureCompleted,
    FeatureStatusChanged,
    ParticipantErased,
    SessionCompleted,
)
from shared.runtime import Handlers, Received, Transaction

log = structlog.get_logger(__name__)

handlers = Handlers()


@handlers.on(DemoRequested)
async def book(tx: Transaction, event: Received[DemoRequested]) -> None:
    """A request is booked at its first wish that is free, else at the earliest free time; else it waits."""
    try:
        await intake.receive(tx, event.data)
    except intake.Forgotten:
        log.info("request of somebody who asked to be forgotten after it; it is not taken in")


@handlers.on(SessionCompleted)
async def complete(tx: Transaction, event: Received[SessionCompleted]) -> None:
    """An interview took place; kept also for a request that is heard of later."""
    session = event.data
    await interviews.remember_session(
        tx.connection, session.session_id, session.interview_id, session.request_id, session.completed_at
    )
    await changes.complete(
        tx.connection,
        interview_id=session.interview_id,
        request_id=session.request_id,
        at=session.completed_at,
    )


@handlers.on(FeatureStatusChanged)
async def notify(tx: Transaction, event: Received[FeatureStatusChanged]) -> None:
    """Those who asked for a feature are to be told what became of it; an older version changes nothing."""
    feature = event.data
    if not await notices.reach(tx.connection, feature.feature_id, feature.version):
        return
    await notices.lapse(tx.connection, feature.feature_id, feature.status)
    if feature.status in WORTH_TELLING:
        await notices.add(
            tx.connection,
            feature_id=feature.feature_id,
            version=feature.version,
            title=feature.title,
            status=feature.status,
            released_at=feature.released_at,
            participant_ids=feature.asked_by,
            created_at=feature.changed_at,
        )


@handlers.on(ParticipantErased)
async def forget(tx: Transaction, event: Received[ParticipantErased]) -> None:
    """Our own event comes back and changes nothing; after a restored backup it erases once more."""
    await erasing.erase(tx, event.data.participant_id, event.data.erased_at)


@handlers.on(ErasureCompleted)
async def keep_answer(tx: Transaction, event: Received[ErasureCompleted]) -> None:
    """A service has forgotten somebody; the answer may be heard before the question after a restored backup."""
    said = event.data
    await erasures.add(tx.connection, said.participant_id, said.erased_at, None, tx.now)
    answer = Answer(said.service, said.completed_at, said.removed, said.kept)
    await erasures.add_answer(tx.connection, said.participant_id, answer)
