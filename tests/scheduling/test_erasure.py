"""The proof of an erasure: who asked, what each service answered, who is overdue, and what the log still holds."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.scheduling.erasures import Answer, Erasure, Expiry, report
from services.scheduling.settings import SchedulingSettings
from services.scheduling.watching import look, overdue_in
from shared.contract.events import DemoRequested, ErasureCompleted, InterviewCancelled, ParticipantErased
from shared.runtime.service import Work
from shared.runtime.telemetry import Metrics
from tests.scheduling.support import MIA, STUDY, demo, get, page, post, send, submit, text_of
from tests.support.dump import dump
from tests.support.service import START, FakeRecord, ServiceUnderTest

SERVICES = ["scheduling", "sessions", "insights", "roadmap", "kpi"]
LATER = START + timedelta(seconds=2)
DAY = timedelta(days=1)


def answered(service: str, participant_id: str = "p-1", **removed: int) -> ErasureCompleted:
    return ErasureCompleted(
        participant_id=participant_id,
        service=service,
        erased_at=START,
        completed_at=LATER,
        removed=removed,
        kept={"words": "none"},
    )


async def erased_person(scheduling: ServiceUnderTest, **asked: Any) -> str:
    """The id of somebody who asked for a demo and then to be forgotten."""
    await scheduling.deliver(demo("r-1", **asked))
    person: str = (await get(scheduling, "/participants"))[0]["participant_id"]
    await post(scheduling, f"/participants/{person}/erase")
    return person


@pytest.fixture
async def bookable(scheduling: ServiceUnderTest) -> ServiceUnderTest:
    await post(scheduling, "/studies", STUDY)
    await post(scheduling, "/hosts", MIA)
    return scheduling


async def test_the_report_says_who_asked_and_who_has_not_answered(bookable: ServiceUnderTest) -> None:
    """Scheduling answers at once with its counts; the other four are waited for, and the topics are named."""
    person = await erased_person(bookable)
    await bookable.deliver(*await bookable.published(ErasureCompleted))
    found = await get(bookable, f"/erasures/{person}")
    assert (found["requested_by"], found["requested_at"], found["times_asked"]) == ("ana", "2026-03-02T09:00:00Z", 1)
    assert (found["waiting_for"], found["completed_at"], found["is_overdue"]) == (SERVICES[1:], None, False)
    own = found["services"][0]
    assert own["service"] == "scheduling"
    assert {table: own["removed"][table] for table in ("participants", "requests", "interviews", "notices")} == {
        "participants": 1,
        "requests": 1,
        "interviews": 1,
        "notices": 0,
    }
    assert own["kept"]["participants"] == "the bare id, so that nothing late brings the person back"
    topics = {entry["topic"]: entry for entry in found["log"]}
    assert topics["earshot.demo-requested.v1"]["holds"] == ["request_id", "contact", "questions", "segment"]
    assert topics["earshot.participant-erased.v1"]["stays"]
    assert {entry["gone_by"] for entry in found["log"]} == {None}


async def test_the_report_is_complete_when_all_five_have_answered(scheduling: ServiceUnderTest) -> None:
    """Then it says when, and by which day each topic has lost what it held: retention, a segment and a day's grace."""
    await scheduling.deliver(ParticipantErased(participant_id="p-1", erased_at=START))
    await scheduling.deliver(*(answered(service, notes=3) for service in SERVICES))
    found = await get(scheduling, "/erasures/p-1")
    assert (found["waiting_for"], found["completed_at"], found["requested_by"]) == ([], "2026-03-02T09:00:02Z", None)
    assert found["services"][1]["removed"] == {"notes": 3}
    gone = {entry["topic"]: entry["gone_by"] for entry in found["log"]}
    assert gone["earshot.demo-requested.v1"] == "2026-03-11T09:00:02Z"
    assert gone["earshot.insight-tagged.v1"] == "2027-03-10T09:00:02Z"
    assert gone["earshot.participant-erased.v1"] is None


async def test_somebody_known_elsewhere_can_be_erased(scheduling: ServiceUnderTest) -> None:
    """A voter whom scheduling never met is forgotten by the id that other systems use; twice asks once."""
    for _ in range(2):
        found = await post(scheduling, "/erasures", {"participant_id": "customer-17"})
        assert found["waiting_for"] == SERVICES
    [asked] = await scheduling.published(ParticipantErased)
    assert (asked.participant_id, asked.erased_at) == ("customer-17", START)
    [own] = await scheduling.published(ErasureCompleted)
    assert own.removed["participants"] == 0


async def test_silent_services_are_asked_again(scheduling: ServiceUnderTest) -> None:
    """The same erasure goes out once more under the time it first had; the counts of several answers add up."""
    await post(scheduling, "/erasures", {"participant_id": "p-1"})
    scheduling.now = START + DAY
    found = await post(scheduling, "/erasures/p-1/ask-again")
    assert (found["times_asked"], found["asked_at"]) == (2, "2026-03-03T09:00:00Z")
    assert [event.erased_at for event in await scheduling.published(ParticipantErased)] == [START, START]
    first = answered("kpi", evidence=2)
    again = first.model_copy(update={"completed_at": START + DAY, "removed": {"evidence": 1, "outbox": 0}})
    await scheduling.deliver(first, again, scheduling.record(again))
    [kpi] = [one for one in (await get(scheduling, "/erasures/p-1"))["services"] if one["service"] == "kpi"]
    assert (kpi["answered_at"], kpi["removed"]) == ("2026-03-02T09:00:02Z", {"evidence": 3, "outbox": 0})


async def test_overdue_erasures_are_counted(scheduling: ServiceUnderTest) -> None:
    """An erasure that one service has not answered after a day is overdue; one that all have answered is not."""
    for person in ("p-1", "p-2", "p-3"):
        await post(scheduling, "/erasures", {"participant_id": person})
    await scheduling.deliver(*(answered(service, "p-1") for service in SERVICES))
    await scheduling.deliver(*(answered(service, "p-2") for service in SERVICES[:-1]))
    settings = SchedulingSettings.model_validate(scheduling.app.state.settings.model_dump())
    work = Work(scheduling.database, settings, Metrics())
    assert await look(work, DAY) == 0
    scheduling.now = START + DAY + timedelta(seconds=1)
    assert await look(work, DAY) == 2
    listed = {one["participant_id"]: one["is_overdue"] for one in await get(scheduling, "/erasures")}
    assert listed == {"p-1": False, "p-2": True, "p-3": True}
    assert overdue_in(work.metrics.registry) is overdue_in(work.metrics.registry)


async def test_an_answer_may_be_heard_before_the_question(scheduling: ServiceUnderTest) -> None:
    """After a restored backup the answers may come first; who asked is then unknown, and nothing is refused."""
    outcome = await scheduling.deliver(answered("kpi"))
    assert outcome.refused == []
    found = await get(scheduling, "/erasures/p-1")
    assert (found["requested_by"], found["waiting_for"]) == (None, SERVICES[:-1])


async def test_letters_with_the_contact_details_are_emptied(scheduling: ServiceUnderTest) -> None:
    """A dead letter that knows the person by address, name or phone alone is found, in any spelling; others stay."""
    refused = [
        {"email": "ANA@example.com"},
        {"name": "Ana  Ruíz"},
        {"phone": "0034 911 234 567"},
        {"email": "joana@example.com", "name": "Anabel Ruiz"},
    ]
    letters = [
        FakeRecord("earshot.demo-requested.v1", json.dumps({"contact": contact}).encode(), [], offset=1000 + number)
        for number, contact in enumerate(refused)
    ]
    await scheduling.deliver(*letters)
    asked = demo("r-1")
    contact = asked.contact.model_copy(update={"name": "Ana Rui\u0301z", "phone": "+34 911 234567"})
    await scheduling.deliver(asked.model_copy(update={"contact": contact}))
    [person] = [one["participant_id"] for one in await get(scheduling, "/participants")]
    await post(scheduling, f"/participants/{person}/erase")
    states = await scheduling.database.fetch("SELECT state FROM dead_letters ORDER BY number")
    assert [row["state"] for row in states] == ["erased", "erased", "erased", "open"]


async def test_a_request_that_has_not_gone_out_is_withdrawn(bookable: ServiceUnderTest) -> None:
    """DemoRequested is nothing but the person and never goes out; that the interview is off must be heard."""
    body = demo("r-1").model_dump(mode="json", exclude={"segment"})
    await post(bookable, "/requests", body)
    assert len(await bookable.published(DemoRequested)) == 1
    [person] = [one["participant_id"] for one in await get(bookable, "/participants")]
    await post(bookable, f"/participants/{person}/erase")
    assert await bookable.published(DemoRequested) == []
    assert len(await bookable.published(InterviewCancelled)) == 1
    for table, text in (await dump(bookable.database.fetch, "scheduling")).items():
        assert "Ana Ruiz" not in text, table
        assert "ana@example.com" not in text, table
        assert "Can I keep" not in text, table


async def test_a_late_request_of_an_erased_person_is_not_taken_in(scheduling: ServiceUnderTest) -> None:
    """What was asked for before the erasure is the erased person's, under any id; over HTTP that is told."""
    await erased_person(scheduling)
    outcome = await scheduling.deliver(demo("r-2", requested_at=START - DAY))
    assert (len(outcome.applied), await get(scheduling, "/participants")) == (1, [])
    body = demo("r-3", requested_at=START - DAY).model_dump(mode="json")
    refused = await send(scheduling, "/requests", body)
    assert (refused.status_code, "asked to be forgotten" in refused.json()["detail"]) == (409, True)
    await scheduling.deliver(demo("r-4", requested_at=START + DAY))
    assert len(await get(scheduling, "/participants")) == 1


async def test_an_erased_request_is_known_by_its_id(scheduling: ServiceUnderTest) -> None:
    """Heard again when its row is gone, a request stays the erased person's, however its sender's clock went."""
    await erased_person(scheduling, requested_at=START + DAY)
    for table in ("inbox", "bookings", "interviews", "requests"):
        await scheduling.database.pool.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above
    await scheduling.deliver(demo("r-1", requested_at=START + DAY))
    assert await get(scheduling, "/participants") == []


async def test_the_page_shows_the_proof_to_administrators_alone(bookable: ServiceUnderTest) -> None:
    """List and report name nobody, say who is waited for, and offer the report as a file; a researcher sees neither."""
    person = await erased_person(bookable)
    await bookable.deliver(*await bookable.published(ErasureCompleted))
    bookable.now = START + DAY + timedelta(hours=1)
    listed = text_of(await page(bookable, "/erasures", "admin"))
    assert "Overdue for sessions, insights, roadmap, kpi" in listed
    shown = await page(bookable, f"/erasures/{person}", "admin")
    assert f'href="/api/v1/erasures/{person}"' in shown.text
    assert "participants 1" in text_of(shown)
    assert "Ana Ruiz" not in shown.text + listed
    assert "/erasures" in (await page(bookable, "/", "admin")).text
    assert "/erasures" not in (await page(bookable, "/", "researcher")).text
    assert (await page(bookable, "/erasures", "manager")).status_code == 403
    assert (await send(bookable, "/erasures", {"participant_id": "x"}, "manager")).status_code == 403


async def test_answers_about_people_are_stored_nowhere(bookable: ServiceUnderTest) -> None:
    """Neither browsers nor proxies keep API answers; pages are the reader's own and are asked for again."""
    await bookable.deliver(demo("r-1"))
    answer = await bookable.client.get("/api/v1/participants", headers=bookable.headers())
    assert answer.headers["cache-control"] == "no-store"
    assert (await page(bookable, "/")).headers["cache-control"] == "private, no-cache"


async def test_the_page_forgets_and_asks_again(scheduling: ServiceUnderTest) -> None:
    """An id typed into the form is erased, a wrong one is explained, and a button asks the services once more."""
    wrong = await submit(scheduling, "/erasures", {"participant_id": "no id!"}, "admin")
    assert wrong.status_code == 422
    done = await submit(scheduling, "/erasures", {"participant_id": "customer-17"}, "admin")
    assert (done.status_code, done.headers["location"]) == (303, "/erasures/customer-17")
    await submit(scheduling, "/erasures/customer-17/ask-again", {}, "admin")
    assert len(await scheduling.published(ParticipantErased)) == 2
    assert (await page(scheduling, "/erasures/nobody", "admin")).status_code == 404


def test_another_system_that_answers_is_shown_too() -> None:
    """Who must answer stands first; an adapter's answer is part of the proof, not of what is waited for."""
    answers = [Answer("webhooks", LATER, {"deliveries": 4}, {}), Answer("kpi", LATER, {}, {})]
    erasure = Erasure("p-1", START, START, None, START, 1, answers)
    found = report(erasure, ["kpi"], [Expiry("t", ("quote",), DAY)], START, DAY)
    assert [(one.service, dict(one.removed)) for one in found.standings] == [
        ("kpi", {}),
        ("webhooks", {"deliveries": 4}),
    ]
    assert (found.completed_at, found.remnants[0].gone_by) == (LATER, LATER + DAY)
