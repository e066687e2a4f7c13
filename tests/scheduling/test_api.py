"""The JSON endpoints: what they do, whom they refuse, and what they say about wrong input."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contract.events import DemoRequested, InterviewCancelled, InterviewRescheduled, InterviewScheduled
from tests.scheduling.support import FIRST, MIA, SECOND, STUDY, TOM, demo, get, interview_of, post, send, status
from tests.support.service import START, ServiceUnderTest

ASK: dict[str, Any] = {
    "request_id": "crm-7",
    "contact": {"name": "Ana Ruiz", "email": "ana@example.com"},
    "timezone": "Asia/Kolkata",
    "preferred_times": [{"start": "2026-03-04T09:00:00Z", "end": "2026-03-04T10:00:00Z"}],
    "questions": ["Why?"],
}


async def test_study_is_created_with_sensible_defaults(empty: ServiceUnderTest) -> None:
    """A title is enough: 45 minutes, a gap of 15, a day's notice, 30 days ahead, open."""
    study = await post(empty, "/studies", {"title": "Month-end close"})
    assert (study["length_minutes"], study["buffer_after_minutes"], study["notice_minutes"]) == (45, 15, 1440)
    assert (study["horizon_days"], study["open"], study["hosts"]) == (30, True, [])
    assert await get(empty, f"/studies/{study['study_id']}") == study


async def test_creating_twice_is_once(empty: ServiceUnderTest) -> None:
    """The same id with the same content answers 200 with what exists, with other content 409."""
    for path, body in (("/studies", STUDY), ("/hosts", MIA)):
        assert (await send(empty, path, body)).status_code == 201
        assert (await send(empty, path, body)).status_code == 200
        field = "title" if path == "/studies" else "name"
        assert (await send(empty, path, body | {field: "Another"})).status_code == 409
    assert len(await get(empty, "/studies")) == len(await get(empty, "/hosts")) == 1


async def test_closed_study_is_still_the_same_study(scheduling: ServiceUnderTest) -> None:
    """Repeating the creation of a study that was closed since answers 200 and leaves it closed."""
    await post(scheduling, "/studies/close/close")
    assert (await post(scheduling, "/studies", STUDY))["open"] is False


async def test_hosts_change_roles_and_leave(scheduling: ServiceUnderTest) -> None:
    """A host has one role in a study at a time, and none after leaving."""
    await post(scheduling, "/hosts", TOM | {"studies": []})
    headers = scheduling.headers()
    for role in ("moderator", "note_taker"):
        answer = await scheduling.client.put("/api/v1/studies/close/hosts/tom", json={"role": role}, headers=headers)
        assert {"host_id": "tom", "name": "Tom Okafor", "role": role} in answer.json()["hosts"]
    answer = await scheduling.client.delete("/api/v1/studies/close/hosts/tom", headers=headers)
    assert [host["host_id"] for host in answer.json()["hosts"]] == ["mia"]


async def test_host_hours_come_back_as_given(scheduling: ServiceUnderTest) -> None:
    """A host's hours are stored as they were sent."""
    host = await get(scheduling, "/hosts/mia")
    assert host["weekly"] == [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "12:00"}]


async def test_anybody_sees_free_starts_and_nothing_else(scheduling: ServiceUnderTest) -> None:
    """Slots need no sign-in, are on the asked zone's clock, and name no host."""
    query = {"timezone": "Asia/Kolkata", "from": "2026-03-03T00:00:00Z", "to": "2026-03-04T00:00:00Z"}
    answer = await scheduling.client.get("/api/v1/slots", params=query)
    assert answer.json() == {
        "study_id": "close",
        "timezone": "Asia/Kolkata",
        "length_minutes": 45,
        "starts": ["2026-03-03T14:30:00+05:30", "2026-03-03T15:00:00+05:30", "2026-03-03T15:30:00+05:30"],
    }


async def test_booked_time_and_its_gap_are_not_offered(scheduling: ServiceUnderTest) -> None:
    """After a booking at nine, half past nine is gone and ten, behind the gap, is left."""
    await scheduling.deliver(demo("r-1", FIRST))
    answer = await scheduling.client.get("/api/v1/slots", params={"to": "2026-03-04T00:00:00Z"})
    assert answer.json()["starts"] == ["2026-03-03T10:00:00Z"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("study_id=nope", 404),
        ("from=2026-04-01T00:00:00Z&to=2026-03-20T00:00:00Z", 422),
        ("to=2027-03-01T00:00:00Z", 422),
        ("from=9999-12-31T00:00:00Z", 422),
        ("timezone=Mars/Olympus", 422),
        ("from=tomorrow", 422),
    ],
)
async def test_wrong_questions_for_slots_are_answered(scheduling: ServiceUnderTest, query: str, code: int) -> None:
    """A question for slots that makes no sense is refused, not computed."""
    assert (await scheduling.client.get(f"/api/v1/slots?{query}")).status_code == code


async def test_no_open_study_has_no_slots(empty: ServiceUnderTest) -> None:
    """Without a study 404 says what to do; a closed one has no times."""
    answer = await empty.client.get("/api/v1/slots")
    assert (answer.status_code, answer.json()["title"]) == (404, "No open study")
    await post(empty, "/studies", STUDY | {"open": False})
    answer = await empty.client.get("/api/v1/slots?study_id=close")
    assert answer.json()["starts"] == []


async def test_request_over_the_api_is_booked_and_announced(scheduling: ServiceUnderTest) -> None:
    """It is booked in the call itself; other systems hear of the request, and its own event changes nothing."""
    answer = await post(scheduling, "/requests", ASK, role="note_taker")
    assert (answer["state"], answer["interview"]["starts_at"]) == ("booked", "2026-03-04T09:00:00Z")
    assert await scheduling.published_types() == ["DemoRequested", "InterviewScheduled"]
    [event] = await scheduling.published(DemoRequested)
    assert (event.request_id, event.contact.email, event.requested_at) == ("crm-7", "ana@example.com", START)
    await scheduling.deliver(event)
    assert len(await scheduling.published(InterviewScheduled)) == 1


async def test_request_sent_twice_over_the_api(scheduling: ServiceUnderTest) -> None:
    """The same request answers 200 and announces nothing; other content under its id answers 409."""
    assert (await send(scheduling, "/requests", ASK)).status_code == 201
    assert (await send(scheduling, "/requests", ASK)).status_code == 200
    answer = await send(scheduling, "/requests", ASK | {"questions": ["How?"]})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Request 'crm-7' exists with other content; send a new one under a new id."
    assert len(await scheduling.published(DemoRequested)) == 1


async def test_requests_are_listed_by_state(scheduling: ServiceUnderTest) -> None:
    """The list holds the asked state only, oldest first, at most as many as asked for."""
    await scheduling.deliver(
        demo("r-2", requested_at=START - timedelta(days=1), study_id="later"),
        demo("r-1"),
        demo("r-3", study_id="later"),
    )
    assert [found["request_id"] for found in await get(scheduling, "/requests?state=waiting")] == ["r-2", "r-3"]
    assert [found["request_id"] for found in await get(scheduling, "/requests?limit=1")] == ["r-2"]


async def test_interviews_are_listed_by_start(scheduling: ServiceUnderTest) -> None:
    """The list is in order of time and leaves out what ended before `since`."""
    await scheduling.deliver(demo("r-1", SECOND), demo("r-2", FIRST, name="Ben Ito"))
    assert [found["request_id"] for found in await get(scheduling, "/interviews?state=booked")] == ["r-2", "r-1"]
    later = await get(scheduling, "/interviews?since=2026-03-03T09:45:00Z")
    assert [found["request_id"] for found in later] == ["r-1"]


async def test_rescheduling_moves_the_interview(scheduling: ServiceUnderTest) -> None:
    """The version rises, the event tells both times, and the old time is free again."""
    await scheduling.deliver(demo("r-1", FIRST))
    interview = (await interview_of(scheduling))["interview_id"]
    moved = await post(scheduling, f"/interviews/{interview}/reschedule", {"starts_at": "2026-03-03T10:00:00Z"})
    assert (moved["version"], moved["starts_at"], moved["ends_at"]) == (
        2,
        "2026-03-03T10:00:00Z",
        "2026-03-03T10:45:00Z",
    )
    [event] = await scheduling.published(InterviewRescheduled)
    assert (event.version, event.previous_starts_at, event.starts_at) == (2, FIRST, SECOND)
    slots = await scheduling.client.get("/api/v1/slots", params={"to": "2026-03-04T00:00:00Z"})
    assert slots.json()["starts"] == ["2026-03-03T09:00:00Z"]


async def test_rescheduling_to_the_same_time_changes_nothing(scheduling: ServiceUnderTest) -> None:
    """A repeated call keeps the version and publishes no second event."""
    await scheduling.deliver(demo("r-1", FIRST))
    interview = (await interview_of(scheduling))["interview_id"]
    for _ in range(2):
        moved = await post(scheduling, f"/interviews/{interview}/reschedule", {"starts_at": "2026-03-03T10:00:00Z"})
    assert moved["version"] == 2
    assert len(await scheduling.published(InterviewRescheduled)) == 1


async def test_team_may_move_within_the_notice(scheduling: ServiceUnderTest) -> None:
    """What a customer cannot book any more, the team can still arrange, with the same moderator."""
    await post(scheduling, "/hosts", TOM)
    await scheduling.deliver(demo("r-1", FIRST), demo("r-2", FIRST, name="Ben Ito"))
    tom = await interview_of(scheduling, "r-2")
    assert tom["moderator_id"] == "tom"
    path = f"/interviews/{tom['interview_id']}/reschedule"
    moved = await post(scheduling, path, {"starts_at": "2026-03-02T10:00:00Z"})
    assert moved["moderator_id"] == "tom"


@pytest.mark.parametrize(
    ("starts_at", "code"),
    [
        ("2026-03-03T10:00:00Z", 409),
        ("2026-03-03T20:00:00Z", 409),
        ("2026-03-01T09:00:00Z", 422),
        ("9999-12-31T23:00:00Z", 422),
        ("tomorrow", 422),
    ],
)
async def test_impossible_times_are_refused(scheduling: ServiceUnderTest, starts_at: str, code: int) -> None:
    """Taken, outside hours, past, beyond all plans, no time at all: refused, and the interview stays where it is."""
    await scheduling.deliver(demo("r-1", FIRST), demo("r-2", SECOND, name="Ben Ito"))
    interview = (await interview_of(scheduling))["interview_id"]
    answer = await send(scheduling, f"/interviews/{interview}/reschedule", {"starts_at": starts_at})
    assert answer.status_code == code
    assert (await interview_of(scheduling))["starts_at"] == "2026-03-03T09:00:00Z"
    assert await scheduling.published(InterviewRescheduled) == []


async def test_cancelling_frees_the_time_for_who_waits(scheduling: ServiceUnderTest) -> None:
    """A cancelled interview tells who and why, once, and its time goes to a request that waits."""
    study = STUDY | {"study_id": "tight", "horizon_days": 1, "notice_minutes": 0}
    await post(scheduling, "/studies", study)
    early = MIA | {"host_id": "eve", "weekly": [{"days": ["mon"], "start": "15:00", "end": "15:45"}]}
    await post(scheduling, "/hosts", early | {"studies": [{"study_id": "tight"}]})
    await scheduling.deliver(demo("r-1", study_id="tight"), demo("r-2", name="Ben Ito", study_id="tight"))
    assert (await get(scheduling, "/requests/r-2"))["state"] == "waiting"
    interview = (await interview_of(scheduling))["interview_id"]
    for _ in range(2):
        cancelled = await post(scheduling, f"/interviews/{interview}/cancel", {"reason": "Ill"})
    assert (cancelled["state"], cancelled["version"], cancelled["cancel_reason"]) == ("cancelled", 2, "Ill")
    [event] = await scheduling.published(InterviewCancelled)
    assert (event.cancelled_by, event.reason, event.version) == ("team", "Ill", 2)
    assert (await interview_of(scheduling, "r-2"))["starts_at"] == "2026-03-02T14:00:00Z"


async def test_what_is_over_cannot_be_changed(scheduling: ServiceUnderTest) -> None:
    """A cancelled interview cannot be moved."""
    await scheduling.deliver(demo("r-1", FIRST))
    interview = (await interview_of(scheduling))["interview_id"]
    await post(scheduling, f"/interviews/{interview}/cancel")
    answer = await send(scheduling, f"/interviews/{interview}/reschedule", {"starts_at": "2026-03-03T10:00:00Z"})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This interview is cancelled; only a booked one can be moved."


async def test_notice_is_told_by_whoever_was_first(scheduling: ServiceUnderTest) -> None:
    """Marking a notice twice keeps the first person and time."""
    await scheduling.deliver(status("f-1", 1, "shipped", "p-1"))
    notice = (await get(scheduling, "/notices"))[0]["notice_id"]
    first = await post(scheduling, f"/notices/{notice}/told", role="researcher")
    scheduling.now += timedelta(hours=1)
    assert await post(scheduling, f"/notices/{notice}/told") == first
    assert (first["state"], first["told_by"], first["told_at"]) == ("told", "ana", "2026-03-02T09:00:00Z")
    assert await get(scheduling, "/notices") == []


async def test_pulse_counts(scheduling: ServiceUnderTest) -> None:
    """Requests, booked interviews and open notices are counted."""
    await scheduling.deliver(demo("r-1"), demo("r-2", study_id="later"), status("f-1", 1, "shipped", "p-1"))
    assert await get(scheduling, "/pulse") == {"requests": 2, "interviews booked": 1, "to tell": 1}


@pytest.mark.parametrize(
    "path",
    [
        "GET /studies/nope",
        "GET /hosts/nope",
        "GET /requests/nope",
        "GET /interviews/nope",
        "GET /participants/nope",
        "POST /studies/nope/open",
        "POST /studies/nope/close",
        "POST /hosts/nope/activate",
        "POST /interviews/nope/cancel",
        "POST /participants/nope/erase",
        "POST /notices/00000000-0000-4000-8000-000000000000/told",
        "DELETE /studies/nope/hosts/mia",
    ],
)
async def test_what_does_not_exist_is_404(scheduling: ServiceUnderTest, path: str) -> None:
    """An unknown id is a 404 that says what there is none of."""
    method, where = path.split(" ")
    body: dict[str, Any] | None = {} if method == "POST" else None
    answer = await scheduling.client.request(method, f"/api/v1{where}", json=body, headers=scheduling.headers())
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is no ")


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("POST /studies", "note_taker"),
        ("POST /hosts", "note_taker"),
        ("POST /requests", "viewer"),
        ("GET /participants", "note_taker"),
        ("GET /notices", "viewer"),
        ("POST /interviews/x/cancel", "viewer"),
        ("POST /participants/x/erase", "manager"),
    ],
)
async def test_roles_that_are_refused(scheduling: ServiceUnderTest, path: str, role: str) -> None:
    """What a role may not do is 403, and without a token it is 401."""
    method, where = path.split(" ")
    body: dict[str, Any] | None = {} if method == "POST" else None
    answers = [
        await scheduling.client.request(method, f"/api/v1{where}", json=body, headers=headers)
        for headers in (scheduling.headers(role), {})
    ]
    assert [answer.status_code for answer in answers] == [403, 401]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/studies", {"title": ""}, "body.title"),
        ("/studies", {"title": "x" * 301}, "body.title"),
        ("/studies", {"title": "a\x00b"}, "contains a NUL character; remove it"),
        ("/studies", {"title": "x", "length_minutes": 0}, "body.length_minutes"),
        ("/studies", {"title": "x", "lenght_minutes": 30}, "body.lenght_minutes"),
        ("/hosts", MIA | {"timezone": "Mars/Olympus"}, "is no IANA time zone"),
        ("/hosts", MIA | {"email": "mia"}, "is no e-mail address"),
        (
            "/hosts",
            MIA | {"weekly": [{"days": ["mon"], "start": "17:00", "end": "09:00"}]},
            "does not end after it starts",
        ),
        ("/hosts", MIA | {"weekly": [{"days": ["mon"], "start": "9", "end": "17:00"}]}, "is no time of day"),
        ("/hosts", MIA | {"weekly": [{"days": [], "start": "09:00", "end": "17:00"}]}, "body.weekly.0.days"),
        ("/requests", ASK | {"contact": {"name": "Ana"}}, "body.contact.email"),
        ("/requests", ASK | {"request_id": "no spaces"}, "body.request_id"),
        ("/requests", ASK | {"contact": ASK["contact"] | {"fax": "1"}}, "body.contact.fax"),
        ("/requests", ASK | {"questions": ["x"] * 21}, "body.questions"),
    ],
)
async def test_wrong_bodies_say_where(scheduling: ServiceUnderTest, path: str, body: dict[str, Any], told: str) -> None:
    """Wrong input is 422 and the answer names the field or the rule."""
    answer = await send(scheduling, path, body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


async def test_host_for_an_unknown_study_is_not_kept(scheduling: ServiceUnderTest) -> None:
    """A host who is to join a study that does not exist is refused whole."""
    assert (await send(scheduling, "/hosts", TOM | {"studies": [{"study_id": "nope"}]})).status_code == 404
    assert [host["host_id"] for host in await get(scheduling, "/hosts")] == ["mia"]
