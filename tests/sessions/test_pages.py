"""The pages of sessions: what they say and what their forms do, without any script."""

import re
from datetime import timedelta

import httpx
import pytest

from shared.contract.events import SessionCompleted
from tests.sessions.examples import BOOKED, VTT, Desk, cancelled, erased, scheduled
from tests.support.service import ServiceUnderTest

NOWHERE = "7b0c9d6e-0000-4000-8000-000000000000"
FORMS = [
    "sessions",
    *(f"sessions/{NOWHERE}/{form}" for form in ("start", "asked/1", "notes", "transcript", "complete")),
]


class Browser:
    """Somebody with a browser; `page` follows no redirects."""

    def __init__(self, service: ServiceUnderTest, role: str = "researcher") -> None:
        self._service = service
        self._headers = service.headers(role) | {"Accept": "text/html"}

    async def page(self, path: str, status: int = 200, **headers: str) -> str:
        answer = await self._service.client.get(f"/{path}", headers=self._headers | headers)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, path: str, **fields: str) -> httpx.Response:
        return await self._service.client.post(f"/{path}", data=fields, headers=self._headers)

    async def upload(self, session_id: str, name: str, content: bytes) -> httpx.Response:
        return await self._service.client.post(
            f"/sessions/{session_id}/transcript", files={"file": (name, content)}, headers=self._headers
        )


@pytest.fixture
def browser(sessions: ServiceUnderTest) -> Browser:
    return Browser(sessions)


@pytest.mark.parametrize("path", ["", f"sessions/{NOWHERE}"])
async def test_pages_need_somebody_signed_in(sessions: ServiceUnderTest, path: str) -> None:
    """A stranger is asked to sign in."""
    answer = await sessions.client.get(f"/{path}", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "Sign in" in answer.text


@pytest.mark.parametrize("form", FORMS)
async def test_forms_are_not_for_viewers(sessions: ServiceUnderTest, form: str) -> None:
    """Every form answers a viewer with 403, and nobody else's with an unknown session but 404."""
    assert (await Browser(sessions, "viewer").send(form)).status_code == 403
    if form != "sessions":
        answer = await Browser(sessions, "note_taker").send(form, text="x", asked="true")
        assert answer.status_code in {404, 422}


async def test_an_empty_list_says_what_will_be_there(browser: Browser) -> None:
    """Without sessions the page says why it is empty and how to hold one."""
    page = await browser.page("")
    assert "No interviews yet" in page
    assert "Hold an interview without a booking" in page


async def test_the_list_groups_by_day(desk: Desk, browser: Browser) -> None:
    """Running, today's, later, missed and completed sessions stand under their own headings."""
    for session_id, starts_at in (("late", "03-01T09"), ("soon", "03-02T23"), ("later", "03-05T09")):
        body = {"session_id": session_id, "participant_id": f"p-{session_id}", "starts_at": f"2026-{starts_at}:30:00Z"}
        await desk.post("sessions", body)
    await desk.post(f"sessions/{await desk.running()}/complete")
    page = await browser.page("")
    headings = ["One interview is due today.", "Today</h2>", "p-soon", "Upcoming</h2>", "p-later"]
    places = [page.index(text) for text in [*headings, "never started</h2>", "p-late<", "Completed</h2>"]]
    assert places == sorted(places)
    assert "Running</h2>" not in page
    in_berlin = await browser.page("", Cookie="zone=Europe%2FBerlin")
    assert "Today</h2>" not in in_berlin


async def test_a_session_is_added_by_form(desk: Desk, browser: Browser) -> None:
    """The form adds a session moderated by its sender and leads to its room."""
    answer = await browser.send("sessions", participant_id="p-7", study_id="")
    assert answer.status_code == 303
    session = await desk.session(answer.headers["location"].rpartition("/")[2])
    assert (session["participant_id"], session["study_id"], session["moderator_id"]) == ("p-7", None, "ana")


async def test_a_wrong_session_form_keeps_what_was_typed(browser: Browser) -> None:
    """A participant that cannot be answers 422 with the form, its text escaped, and adds nothing."""
    answer = await browser.send("sessions", participant_id='"><script>alert(1)</script>', study_id="study-9")
    assert answer.status_code == 422
    assert "Something needs mending" in answer.text
    assert "<script>alert" not in answer.text
    assert 'value="study-9"' in answer.text
    assert "No interviews yet" in await browser.page("")


async def test_an_unknown_room_is_not_found(browser: Browser) -> None:
    """A room that does not exist answers with a page that says so."""
    assert "No such session" in await browser.page(f"sessions/{NOWHERE}", 404)


async def test_the_room_before_the_interview(sessions: ServiceUnderTest, browser: Browser) -> None:
    """A planned room shows the guide, the customer's questions and how to start; nothing can be ticked."""
    await sessions.deliver(scheduled())
    page = await browser.page(f"sessions/{BOOKED}")
    assert "Planned" in page
    assert "Start the interview" in page
    assert "What were you trying to get done?" in page
    assert "Can I export to a spreadsheet?" in page
    assert "asked/1" not in page
    assert "Complete the interview" not in page


async def test_the_way_through_the_room(sessions: ServiceUnderTest, browser: Browser) -> None:
    """Start, tick, note, upload and complete by forms alone; the other services hear of it once."""
    await sessions.deliver(scheduled())
    room = f"sessions/{BOOKED}"
    assert (await browser.send(f"{room}/start")).status_code == 303
    running = await browser.page(room)
    assert "Ask now" in running
    assert "1 of 7" in running
    assert (await browser.send(f"{room}/asked/1", asked="true")).status_code == 303
    assert "2 of 7" in await browser.page(room)
    sessions.now += timedelta(seconds=75)
    assert (await browser.send(f"{room}/notes", kind="note", text="she sighs")).status_code == 303
    noted = await browser.page(room)
    assert "she sighs" in noted
    assert "1:15" in noted
    assert (await browser.upload(BOOKED, "call.vtt", VTT)).status_code == 303
    assert "2 turns are kept" in await browser.page(room)
    assert (await browser.send(f"{room}/complete", moderator="Ana")).status_code == 303
    completed = await browser.page(room)
    assert "How well we listened" in completed
    assert "20%" in completed
    assert "I copy every row by hand." in completed
    assert "Complete the interview" not in completed
    assert "Guide and transcript stay as they are" in completed
    assert re.findall('method="post" action="[^"]*/([a-z-]+)"', completed) == ["sign-out", "notes"]
    assert (await browser.send(f"{room}/notes", kind="note", text="ask about sums next time")).status_code == 303
    assert "ask about sums next time" in await browser.page(room)
    assert len(await sessions.published(SessionCompleted)) == 1


async def test_the_time_left_counts_from_the_planned_start(sessions: ServiceUnderTest, browser: Browser) -> None:
    """An interview started hours early has no time left to tell; within its planned hour the room tells it."""
    await sessions.deliver(scheduled(starts_at=sessions.now + timedelta(hours=2)))
    await browser.send(f"sessions/{BOOKED}/start")
    assert " left</span>" not in await browser.page(f"sessions/{BOOKED}")
    sessions.now += timedelta(hours=2, minutes=15)
    assert "45 minutes left</span>" in await browser.page(f"sessions/{BOOKED}")


async def test_after_the_last_question_the_customer_asks(desk: Desk, browser: Browser) -> None:
    """When the whole guide is asked, the room says whose turn it is."""
    await desk.put("guides/study-1", {"questions": ["Why?"]})
    session_id = await desk.running()
    await browser.send(f"sessions/{session_id}/asked/1", asked="true")
    assert "Now it is the customer's turn." in await browser.page(f"sessions/{session_id}")


async def test_a_tick_is_taken_back(desk: Desk, browser: Browser) -> None:
    """The same button unticks a question."""
    session_id = await desk.running()
    await browser.send(f"sessions/{session_id}/asked/1", asked="true")
    await browser.send(f"sessions/{session_id}/asked/1", asked="false")
    assert (await desk.get(f"sessions/{session_id}/asked"))[1] == {"asked": []}


async def test_an_empty_note_is_told(desk: Desk, browser: Browser) -> None:
    """An empty note answers 422 and says what to do, an empty bookmark is one."""
    session_id = await desk.running()
    answer = await browser.send(f"sessions/{session_id}/notes", kind="quote", text="  ")
    assert answer.status_code == 422
    assert "Write what was said or seen." in answer.text
    assert (await browser.send(f"sessions/{session_id}/notes", kind="bookmark", text="")).status_code == 303
    assert [note["kind"] for note in (await desk.get(f"sessions/{session_id}/notes"))[1]] == ["bookmark"]


async def test_a_note_that_is_too_long_is_not_lost(desk: Desk, browser: Browser) -> None:
    """A note that cannot be kept comes back in the form."""
    session_id = await desk.running()
    text = "x" * 20_001
    answer = await browser.send(f"sessions/{session_id}/notes", kind="note", text=text)
    assert answer.status_code == 422
    assert text in answer.text


async def test_a_form_sent_twice_notes_once(desk: Desk, browser: Browser) -> None:
    """The form carries the note's id, so that a second click adds nothing."""
    session_id = await desk.running()
    for _ in range(2):
        answer = await browser.send(f"sessions/{session_id}/notes", kind="note", text="she sighs", note_id="n-1")
        assert answer.status_code == 303
    assert len((await desk.get(f"sessions/{session_id}/notes"))[1]) == 1


async def test_what_people_write_is_no_markup(sessions: ServiceUnderTest, desk: Desk, browser: Browser) -> None:
    """Notes, questions, guides and transcripts are shown as text."""
    evil = "<script>alert(1)</script>"
    await desk.put("guides/study-1", {"questions": [f"guide {evil}"]})
    await sessions.deliver(scheduled(questions=(f"question {evil}",)))
    await browser.send(f"sessions/{BOOKED}/start")
    await browser.send(f"sessions/{BOOKED}/notes", kind="quote", text=f"note {evil}")
    await browser.upload(BOOKED, "call.txt", f"transcript {evil}".encode())
    page = await browser.page(f"sessions/{BOOKED}")
    assert "<script>alert" not in page
    for place in ("guide", "question", "note", "transcript"):
        assert f"{place} &lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("", b"", "Choose the transcript&#39;s file."),
        ("call.vtt", b"nonsense", "line 1: not WebVTT"),
        ("call.txt", b"", "the file is empty"),
    ],
)
async def test_a_wrong_file_is_told(desk: Desk, browser: Browser, name: str, content: bytes, says: str) -> None:
    """A missing or unreadable file answers 422 at its field."""
    session_id = await desk.running()
    answer = await browser.upload(session_id, name, content)
    assert answer.status_code == 422
    assert says in answer.text


async def test_a_file_field_without_a_file_is_told(desk: Desk, browser: Browser) -> None:
    """A form without any file answers 422 too."""
    assert (await browser.send(f"sessions/{await desk.running()}/transcript", file="x")).status_code == 422


async def test_a_conflict_is_a_page(sessions: ServiceUnderTest, browser: Browser) -> None:
    """Starting a cancelled interview answers 409 with a page that says what to do."""
    await sessions.deliver(scheduled(), cancelled())
    answer = await browser.send(f"sessions/{BOOKED}/start")
    assert answer.status_code == 409
    assert "book it again" in answer.text
    room = await browser.page(f"sessions/{BOOKED}")
    assert "will not take place" in room
    assert "Add note" not in room


async def test_a_cancellation_without_its_booking_has_a_room(sessions: ServiceUnderTest, browser: Browser) -> None:
    """A room whose times are not known yet is shown without them."""
    await sessions.deliver(cancelled())
    assert "Cancelled" in await browser.page(f"sessions/{BOOKED}")


async def test_a_viewer_reads_and_sees_no_forms(sessions: ServiceUnderTest, desk: Desk) -> None:
    """A viewer's pages have no form but the one to sign out."""
    session_id = await desk.running()
    await desk.upload(session_id, VTT)
    viewer = Browser(sessions, "viewer")
    for path in ("", f"sessions/{session_id}"):
        page = await viewer.page(path)
        assert page.count('method="post"') == page.count("/sign-out") == 1


async def test_a_forgotten_participants_room_says_so(sessions: ServiceUnderTest, desk: Desk, browser: Browser) -> None:
    """After an erasure the room shows nothing of the person and takes nothing more."""
    await sessions.deliver(scheduled())
    await desk.post(f"sessions/{BOOKED}/notes", {"text": "she sighs"})
    await sessions.deliver(erased("p-1"))
    page = await browser.page(f"sessions/{BOOKED}")
    assert "asked to be forgotten" in page
    for gone in ("p-1<", "she sighs", "Can I export", "Add note", "Upload"):
        assert gone not in page


@pytest.mark.parametrize(
    ("content", "says"), [(None, "there is no transcript"), (b"Ana: Why?", "does not say when the moderator speaks")]
)
async def test_what_cannot_be_measured_says_why(desk: Desk, browser: Browser, content: bytes | None, says: str) -> None:
    """Without a transcript, or without times in it, the page says why no measures are shown."""
    session_id = await desk.running()
    if content is not None:
        await browser.upload(session_id, "call.txt", content)
    await browser.send(f"sessions/{session_id}/complete")
    assert says in await browser.page(f"sessions/{session_id}")
