"""What the other events do: sessions that took place, features that moved, people who are forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.contract.events import InterviewCancelled, ParticipantErased
from tests.scheduling.support import completed, demo, get, interview_of, post, status
from tests.support.service import START, ServiceUnderTest


@pytest.mark.parametrize("by", ["interview_id", "request_id"])
async def test_session_completes_interview_and_request(scheduling: ServiceUnderTest, by: str) -> None:
    """A session that names either the interview or the request completes both, once or twice."""
    await scheduling.deliver(demo("r-1"))
    interview = await interview_of(scheduling)
    await scheduling.deliver(completed(**{by: interview[by]}), completed(**{by: interview[by]}))
    assert (await interview_of(scheduling))["state"] == "completed"
    assert (await get(scheduling, "/requests/r-1"))["state"] == "completed"


async def test_session_held_early_gives_its_time_back(scheduling: ServiceUnderTest) -> None:
    """The time of an interview that took place before it was due can be booked by somebody else."""
    await scheduling.deliver(demo("r-1"))
    await scheduling.deliver(completed(request_id="r-1", completed_at=START + timedelta(hours=1)))
    await scheduling.deliver(demo("r-2", name="Ben Ito"))
    assert (await interview_of(scheduling, "r-2"))["starts_at"] == "2026-03-03T09:00:00Z"


async def test_session_of_nobody_we_know_changes_nothing(scheduling: ServiceUnderTest) -> None:
    """A session of another recording tool, with ids unknown here or none, is no error."""
    outcome = await scheduling.deliver(completed("s-1"), completed("s-2", interview_id="x", request_id="y"))
    assert (len(outcome.applied), len(outcome.refused)) == (2, 0)


async def test_shipped_feature_is_to_be_told_once(scheduling: ServiceUnderTest) -> None:
    """Each participant behind a shipped feature gets one notice with contact details, however often the event comes."""
    await scheduling.deliver(demo("r-1"))
    known = (await get(scheduling, "/participants"))[0]["participant_id"]
    again = scheduling.record(status("f-1", 1, "shipped", known, "p-elsewhere", known), event_id="again")
    await scheduling.deliver(status("f-1", 1, "shipped", known, "p-elsewhere", known), again, again)
    notices = {notice["participant_id"]: notice for notice in await get(scheduling, "/notices")}
    assert set(notices) == {known, "p-elsewhere"}
    assert (notices[known]["name"], notices[known]["email"]) == ("Ana Ruiz", "ana@example.com")
    assert (notices[known]["title"], notices[known]["status"]) == ("Export with formulas", "shipped")
    assert notices["p-elsewhere"]["name"] is None


async def test_stale_status_is_not_told(scheduling: ServiceUnderTest) -> None:
    """An older version that comes late adds nobody, not even those only it names."""
    await scheduling.deliver(status("f-1", 3, "shipped", "p-1"), status("f-1", 2, "planned", "p-1", "p-2"))
    notices = await get(scheduling, "/notices")
    assert [(notice["participant_id"], notice["status"]) for notice in notices] == [("p-1", "shipped")]


async def test_newer_status_replaces_what_was_not_told(scheduling: ServiceUnderTest) -> None:
    """A notice that nobody acted on lapses when the feature moves on; a told one stays told."""
    await scheduling.deliver(status("f-1", 1, "planned", "p-1", "p-2"))
    first = (await get(scheduling, "/notices"))[0]
    await post(scheduling, f"/notices/{first['notice_id']}/told")
    await scheduling.deliver(status("f-1", 2, "shipped", "p-1", "p-2"))
    assert [notice["status"] for notice in await get(scheduling, "/notices")] == ["shipped", "shipped"]
    assert len(await get(scheduling, "/notices?state=told")) == 1
    assert len(await get(scheduling, "/notices?state=superseded")) == 1


async def test_same_status_is_not_told_again(scheduling: ServiceUnderTest) -> None:
    """A new version with the same status is news only to those it adds."""
    await scheduling.deliver(status("f-1", 1, "planned", "p-1"), status("f-1", 2, "planned", "p-1", "p-2"))
    notices = await get(scheduling, "/notices")
    assert sorted((notice["participant_id"], notice["status"]) for notice in notices) == [
        ("p-1", "planned"),
        ("p-2", "planned"),
    ]


async def test_considering_is_no_news(scheduling: ServiceUnderTest) -> None:
    """That an idea is new or being considered is told to nobody, and takes an older open promise back."""
    await scheduling.deliver(status("f-1", 1, "planned", "p-1"), status("f-1", 2, "considered", "p-1"))
    assert await get(scheduling, "/notices") == []


async def test_erasing_forgets_the_person_and_calls_interviews_off(scheduling: ServiceUnderTest) -> None:
    """After an erasure no answer holds a name, an address or a question of theirs, and what was booked is cancelled."""
    await scheduling.deliver(demo("r-1"))
    person = (await get(scheduling, "/participants"))[0]["participant_id"]
    await scheduling.deliver(status("f-1", 1, "shipped", person))
    erased = await post(scheduling, f"/participants/{person}/erase")
    assert (erased["name"], erased["email"], erased["company"], erased["phone"]) == (None, None, None, None)
    assert await get(scheduling, "/participants") == []
    assert await get(scheduling, "/notices") == []
    request = await get(scheduling, "/requests/r-1")
    assert (request["state"], request["questions"], request["preferred_times"]) == ("cancelled", [], [])
    assert (request["interview"]["state"], request["interview"]["cancelled_by"]) == ("cancelled", "participant")
    [cancelled] = await scheduling.published(InterviewCancelled)
    assert (cancelled.version, cancelled.cancelled_by) == (2, "participant")
    [event] = await scheduling.published(ParticipantErased)
    assert (event.participant_id, event.erased_at) == (person, START)


async def test_own_erasure_that_comes_back_changes_nothing(scheduling: ServiceUnderTest) -> None:
    """The service hears its own event, and a second call of the endpoint, without doing anything again."""
    await scheduling.deliver(demo("r-1"))
    person = (await get(scheduling, "/participants"))[0]["participant_id"]
    await post(scheduling, f"/participants/{person}/erase")
    await scheduling.deliver(*await scheduling.published(ParticipantErased))
    await post(scheduling, f"/participants/{person}/erase")
    assert len(await scheduling.published(InterviewCancelled)) == 1
    assert len(await scheduling.published(ParticipantErased)) == 1


async def test_erasure_of_somebody_unknown_is_remembered(scheduling: ServiceUnderTest) -> None:
    """A participant erased elsewhere is never put on the list of whom to tell."""
    await scheduling.deliver(ParticipantErased(participant_id="p-1", erased_at=START))
    await scheduling.deliver(status("f-1", 1, "shipped", "p-1", "p-2"))
    assert [notice["participant_id"] for notice in await get(scheduling, "/notices")] == ["p-2"]


async def test_erased_person_may_come_back_as_somebody_new(scheduling: ServiceUnderTest) -> None:
    """A later request from the same address starts a new participant; the old request heard again starts nothing."""
    await scheduling.deliver(demo("r-1"))
    person = (await get(scheduling, "/participants"))[0]["participant_id"]
    await post(scheduling, f"/participants/{person}/erase")
    await scheduling.deliver(demo("r-1"))
    assert await get(scheduling, "/participants") == []
    await scheduling.deliver(demo("r-2"))
    [again] = await get(scheduling, "/participants")
    assert again["participant_id"] != person


async def test_waiting_request_of_an_erased_person_is_not_booked(scheduling: ServiceUnderTest) -> None:
    """What waits for a time stops waiting when the person is forgotten."""
    await scheduling.deliver(demo("r-1", study_id="later"))
    person = (await get(scheduling, "/participants"))[0]["participant_id"]
    await scheduling.deliver(ParticipantErased(participant_id=person, erased_at=datetime(2026, 3, 2, tzinfo=UTC)))
    assert (await get(scheduling, "/requests/r-1"))["state"] == "cancelled"
    assert await post(scheduling, "/requests/retry") == {"booked": 0, "waiting": 0}
