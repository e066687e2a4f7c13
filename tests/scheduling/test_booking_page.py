"""The public pages: book a time without signing in, and see what became of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.contract.events import DemoRequested, InterviewScheduled
from tests.scheduling.support import (
    FIRST,
    MIA,
    PAGE,
    SECOND,
    STUDY,
    TOM,
    booking_form,
    demo,
    get,
    interview_of,
    page,
    post,
    submit,
    text_of,
)
from tests.support.service import ServiceUnderTest


async def test_visitor_sees_times_on_the_own_clock(scheduling: ServiceUnderTest) -> None:
    """Without signing in, the page shows the days and times of the chosen zone and sends UTC."""
    answer = await page(scheduling, "/book?timezone=Asia/Kolkata", role=None)
    assert answer.status_code == 200
    text = text_of(answer)
    assert "Times in Asia/Kolkata." in text
    assert "Tuesday, 3 March 2026 14:30" in text
    assert 'value="2026-03-03T09:00:00+00:00"' in answer.text


async def test_zone_cookie_decides_the_clock(scheduling: ServiceUnderTest) -> None:
    """A returning visitor sees the own zone without choosing it."""
    answer = await scheduling.client.get("/book", headers=PAGE | {"cookie": "zone=America%2FNew_York"})
    assert "Times in America/New_York." in text_of(answer)


async def test_page_shows_five_days_and_links_to_the_others(scheduling: ServiceUnderTest) -> None:
    """Later days have an address of their own, which links back."""
    first = await page(scheduling, "/book?timezone=UTC", role=None)
    assert "/book?timezone=UTC&amp;from=2026-03-10" in first.text
    later = await page(scheduling, "/book?timezone=UTC&from=2026-03-10", role=None)
    assert "Tuesday, 10 March 2026" in text_of(later)
    assert "Tuesday, 3 March 2026" not in text_of(later)
    assert "from=2026-03-03" in later.text


async def test_chosen_time_is_booked(scheduling: ServiceUnderTest) -> None:
    """The form books exactly that time, tells other systems, and leads to a page on the customer's clock."""
    form = booking_form(SECOND, company="Northwind", questions="Can I keep my formulas?\n\n And <b>charts</b>?")
    answer = await submit(scheduling, "/book?timezone=Europe/Madrid", form, role=None)
    assert answer.status_code == 303
    assert await scheduling.published_types() == ["DemoRequested", "InterviewScheduled"]
    [event] = await scheduling.published(InterviewScheduled)
    assert (event.starts_at, event.timezone) == (SECOND, "Europe/Madrid")
    assert event.questions == ("Can I keep my formulas?", "And <b>charts</b>?")
    booked = await page(scheduling, answer.headers["location"], role=None)
    text = text_of(booked)
    assert "Your demo is booked" in text
    assert "Tue, 3 Mar 2026, 11:00 CET" in text
    assert "mia@example.com" in text
    assert "<b>charts</b>" not in booked.text


async def test_form_sent_twice_books_once(scheduling: ServiceUnderTest) -> None:
    """A double click, even at the same moment, leads both times to the same page and to one interview."""
    form = booking_form()
    answers = await asyncio.gather(*(submit(scheduling, "/book", form, role=None) for _ in range(2)))
    again = await submit(scheduling, "/book", form, role=None)
    assert [answer.status_code for answer in (*answers, again)] == [303, 303, 303]
    assert len({answer.headers["location"] for answer in (*answers, again)}) == 1
    assert len(await scheduling.published(InterviewScheduled)) == 1
    assert len(await scheduling.published(DemoRequested)) == 1


async def test_own_event_of_the_form_changes_nothing(scheduling: ServiceUnderTest) -> None:
    """The request that the form announced comes back as an event and is known."""
    await submit(scheduling, "/book", booking_form(), role=None)
    await scheduling.deliver(*await scheduling.published(DemoRequested))
    assert len(await get(scheduling, "/interviews")) == 1


async def test_somebody_elses_request_id_opens_nothing(scheduling: ServiceUnderTest) -> None:
    """Who sends the id of another person's request gets a booking of their own, not a look at the other's."""
    form = booking_form()
    first = await submit(scheduling, "/book", form, role=None)
    stranger = form | {"email": "eve@example.com", "start": SECOND.isoformat()}
    second = await submit(scheduling, "/book", stranger, role=None)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] != second.headers["location"]


async def test_time_that_was_taken_meanwhile(scheduling: ServiceUnderTest) -> None:
    """The form comes back as it was, with the nearest free times, and nothing of the attempt is kept."""
    await scheduling.deliver(demo("r-1", FIRST, name="Ben Ito"))
    form = booking_form(FIRST, questions="Why?")
    answer = await submit(scheduling, "/book?timezone=UTC", form, role=None)
    assert answer.status_code == 409
    text = text_of(answer)
    assert "This time is taken by now. The nearest free ones: 3 Mar, 10:00;" in text
    assert 'value="Ana Ruiz"' in answer.text
    assert "Why?" in text
    assert [person["name"] for person in await get(scheduling, "/participants")] == ["Ben Ito"]
    assert await scheduling.published(DemoRequested) == []


async def test_two_visitors_one_time(scheduling: ServiceUnderTest) -> None:
    """Of two visitors who take the same time at the same moment one gets it, the other is told."""
    forms = [booking_form(), booking_form(name="Ben Ito", email="ben@example.com")]
    answers = await asyncio.gather(*(submit(scheduling, "/book", form, role=None) for form in forms))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert len(await get(scheduling, "/interviews")) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"start": ""}, "Choose a time."),
        ({"start": "soon"}, "Enter a date and time"),
        ({"name": ""}, "Fill this in."),
        ({"name": "x" * 301}, "Shorten this to 300 characters or fewer."),
        ({"name": "a\x00b"}, "contains a NUL character; remove it"),
        ({"email": "ana"}, "is no e-mail address"),
        ({"questions": "x\n" * 21}, "Keep it to 20 questions"),
        ({"request_id": "1"}, "Choose one of the options."),
    ],
)
async def test_wrong_form_comes_back_with_what_to_mend(
    scheduling: ServiceUnderTest, change: dict[str, Any], told: str
) -> None:
    """A form with a mistake is 422, says what to do, and keeps what was typed."""
    answer = await submit(scheduling, "/book", booking_form(company="Northwind") | change, role=None)
    assert answer.status_code == 422
    assert told in text_of(answer)
    assert 'value="Northwind"' in answer.text
    assert await scheduling.published_types() == []


@pytest.mark.parametrize("start", ["9999-12-30T23:59:00Z", "9999-12-31T23:59:00Z"])
async def test_time_beyond_all_calendars_is_refused(scheduling: ServiceUnderTest, start: str) -> None:
    """A form made by hand may name the last minutes of the year 9999; it comes back like any wrong one."""
    answer = await submit(scheduling, "/book", booking_form(None) | {"start": start}, role=None)
    assert answer.status_code == 422
    assert await scheduling.published_types() == []


async def test_hostile_input_is_shown_as_text(scheduling: ServiceUnderTest) -> None:
    """Markup in a field is never markup on a page, neither on the form nor on the team's pages."""
    form = booking_form(name="<script>alert(1)</script> 🦉 محمد", email="")
    answer = await submit(scheduling, "/book", form, role=None)
    assert "<script>alert" not in answer.text
    await submit(scheduling, "/book", form | {"email": "ana@example.com"}, role=None)
    inbox = await page(scheduling, "/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 🦉 محمد" in inbox.text
    assert "<script>alert" not in inbox.text


async def test_program_that_fills_the_trap_is_told_nothing(scheduling: ServiceUnderTest) -> None:
    """A filled trap field looks like success and leaves no trace."""
    answer = await submit(scheduling, "/book", booking_form(website="https://spam.example"), role=None)
    assert answer.status_code == 303
    assert await get(scheduling, "/requests") == []


async def test_without_times_wishes_are_asked_for(empty: ServiceUnderTest) -> None:
    """With nothing free the same page takes wishes on the visitor's clock; the first is booked once a host is there."""
    shown = await page(empty, "/book?timezone=Europe/Madrid", role=None)
    assert "Name up to three times, in Europe/Madrid" in text_of(shown)
    form = booking_form(None, wish_1="2026-03-05T10:00", wish_2="2026-03-06T10:00")
    answer = await submit(empty, "/book?timezone=Europe/Madrid", form, role=None)
    assert answer.status_code == 303
    waiting = await page(empty, answer.headers["location"], role=None)
    assert "We are looking for a time" in text_of(waiting)
    await post(empty, "/studies", STUDY)
    await post(empty, "/hosts", MIA)
    booked = await page(empty, answer.headers["location"], role=None)
    assert "Thu, 5 Mar 2026, 10:00 CET" in text_of(booked)


@pytest.mark.parametrize("wish", ["", "2026-03-01T10:00", "9999-12-31T23:00", "0001-01-01T00:00"])
async def test_impossible_wishes_are_refused(empty: ServiceUnderTest, wish: str) -> None:
    """A wish must be there and lie ahead, and not further than two years."""
    answer = await submit(empty, "/book", booking_form(None, wish_1=wish), role=None)
    assert answer.status_code == 422
    assert await get(empty, "/requests") == []


async def test_page_of_one_study(scheduling: ServiceUnderTest) -> None:
    """The address can name a study; its hosts alone are offered, and an unknown one is 404."""
    await post(scheduling, "/studies", STUDY | {"study_id": "other", "length_minutes": 30})
    await post(scheduling, "/hosts", TOM | {"studies": [{"study_id": "other"}]})
    shown = await page(scheduling, "/book?study=other", role=None)
    assert "30 minutes with somebody" in text_of(shown)
    answer = await submit(scheduling, "/book?study=other", booking_form(), role=None)
    assert answer.status_code == 303
    assert [found["study_id"] for found in await get(scheduling, "/interviews")] == ["other"]
    assert (await page(scheduling, "/book?study=nope", role=None)).status_code == 404


async def test_booked_page_follows_the_interview(scheduling: ServiceUnderTest) -> None:
    """The customer's page shows the new time after a move, that it was cancelled, and that it took place."""
    answer = await submit(scheduling, "/book?timezone=UTC", booking_form(), role=None)
    where = answer.headers["location"]
    interview = (await get(scheduling, "/interviews"))[0]["interview_id"]
    await post(scheduling, f"/interviews/{interview}/reschedule", {"starts_at": "2026-03-03T10:00:00Z"})
    assert "Tue, 3 Mar 2026, 10:00 UTC" in text_of(await page(scheduling, where, role=None))
    await post(scheduling, f"/interviews/{interview}/cancel")
    assert "This demo is cancelled" in text_of(await page(scheduling, where, role=None))


async def test_unknown_token_is_not_found(scheduling: ServiceUnderTest) -> None:
    """A guessed address shows nothing."""
    assert (await page(scheduling, "/booked/guess", role=None)).status_code == 404


async def test_grid_may_have_moved_but_the_time_is_still_free(scheduling: ServiceUnderTest) -> None:
    """A start between two offered ones is booked when a host is free then."""
    start = FIRST + timedelta(minutes=10)
    await submit(scheduling, "/book", booking_form(start), role=None)
    [found] = await get(scheduling, "/requests")
    assert (await interview_of(scheduling, found["request_id"]))["starts_at"] == "2026-03-03T09:10:00Z"


async def test_page_behind_the_gateway_stays_behind_it(scheduling: ServiceUnderTest) -> None:
    """Forms and redirects keep the prefix that the gateway takes off."""
    headers = PAGE | {"x-forwarded-prefix": "/scheduling"}
    shown = await scheduling.client.get("/book?timezone=UTC", headers=headers)
    assert 'action="/scheduling/book?timezone=UTC"' in shown.text
    answer = await scheduling.client.post("/book", data=booking_form(), headers=headers)
    assert answer.headers["location"].startswith("/scheduling/booked/")
