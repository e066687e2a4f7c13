"""DemoRequested: what becomes of a request, however it comes."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import pytest

from services.scheduling.store import requests
from shared.contract.events import DemoRequested, InterviewScheduled
from shared.contract.parts import TimeRange
from tests.scheduling.support import FIRST, MIA, SECOND, STUDY, TOM, completed, demo, get, interview_of, post
from tests.support.service import START, ServiceUnderTest


async def test_request_is_booked_at_its_first_wish(scheduling: ServiceUnderTest) -> None:
    """A free wish is booked, and the event tells the time, the people and the questions, but no name and no address."""
    wish = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
    await scheduling.deliver(demo("r-1", wish))
    [event] = await scheduling.published(InterviewScheduled)
    assert (event.version, event.request_id, event.study_id, event.moderator_id) == (1, "r-1", "close", "mia")
    assert event.note_taker_id is None
    assert (event.starts_at, event.ends_at) == (wish, datetime(2026, 3, 4, 9, 45, tzinfo=UTC))
    assert (event.timezone, event.questions, event.scheduled_at) == (
        "Europe/Madrid",
        ("Can I keep my formulas?",),
        START,
    )
    assert "Ana" not in event.model_dump_json()
    assert "example.com" not in event.model_dump_json()
    assert (await get(scheduling, "/requests/r-1"))["state"] == "booked"


async def test_next_wish_is_taken_when_the_first_is_not_free(scheduling: ServiceUnderTest) -> None:
    """A wish outside the host's hours is passed over for the next one."""
    evening, morning = datetime(2026, 3, 4, 20, 0, tzinfo=UTC), datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
    await scheduling.deliver(demo("r-1", evening, morning))
    assert (await interview_of(scheduling))["starts_at"] == "2026-03-05T08:00:00Z"


async def test_long_wish_is_met_within(scheduling: ServiceUnderTest) -> None:
    """A wish that begins before the host's hours is met at the first offered start within it."""
    wish = TimeRange(start=datetime(2026, 3, 4, 6, 0, tzinfo=UTC), end=datetime(2026, 3, 4, 9, 0, tzinfo=UTC))
    await scheduling.deliver(demo("r-1", preferred_times=(wish,)))
    assert (await interview_of(scheduling))["starts_at"] == "2026-03-04T08:00:00Z"


async def test_earliest_free_time_without_wishes(scheduling: ServiceUnderTest) -> None:
    """Two requests without wishes get the first two times that leave room for the gap between them."""
    await scheduling.deliver(demo("r-1"), demo("r-2", name="Ben Ito"))
    starts = [event.starts_at for event in await scheduling.published(InterviewScheduled)]
    assert starts == [FIRST, SECOND]


async def test_wishes_out_of_this_world_are_passed_over(scheduling: ServiceUnderTest) -> None:
    """Wishes in the years 1 and 9999, and one that spans both, neither break anything nor take long."""
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    wishes = (
        TimeRange(start=first, end=first + timedelta(hours=1)),
        TimeRange(start=last, end=last + timedelta(hours=1)),
        TimeRange(start=first, end=last),
    )
    await scheduling.deliver(demo("r-1", preferred_times=wishes))
    assert (await interview_of(scheduling))["starts_at"] == "2026-03-03T09:00:00Z"


async def test_request_sent_twice_is_booked_once(scheduling: ServiceUnderTest) -> None:
    """The same request under two event ids, one of them repeated in the same batch, leads to one interview."""
    again = scheduling.record(demo("r-1"), event_id="again")
    await scheduling.deliver(demo("r-1"), again, again)
    await scheduling.deliver(again)
    assert len(await scheduling.published(InterviewScheduled)) == 1
    assert len(await get(scheduling, "/interviews")) == 1


async def test_interview_id_follows_from_the_request(scheduling: ServiceUnderTest) -> None:
    """The same request heard again by a restored service leads to the same interview."""
    await scheduling.deliver(demo("r-1"))
    assert (await interview_of(scheduling))["interview_id"] == "ca917046-a50e-5435-bf91-89c588b7bc94"


async def test_request_for_an_unknown_study_waits_for_it(scheduling: ServiceUnderTest) -> None:
    """A request that is earlier than its study waits with a reason, and is booked when the study gets its host."""
    await scheduling.deliver(demo("r-1", study_id="later"))
    waiting = await get(scheduling, "/requests/r-1")
    assert waiting["state"] == "waiting"
    assert waiting["reason"] == "There is no study 'later' yet; create it under this id."
    await post(scheduling, "/studies", STUDY | {"study_id": "later"})
    assert (await get(scheduling, "/requests/r-1"))["reason"].startswith("No moderator of “Month-end close” is free")
    await post(scheduling, "/hosts", TOM | {"studies": [{"study_id": "later"}]})
    assert (await interview_of(scheduling))["moderator_id"] == "tom"


async def test_studies_that_never_come_are_not_tried(scheduling: ServiceUnderTest) -> None:
    """However many unknown studies requests name, a retry looks only at those that exist."""
    await post(scheduling, "/studies/close/close")
    await scheduling.deliver(*(demo(f"r-{number}", study_id=f"never-{number}") for number in range(3)))
    await scheduling.deliver(demo("r-4", study_id="close"))
    async with scheduling.database.transaction() as tx:
        assert await requests.studies_waited_for(tx.connection) == ["close"]


async def test_request_without_any_study_waits(empty: ServiceUnderTest) -> None:
    """With no study at all a request waits, and is booked in the call that makes it possible."""
    await empty.deliver(demo("r-1"))
    assert (await get(empty, "/requests/r-1"))["reason"] == "No study is open for requests; create or open one."
    await post(empty, "/studies", STUDY)
    assert await empty.published(InterviewScheduled) == []
    await post(empty, "/hosts", MIA)
    assert [event.starts_at for event in await empty.published(InterviewScheduled)] == [FIRST]


async def test_closed_study_is_booked_after_it_opens(scheduling: ServiceUnderTest) -> None:
    """A request for a closed study waits until somebody opens it."""
    await post(scheduling, "/studies/close/close")
    await scheduling.deliver(demo("r-1", study_id="close"))
    assert (await get(scheduling, "/requests/r-1"))["reason"] == "The study “Month-end close” is closed; open it."
    await post(scheduling, "/studies/close/open")
    assert (await get(scheduling, "/requests/r-1"))["state"] == "booked"


async def test_requests_that_cannot_be_booked_hold_up_no_others(scheduling: ServiceUnderTest) -> None:
    """Older requests for a study that never comes do not keep younger ones for an opened study waiting."""
    await post(scheduling, "/studies/close/close")
    lost = [demo(f"lost-{n}", study_id="never", requested_at=START - timedelta(days=1)) for n in range(60)]
    await scheduling.deliver(*lost, demo("r-1", study_id="close"), demo("r-2", study_id="close"))
    await post(scheduling, "/studies/close/open")
    states = [(await get(scheduling, f"/requests/{name}"))["state"] for name in ("lost-59", "r-1", "r-2")]
    assert states == ["waiting", "booked", "booked"]


async def test_all_that_wait_know_the_present_reason(scheduling: ServiceUnderTest) -> None:
    """When a study comes that has no host yet, every request for it says so."""
    await scheduling.deliver(demo("r-1", study_id="later"), demo("r-2", study_id="later"))
    await post(scheduling, "/studies", STUDY | {"study_id": "later"})
    reasons = {found["reason"] for found in await get(scheduling, "/requests?state=waiting")}
    assert reasons == {"No moderator of “Month-end close” is free in the next 30 days; add hours or a host."}


async def test_oldest_open_study_takes_requests(scheduling: ServiceUnderTest) -> None:
    """A request that names no study goes to the study that has been open longest."""
    scheduling.now += timedelta(minutes=1)
    await post(scheduling, "/studies", STUDY | {"study_id": "another"})
    await scheduling.deliver(demo("r-1"))
    assert (await interview_of(scheduling))["study_id"] == "close"


async def test_least_booked_moderator_is_asked_first(scheduling: ServiceUnderTest) -> None:
    """Two requests for the same time go to two moderators, and a third one waits its turn behind the gap."""
    await post(scheduling, "/hosts", TOM)
    await scheduling.deliver(demo("r-1"), demo("r-2", name="Ben Ito"), demo("r-3", name="Cy Wu"))
    events = await scheduling.published(InterviewScheduled)
    assert [(event.moderator_id, event.starts_at) for event in events] == [
        ("mia", FIRST),
        ("tom", FIRST),
        ("mia", SECOND),
    ]


async def test_note_taker_joins_where_free(scheduling: ServiceUnderTest) -> None:
    """A note-taker joins one of two interviews at the same time; the other moderator takes notes alone."""
    await post(scheduling, "/hosts", TOM)
    await post(scheduling, "/hosts", MIA | {"host_id": "li", "studies": [{"study_id": "close", "role": "note_taker"}]})
    await scheduling.deliver(demo("r-1", FIRST), demo("r-2", FIRST, name="Ben Ito"))
    events = await scheduling.published(InterviewScheduled)
    assert [(event.moderator_id, event.note_taker_id) for event in events] == [("mia", "li"), ("tom", None)]


async def test_away_host_is_not_booked(scheduling: ServiceUnderTest) -> None:
    """A host who was deactivated gets no interview; activating books what waits."""
    await post(scheduling, "/hosts/mia/deactivate")
    await scheduling.deliver(demo("r-1"))
    assert (await get(scheduling, "/requests/r-1"))["state"] == "waiting"
    await post(scheduling, "/hosts/mia/activate")
    assert (await get(scheduling, "/requests/r-1"))["state"] == "booked"


async def test_same_person_is_met_once(scheduling: ServiceUnderTest) -> None:
    """Addresses that differ in case are one participant; what the later request says holds, whichever comes first."""
    late = demo("r-2", requested_at=START + timedelta(hours=1), segment={"plan": "team"})
    late = late.model_copy(
        update={"contact": late.contact.model_copy(update={"email": "ANA@example.com", "name": "Dr Ana"})}
    )
    await scheduling.deliver(late, demo("r-1", segment={"plan": "starter", "region": "EU"}))
    [person] = await get(scheduling, "/participants")
    assert (person["name"], person["email"], person["phone"]) == ("Dr Ana", "ANA@example.com", "+34 1")
    assert person["segment"] == {"plan": "team", "region": "EU"}


async def test_request_of_a_session_that_took_place_is_not_booked(scheduling: ServiceUnderTest) -> None:
    """A request that is heard of after its session is completed at once."""
    await scheduling.deliver(completed(request_id="r-1"))
    await scheduling.deliver(demo("r-1"))
    assert (await get(scheduling, "/requests/r-1"))["state"] == "completed"
    assert await scheduling.published(InterviewScheduled) == []


async def test_many_at_once_never_double_book(scheduling: ServiceUnderTest) -> None:
    """Eight batches at the same time, all wishing for the same start, get eight starts an hour apart or more."""
    records = [scheduling.record(demo(f"r-{n}", FIRST, name=f"P{n} X")) for n in range(8)]
    outcomes = await asyncio.gather(*(scheduling.deliver(record) for record in records))
    assert [len(outcome.refused) for outcome in outcomes] == [0] * 8
    starts = sorted(event.starts_at for event in await scheduling.published(InterviewScheduled))
    assert len(starts) == 8
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in pairwise(starts))


async def test_database_itself_refuses_a_double_booking(scheduling: ServiceUnderTest) -> None:
    """Two interviews of one host, the second within the gap after the first, cannot be written by any program."""
    await scheduling.deliver(demo("r-1", FIRST), demo("r-2", SECOND, name="Ben Ito"))
    with pytest.raises(asyncpg.ExclusionViolationError, match="no_double_booking"):
        await scheduling.database.pool.execute(
            "UPDATE bookings SET during = tstzrange($1, $2) WHERE lower(during) = $3",
            FIRST + timedelta(minutes=50),
            FIRST + timedelta(minutes=110),
            SECOND,
        )


async def test_hostile_strings_are_kept_as_they_are(scheduling: ServiceUnderTest) -> None:
    """Markup, emoji and right-to-left text of full length come back unchanged."""
    name = ("<script>alert(1)</script> 🦉 محمد " * 20)[:300]
    event = demo("r-1", questions=("<img src=x onerror=alert(1)>",))
    event = event.model_copy(update={"contact": event.contact.model_copy(update={"name": name})})
    await scheduling.deliver(DemoRequested.model_validate(event.model_dump()))
    assert (await get(scheduling, "/participants"))[0]["name"] == name
    assert (await interview_of(scheduling))["questions"] == ["<img src=x onerror=alert(1)>"]
