"""Participants, and whom to tell, over HTTP: all that gives contact details away."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter

from services.scheduling import erasing
from services.scheduling.lookup import the_notice, the_participant
from services.scheduling.store import notices, people
from services.scheduling.store.notices import NoticeState
from shared.contract.types import Id
from shared.runtime import Admin, Answer, Limit, Researcher, Tx

router = APIRouter(prefix="/api/v1", tags=["participants"])


class ParticipantAnswer(Answer):
    """A participant; an erased one keeps nothing but the id."""

    participant_id: str
    name: str | None
    email: str | None
    company: str | None
    phone: str | None
    segment: dict[str, str]
    described_at: datetime
    erased_at: datetime | None


class NoticeAnswer(Answer):
    """Whom to tell what; name and address are none for somebody we never met."""

    notice_id: UUID
    feature_id: str
    title: str
    status: str
    released_at: datetime | None
    participant_id: str
    name: str | None
    email: str | None
    company: str | None
    state: NoticeState
    created_at: datetime
    told_at: datetime | None
    told_by: str | None


@router.get("/participants", summary="Participants with their contact details, heard of last first")
async def participant_list(tx: Tx, _who: Researcher, limit: Limit = 100) -> list[ParticipantAnswer]:
    return [ParticipantAnswer.model_validate(person) for person in await people.page(tx.connection, limit)]


@router.get("/participants/{participant_id}", summary="One participant")
async def one_participant(participant_id: Id, tx: Tx, _who: Researcher) -> ParticipantAnswer:
    return ParticipantAnswer.model_validate(await the_participant(tx.connection, participant_id))


@router.post("/participants/{participant_id}/erase", summary="Forget a participant, here and in all services")
async def erase(participant_id: Id, tx: Tx, who: Admin) -> ParticipantAnswer:
    await the_participant(tx.connection, participant_id)
    await erasing.request(tx, participant_id, who.subject)
    return ParticipantAnswer.model_validate(await the_participant(tx.connection, participant_id))


@router.get("/notices", summary="Whom to tell what became of a feature, longest waiting first")
async def notice_list(tx: Tx, _who: Researcher, state: NoticeState = "open", limit: Limit = 100) -> list[NoticeAnswer]:
    return [NoticeAnswer.model_validate(notice) for notice in await notices.page(tx.connection, state, limit)]


@router.post("/notices/{notice_id}/told", summary="The person was told")
async def told(notice_id: UUID, tx: Tx, who: Researcher) -> NoticeAnswer:
    await the_notice(tx.connection, notice_id)
    await notices.told(tx.connection, notice_id, who.subject, tx.now)
    return NoticeAnswer.model_validate(await the_notice(tx.connection, notice_id))
