"""Demo requests, and the times that can be asked for, over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.scheduling import booking, intake
from services.scheduling.api.interviews import InterviewAnswer
from services.scheduling.availability import Span
from services.scheduling.lookup import the_request, the_study
from services.scheduling.store import interviews, requests, studies
from services.scheduling.store.requests import Request, RequestState
from shared.contract.events import DemoRequested
from shared.contract.parts import Contact, TimeRange
from shared.contract.types import Email, Id, Line, Paragraph, Segment, UtcTime, ZoneName
from shared.runtime import Answer, Body, Limit, NoteTaker, Problem, Researcher, Tx, Viewer, known_already, unprocessable

router = APIRouter(prefix="/api/v1", tags=["requests"])

LONGEST_QUESTION = timedelta(days=62)


class SlotsAnswer(Answer):
    """The starts that can be asked for, in order, on the clock of `timezone`."""

    study_id: str
    timezone: str
    length_minutes: int
    starts: list[datetime]


class ContactBody(Contact, Body):
    name: Line
    email: Email


class TimeRangeBody(TimeRange, Body):
    """Half-open."""


class SegmentBody(Segment, Body):
    """What is known of the customer; each may be left out."""


class NewRequest(Body):
    """The data of DemoRequested; with a `request_id` of your own the call may be repeated."""

    request_id: Id | None = None
    requested_at: UtcTime | None = None
    contact: ContactBody
    timezone: ZoneName = "UTC"
    preferred_times: Annotated[tuple[TimeRangeBody, ...], Field(max_length=20)] = ()
    questions: Annotated[tuple[Paragraph, ...], Field(max_length=20)] = ()
    study_id: Id | None = None
    segment: SegmentBody = SegmentBody()

    def event(self, now: datetime) -> DemoRequested:
        given = self.model_dump(exclude={"request_id", "requested_at"})
        return DemoRequested.model_validate(
            given | {"request_id": self.request_id or str(uuid4()), "requested_at": self.requested_at or now}
        )


class Wish(Answer):
    start: datetime
    end: datetime


class RequestAnswer(Answer):
    """A request; `reason` says why it waits and what to do."""

    request_id: str
    participant_id: str
    study_id: str | None
    state: RequestState
    reason: str | None
    requested_at: datetime
    timezone: str
    questions: tuple[str, ...]
    preferred: Annotated[tuple[Wish, ...], Field(serialization_alias="preferred_times")]


class RequestWithInterview(RequestAnswer):
    interview: InterviewAnswer | None = None


class Retried(Answer):
    booked: int
    waiting: int


@router.get("/slots", summary="Start times that can be asked for; anybody may look")
async def slots(
    tx: Tx,
    study_id: Annotated[Id | None, Query(description="none: the study that is open for requests")] = None,
    begin: Annotated[UtcTime | None, Query(alias="from", description="none: now")] = None,
    end: Annotated[UtcTime | None, Query(alias="to", description="none: two weeks after from")] = None,
    timezone: ZoneName = "UTC",
) -> SlotsAnswer:
    study = await the_study(tx.connection, study_id) if study_id else await studies.for_requests(tx.connection, None)
    if study is None:
        raise Problem(404, "No open study", "No study is open for requests; ask for one by study_id, or open one.")
    begin = max(begin or tx.now, tx.now)
    end = end or min(begin, tx.now + timedelta(days=study.horizon_days)) + timedelta(days=14)
    if not timedelta(0) < end - begin <= LONGEST_QUESTION:
        raise unprocessable(f"“to” must be later than “from” and now, by at most {LONGEST_QUESTION.days} days.")
    free = await booking.free_times(tx.connection, study, tx.now, Span(begin, end)) if study.open else []
    zone = ZoneInfo(timezone)
    return SlotsAnswer(
        study_id=study.study_id,
        timezone=timezone,
        length_minutes=study.length_minutes,
        starts=[start.astimezone(zone) for start in free],
    )


@router.post(
    "/requests",
    summary="Ask for a demo: booked at once where a time is free",
    status_code=201,
    responses=known_already(RequestWithInterview),
)
async def create_request(body: NewRequest, response: Response, tx: Tx, _who: NoteTaker) -> RequestWithInterview:
    demo = body.event(tx.now)
    if await requests.find(tx.connection, demo.request_id) is not None:
        response.status_code = 200
    return await _answer(tx, await intake.submit(tx, demo))


@router.get("/requests", summary="Requests, oldest first")
async def request_list(
    tx: Tx, _who: Viewer, state: RequestState | None = None, limit: Limit = 100
) -> list[RequestAnswer]:
    return [RequestAnswer.model_validate(found) for found in await requests.page(tx.connection, state, limit)]


@router.get("/requests/{request_id}", summary="One request and its interview")
async def one_request(request_id: Id, tx: Tx, _who: Viewer) -> RequestWithInterview:
    return await _answer(tx, await the_request(tx.connection, request_id))


@router.post("/requests/retry", summary="Try to book the requests that wait longest")
async def retry(tx: Tx, _who: Researcher) -> Retried:
    booked = await booking.retry_waiting(tx)
    return Retried(booked=booked, waiting=await requests.count_waiting(tx.connection))


async def _answer(tx: Tx, request: Request) -> RequestWithInterview:
    found = await interviews.of_request(tx.connection, request.request_id)
    answer = RequestWithInterview.model_validate(request)
    if not found:
        return answer
    return answer.model_copy(update={"interview": InterviewAnswer.model_validate(found[0])})
