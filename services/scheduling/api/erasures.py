"""People who asked to be forgotten, and the proof that they were, over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request

from services.scheduling import erasing
from services.scheduling.erasures import Report
from services.scheduling.lookup import the_erasure
from services.scheduling.proving import report, reports
from services.scheduling.store import erasures
from shared.contract.types import Id
from shared.runtime import Admin, Answer, Body, Limit, Tx

router = APIRouter(prefix="/api/v1/erasures", tags=["erasures"])


def _patience(request: Request) -> timedelta:
    patience: timedelta = request.app.state.settings.erasure_patience
    return patience


Patience = Annotated[timedelta, Depends(_patience)]


class NewErasure(Body):
    """Whom to forget: a participant, or whoever other systems call by this id."""

    participant_id: Id


class ErasureAnswer(Answer):
    """An erasure; `requested_by` is none for another system, `waiting_for` names who has not answered."""

    participant_id: str
    erased_at: datetime
    requested_at: datetime
    requested_by: str | None
    asked_at: datetime
    times_asked: int
    completed_at: datetime | None
    is_overdue: bool
    waiting_for: list[str]

    @classmethod
    def of(cls, found: Report) -> Self:
        return cls.model_validate(_summary(found))


class StandingAnswer(Answer):
    """One service; `removed` counts records by table, `kept` says what stays and why."""

    service: str
    answered_at: datetime | None
    waiting_since: datetime | None
    removed: dict[str, int]
    kept: dict[str, str]


class RemnantAnswer(Answer):
    """A topic with fields about the person; `gone_by` is none for what stays, and until all services have answered."""

    topic: str
    holds: list[str]
    stays: bool
    gone_by: datetime | None


class ReportAnswer(ErasureAnswer):
    """The proof of an erasure; it names nobody."""

    services: list[StandingAnswer]
    log: list[RemnantAnswer]

    @classmethod
    def of(cls, found: Report) -> Self:
        return cls.model_validate(_summary(found) | {"services": found.standings, "log": found.remnants})


@router.get("", summary="Erasures, latest first")
async def erasure_list(tx: Tx, _who: Admin, patience: Patience, limit: Limit = 100) -> list[ErasureAnswer]:
    found = await erasures.page(tx.connection, limit)
    return [ErasureAnswer.of(one) for one in reports(found, tx.now, patience)]


@router.post("", summary="Forget somebody in all services, known here or not")
async def request_erasure(body: NewErasure, tx: Tx, who: Admin, patience: Patience) -> ReportAnswer:
    await erasing.request(tx, body.participant_id, who.subject)
    return await _report(tx, body.participant_id, patience)


@router.get("/{participant_id}", summary="The proof of one erasure")
async def one_erasure(participant_id: Id, tx: Tx, _who: Admin, patience: Patience) -> ReportAnswer:
    return await _report(tx, participant_id, patience)


@router.post("/{participant_id}/ask-again", summary="Ask all services once more")
async def ask_again(participant_id: Id, tx: Tx, _who: Admin, patience: Patience) -> ReportAnswer:
    await erasing.ask_again(tx, participant_id)
    return await _report(tx, participant_id, patience)


async def _report(tx: Tx, participant_id: str, patience: timedelta) -> ReportAnswer:
    return ReportAnswer.of(report(await the_erasure(tx.connection, participant_id), tx.now, patience))


def _summary(found: Report) -> dict[str, object]:
    erasure = found.erasure
    return {
        "participant_id": erasure.participant_id,
        "erased_at": erasure.erased_at,
        "requested_at": erasure.requested_at,
        "requested_by": erasure.requested_by,
        "asked_at": erasure.asked_at,
        "times_asked": erasure.times_asked,
        "completed_at": found.completed_at,
        "is_overdue": found.is_overdue,
        "waiting_for": [one.service for one in found.standings if one.answered_at is None],
    }
