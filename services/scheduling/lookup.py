"""What must be there, by its id; 404 says so where it is not."""

from __future__ import annotations

from uuid import UUID

from services.scheduling.erasures import Erasure
from services.scheduling.hosts import Host
from services.scheduling.store import erasures, hosts, interviews, notices, people, requests, studies
from services.scheduling.store.interviews import Interview
from services.scheduling.store.notices import Notice
from services.scheduling.store.people import Participant
from services.scheduling.store.requests import Request
from services.scheduling.studies import Study
from shared.runtime import Connection, not_found


async def the_study(connection: Connection, study_id: str) -> Study:
    found = await studies.find(connection, study_id)
    if found is None:
        raise not_found("study", study_id)
    return found


async def the_host(connection: Connection, host_id: str) -> Host:
    found = await hosts.find(connection, host_id)
    if found is None:
        raise not_found("host", host_id)
    return found


async def the_request(connection: Connection, request_id: str) -> Request:
    found = await requests.find(connection, request_id)
    if found is None:
        raise not_found("request", request_id)
    return found


async def the_interview(connection: Connection, interview_id: str) -> Interview:
    found = await interviews.find(connection, interview_id)
    if found is None:
        raise not_found("interview", interview_id)
    return found


async def the_participant(connection: Connection, participant_id: str) -> Participant:
    found = await people.find(connection, participant_id)
    if found is None:
        raise not_found("participant", participant_id)
    return found


async def the_erasure(connection: Connection, participant_id: str) -> Erasure:
    found = await erasures.find(connection, participant_id)
    if found is None:
        raise not_found("erasure", participant_id)
    return found


async def the_notice(connection: Connection, notice_id: UUID) -> Notice:
    found = await notices.find(connection, notice_id)
    if found is None:
        raise not_found("notice", str(notice_id))
    return found
