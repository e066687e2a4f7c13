"""Hosts over HTTP."""

from dataclasses import replace

from fastapi import APIRouter, Response

from services.scheduling.bodies import NewHost
from services.scheduling.booking import retry_waiting
from services.scheduling.lookup import the_host, the_study
from services.scheduling.store import hosts, studies
from shared.contract.types import Id
from shared.runtime import Answer, Limit, Researcher, Tx, Viewer, conflict, known_already

router = APIRouter(prefix="/api/v1/hosts", tags=["hosts"])


class HoursAnswer(Answer):
    days: tuple[str, ...]
    start: str
    end: str


class HostAnswer(Answer):
    host_id: str
    name: str
    email: str
    timezone: str
    weekly: tuple[HoursAnswer, ...]
    active: bool


@router.post(
    "",
    summary="Add a host, and put them into studies; waiting requests are tried again",
    status_code=201,
    responses=known_already(HostAnswer),
)
async def create_host(body: NewHost, response: Response, tx: Tx, _who: Researcher) -> HostAnswer:
    host = body.host()
    if not await hosts.add(tx.connection, host, tx.now):
        known = await the_host(tx.connection, host.host_id)
        if known != replace(host, active=known.active):
            raise conflict(f"Host {host.host_id!r} exists with other content; choose another host_id.")
        response.status_code = 200
    for part in body.studies:
        await the_study(tx.connection, part.study_id)
        await studies.put_host(tx.connection, part.study_id, host.host_id, part.role)
    await retry_waiting(tx)
    return HostAnswer.model_validate(await the_host(tx.connection, host.host_id))


@router.get("", summary="Hosts by name, active ones first")
async def host_list(tx: Tx, _who: Viewer, limit: Limit = 100) -> list[HostAnswer]:
    return [HostAnswer.model_validate(host) for host in await hosts.page(tx.connection, limit)]


@router.get("/{host_id}", summary="One host")
async def one_host(host_id: Id, tx: Tx, _who: Viewer) -> HostAnswer:
    return HostAnswer.model_validate(await the_host(tx.connection, host_id))


@router.post("/{host_id}/activate", summary="Let a host be booked; waiting requests are tried again")
async def activate_host(host_id: Id, tx: Tx, _who: Researcher) -> HostAnswer:
    await the_host(tx.connection, host_id)
    await hosts.set_active(tx.connection, host_id, active=True)
    await retry_waiting(tx)
    return HostAnswer.model_validate(await the_host(tx.connection, host_id))


@router.post("/{host_id}/deactivate", summary="Book a host no more; what is booked stays booked")
async def deactivate_host(host_id: Id, tx: Tx, _who: Researcher) -> HostAnswer:
    await the_host(tx.connection, host_id)
    await hosts.set_active(tx.connection, host_id, active=False)
    return HostAnswer.model_validate(await the_host(tx.connection, host_id))
