"""The team's pages: what each shows, what its forms do, and whom they refuse."""

from datetime import timedelta
from typing import Any

import pytest

from tests.scheduling.support import FIRST, SECOND, demo, get, interview_of, page, post, status, submit, text_of
from tests.support.service import START, ServiceUnderTest

NEW_HOST: dict[str, Any] = {
    "name": "Tom Okafor",
    "email": "tom@example.com",
    "timezone": "Europe/London",
    "days": ["mon", "tue"],
    "start": "09:00",
    "end": "17:00",
    "role": "moderator",
    "studies": ["close"],
}


@pytest.mark.parametrize("path", ["/", "/studies", "/notices"])
async def test_empty_pages_say_what_will_stand_there(empty: ServiceUnderTest, path: str) -> None:
    """A fresh service's pages explain themselves instead of being blank."""
    answer = await page(empty, path)
    assert answer.status_code == 200
    assert any(line in text_of(answer) for line in ("Nothing waits", "No study yet", "Nobody waits to hear from you"))


async def test_inbox_shows_who_waits_and_what_is_ahead(scheduling: ServiceUnderTest) -> None:
    """The longest waiting request stands first, with its reason; interviews ahead are in order of time."""
    await scheduling.deliver(
        demo("r-1", SECOND),
        demo("r-2", FIRST, name="Ben Ito"),
        demo("r-3", name="Cy Wu", study_id="later"),
        demo("r-4", name="Di Fox", study_id="later", requested_at=START - timedelta(days=2)),
    )
    text = text_of(await page(scheduling, "/"))
    assert "Waiting for a time: 2. Interviews ahead: 2." in text
    assert text.index("Di Fox") < text.index("Cy Wu") < text.index("Ben Ito") < text.index("Ana Ruiz")
    assert "2 days" in text
    assert "There is no study &#39;later&#39; yet; create it under this id." in text


async def test_waiting_requests_can_be_tried_again(scheduling: ServiceUnderTest) -> None:
    """The button books what can be booked by now, for instance because the calendar moved on."""
    await scheduling.deliver(*(demo(f"r-{n}", name=f"P{n} X") for n in range(80)))
    before = len(await get(scheduling, "/requests?state=waiting&limit=1000"))
    assert before > 0
    scheduling.now += timedelta(days=7)
    answer = await submit(scheduling, "/waiting/retry")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert len(await get(scheduling, "/requests?state=waiting&limit=1000")) < before


async def test_interview_page_shows_everything_needed(scheduling: ServiceUnderTest) -> None:
    """Who, when, with whom, how to reach them, what they ask."""
    await scheduling.deliver(demo("r-1", FIRST, segment={"plan": "business"}))
    interview = (await interview_of(scheduling))["interview_id"]
    text = text_of(await page(scheduling, f"/interviews/{interview}"))
    for line in ("Ana Ruiz", "ana@example.com", "+34 1", "Month-end close", "Mia Brandt", "Can I keep my formulas?"):
        assert line in text
    assert "Tue, 3 Mar 2026, 09:00 UTC" in text
    assert "Plan business" in text


async def test_interview_is_moved_and_called_off_on_its_page(scheduling: ServiceUnderTest) -> None:
    """Both forms do what they say and lead back to the page, which then shows the new state."""
    await scheduling.deliver(demo("r-1", FIRST))
    where = f"/interviews/{(await interview_of(scheduling))['interview_id']}"
    moved = await submit(scheduling, f"{where}/reschedule", {"starts_at": SECOND.isoformat()})
    assert (moved.status_code, moved.headers["location"]) == (303, where)
    assert "Tue, 3 Mar 2026, 10:00 UTC" in text_of(await page(scheduling, where))
    cancelled = await submit(scheduling, f"{where}/cancel", {"reason": "She is <i>ill</i>"})
    assert (cancelled.status_code, cancelled.headers["location"]) == (303, where)
    shown = await page(scheduling, where)
    assert "Cancelled" in text_of(shown)
    assert "<i>ill</i>" not in shown.text


async def test_wrong_moves_keep_the_page(scheduling: ServiceUnderTest) -> None:
    """No time is 422, a taken one 409, and both say why on the page."""
    await scheduling.deliver(demo("r-1", FIRST), demo("r-2", SECOND, name="Ben Ito"))
    where = f"/interviews/{(await interview_of(scheduling))['interview_id']}"
    nothing = await submit(scheduling, f"{where}/reschedule")
    assert (nothing.status_code, "Fill this in." in text_of(nothing)) == (422, True)
    taken = await submit(scheduling, f"{where}/reschedule", {"starts_at": SECOND.isoformat()})
    assert (taken.status_code, "No moderator of the study is free" in text_of(taken)) == (409, True)
    assert (await interview_of(scheduling))["version"] == 1


async def test_interview_of_an_erased_person_has_no_name(scheduling: ServiceUnderTest) -> None:
    """The page of a past interview stays, without the person."""
    await scheduling.deliver(demo("r-1", FIRST))
    interview = await interview_of(scheduling)
    await post(scheduling, f"/participants/{interview['participant_id']}/erase")
    answer = await page(scheduling, f"/interviews/{interview['interview_id']}")
    assert "Erased participant" in text_of(answer)
    assert "Ana" not in answer.text


async def test_study_and_host_are_added_on_the_page(empty: ServiceUnderTest) -> None:
    """The two forms are enough to make the service bookable."""
    fields = {"title": "Month-end close", "length_minutes": "30", "buffer_after_minutes": "10", "notice_minutes": "0"}
    assert (await submit(empty, "/studies", fields)).status_code == 303
    [study] = await get(empty, "/studies")
    assert (study["title"], study["length_minutes"], study["open"]) == ("Month-end close", 30, True)
    assert (await submit(empty, "/hosts", NEW_HOST | {"studies": [study["study_id"]]})).status_code == 303
    [host] = await get(empty, "/hosts")
    assert host["weekly"] == [{"days": ["mon", "tue"], "start": "09:00", "end": "17:00"}]
    await empty.deliver(demo("r-1"))
    assert (await interview_of(empty))["starts_at"] == "2026-03-02T09:00:00Z"
    assert "Tom Okafor moderator" in text_of(await page(empty, "/studies"))


async def test_study_is_closed_and_opened_on_the_page(scheduling: ServiceUnderTest) -> None:
    """The button in the row turns the study off and on."""
    for action, is_open in (("close", False), ("open", True)):
        answer = await submit(scheduling, f"/studies/close/{action}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/studies")
        assert (await get(scheduling, "/studies/close"))["open"] is is_open


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("/studies", {"title": ""}, "Title: Fill this in."),
        ("/studies", {"title": "x", "length_minutes": "3"}, "Enter 5 or more."),
        ("/studies", {"title": "x", "length_minutes": "long"}, "Enter a whole number"),
        ("/hosts", NEW_HOST | {"days": []}, "Days: Choose at least 1."),
        ("/hosts", NEW_HOST | {"timezone": "Mars/Olympus"}, "is no IANA time zone"),
        ("/hosts", NEW_HOST | {"start": "18:00"}, "does not end after it starts"),
        ("/hosts", NEW_HOST | {"end": "late"}, "is no time of day"),
    ],
)
async def test_wrong_forms_say_what_to_mend(
    scheduling: ServiceUnderTest, path: str, fields: dict[str, Any], told: str
) -> None:
    """A form with a mistake is 422, says what to do, and changes nothing."""
    answer = await submit(scheduling, path, fields)
    assert answer.status_code == 422
    assert told in text_of(answer)
    assert (len(await get(scheduling, "/studies")), len(await get(scheduling, "/hosts"))) == (1, 1)


async def test_host_for_a_study_that_is_gone_is_not_kept(scheduling: ServiceUnderTest) -> None:
    """A form that names an unknown study adds no host at all."""
    assert (await submit(scheduling, "/hosts", NEW_HOST | {"studies": ["nope"]})).status_code == 404
    assert len(await get(scheduling, "/hosts")) == 1


async def test_notice_is_ticked_off(scheduling: ServiceUnderTest) -> None:
    """The list shows how to reach whom about what; a told one leaves it."""
    await scheduling.deliver(demo("r-1"))
    person = (await get(scheduling, "/participants"))[0]["participant_id"]
    await scheduling.deliver(status("f-1", 1, "shipped", person, "p-elsewhere"))
    text = text_of(await page(scheduling, "/notices"))
    for line in (
        "Ana Ruiz",
        "ana@example.com",
        "Export with formulas",
        "Shipped 2 Mar 2026",
        "p-elsewhere",
        "not known here",
    ):
        assert line in text
    for notice in await get(scheduling, "/notices"):
        assert (await submit(scheduling, f"/notices/{notice['notice_id']}/told")).status_code == 303
    assert "Nobody waits to hear from you" in text_of(await page(scheduling, "/notices"))


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("GET /", "viewer"),
        ("POST /waiting/retry", "note_taker"),
        ("GET /interviews/x", "viewer"),
        ("POST /interviews/x/cancel", "viewer"),
        ("POST /interviews/x/reschedule", "viewer"),
        ("POST /studies", "viewer"),
        ("POST /studies/close/open", "viewer"),
        ("POST /hosts", "note_taker"),
        ("GET /notices", "note_taker"),
        ("POST /notices/00000000-0000-4000-8000-000000000000/told", "note_taker"),
    ],
)
async def test_pages_refuse_by_role(scheduling: ServiceUnderTest, path: str, role: str) -> None:
    """A page is 403 for a role it is not for, 401 for a stranger, and says so as a page."""
    method, where = path.split(" ")
    for headers, code in ((scheduling.headers(role), 403), ({}, 401)):
        answer = await scheduling.client.request(method, where, headers={"accept": "text/html"} | headers)
        assert answer.status_code == code
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/interviews/nope", "/interviews/nope/cancel", "/studies/nope/open"])
async def test_pages_of_nothing_are_404(scheduling: ServiceUnderTest, path: str) -> None:
    """An unknown id is a 404 page, for looking and for acting."""
    answer = await (page(scheduling, path) if path == "/interviews/nope" else submit(scheduling, path))
    assert answer.status_code == 404
