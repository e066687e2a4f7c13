"""Studies over HTTP."""

from dataclasses import replace
from datetime import datetime

from fastapi import APIRouter, Response

from services.scheduling.bodies import NewStudy
from services.scheduling.booking import retry_waiting
from services.scheduling.hosts import Member, Role
from services.scheduling.lookup import the_host, the_study
from services.scheduling.store import hosts, studies
from services.scheduling.studies import Study
from shared.contract.types import Id
from shared.runtime import Answer, Body, Limit, Researcher, Tx, Viewer, conflict, known_already

router = APIRouter(prefix="/api/v1/studies", tags=["studies"])


class HostRole(Body):
    role: Role = "moderator"


class StudyHost(Answer):
    host_id: str
    name: str
    role: Role

    @classmethod
    def of(cls, member: Member) -> "StudyHost":
        return cls(host_id=member.host.host_id, name=member.host.name, role=member.role)


class StudyAnswer(Answer):
    """A study and who is in it."""

    study_id: str
    title: str
    goal: str | None
    length_minutes: int
    buffer_after_minutes: int
    notice_minutes: int
    horizon_days: int
    step_minutes: int
    open: bool
    created_at: datetime
    hosts: tuple[StudyHost, ...] = ()


@router.post("", summary="Create a study", status_code=201, responses=known_already(StudyAnswer))
async def create_study(body: NewStudy, response: Response, tx: Tx, _who: Researcher) -> StudyAnswer:
    study = body.study(tx.now)
    if await studies.add(tx.connection, study):
        await retry_waiting(tx)
    else:
        known = await the_study(tx.connection, study.study_id)
        # Whether it is open may have changed since; that alone makes it no other study.
        if known != replace(study, open=known.open, created_at=known.created_at):
            raise conflict(f"Study {study.study_id!r} exists with other content; choose another study_id.")
        response.status_code = 200
    return await _answer(tx, study.study_id)


@router.get("", summary="Studies, open ones first")
async def study_list(tx: Tx, _who: Viewer, limit: Limit = 100) -> list[StudyAnswer]:
    found = await studies.page(tx.connection, limit)
    members = await hosts.of_studies(tx.connection, [study.study_id for study in found])
    return [_with_hosts(study, members.get(study.study_id, [])) for study in found]


@router.get("/{study_id}", summary="One study")
async def one_study(study_id: Id, tx: Tx, _who: Viewer) -> StudyAnswer:
    return await _answer(tx, study_id)


@router.post("/{study_id}/open", summary="Open a study for requests; those that wait are tried again")
async def open_study(study_id: Id, tx: Tx, _who: Researcher) -> StudyAnswer:
    await the_study(tx.connection, study_id)
    await studies.set_open(tx.connection, study_id, is_open=True)
    await retry_waiting(tx)
    return await _answer(tx, study_id)


@router.post("/{study_id}/close", summary="Close a study for requests; what is booked stays booked")
async def close_study(study_id: Id, tx: Tx, _who: Researcher) -> StudyAnswer:
    await the_study(tx.connection, study_id)
    await studies.set_open(tx.connection, study_id, is_open=False)
    return await _answer(tx, study_id)


@router.put("/{study_id}/hosts/{host_id}", summary="Give a host a role in a study; waiting requests are tried again")
async def put_host(study_id: Id, host_id: Id, body: HostRole, tx: Tx, _who: Researcher) -> StudyAnswer:
    await the_study(tx.connection, study_id)
    await the_host(tx.connection, host_id)
    await studies.put_host(tx.connection, study_id, host_id, body.role)
    await retry_waiting(tx)
    return await _answer(tx, study_id)


@router.delete("/{study_id}/hosts/{host_id}", summary="Take a host out of a study; what is booked stays booked")
async def remove_host(study_id: Id, host_id: Id, tx: Tx, _who: Researcher) -> StudyAnswer:
    await the_study(tx.connection, study_id)
    await studies.remove_host(tx.connection, study_id, host_id)
    return await _answer(tx, study_id)


async def _answer(tx: Tx, study_id: str) -> StudyAnswer:
    study = await the_study(tx.connection, study_id)
    members = await hosts.of_studies(tx.connection, [study_id])
    return _with_hosts(study, members.get(study_id, []))


def _with_hosts(study: Study, members: list[Member]) -> StudyAnswer:
    answer = StudyAnswer.model_validate(study)
    return answer.model_copy(update={"hosts": tuple(StudyHost.of(member) for member in members)})
