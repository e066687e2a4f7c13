"""The team's pages."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from shared.contract.events import FeaturePriorityChanged, FeatureStatusChanged
from tests.roadmap.events import add_idea, measured, tagged, voted
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with one idea that has a vote and an insight."""
    service = await start_service("roadmap")
    await add_idea(service, "export", kpi_ids=["activation"])
    await service.deliver(
        voted("export", "ana"),
        tagged("i-1", "export", "ben", importance=3),
        measured("activation", 50.0, objective=(40.0, 60.0)),
    )
    return service


async def page(roadmap: ServiceUnderTest, path: str, role: str = "manager") -> str:
    response = await roadmap.client.get(path, headers=roadmap.headers(role))
    assert response.status_code == 200, response.text
    return response.text


async def post(roadmap: ServiceUnderTest, path: str, form: dict[str, str], role: str = "manager") -> httpx.Response:
    return await roadmap.client.post(path, data=form, headers=roadmap.headers(role))


async def test_the_ranking_shows_open_ideas_with_their_terms(roadmap: ServiceUnderTest) -> None:
    """Rank, title, people and effort stand in the table, and that nothing is weighted yet."""
    await add_idea(roadmap, "done", status="shipped")
    text = await page(roadmap, "/")
    assert "Not weighted." in text
    assert "2 people took part, and each counts once." in text
    assert 'href="/ideas/export"' in text
    assert 'href="/ideas/done"' not in text
    assert 'href="/ideas/done"' in await page(roadmap, "/?show=shipped")


async def test_who_can_weight_the_votes_is_told_how(roadmap: ServiceUnderTest) -> None:
    """A manager finds the page where the customer base is entered, a researcher whom to ask."""
    mine, theirs = await page(roadmap, "/", "manager"), await page(roadmap, "/", "researcher")
    assert '<a href="/population">say how many customers you have</a>' in mine
    assert "say how many customers you have" not in theirs
    assert "ask an administrator to enter how many customers you have" in theirs


async def test_the_ranking_says_what_it_is_weighted_to(roadmap: ServiceUnderTest) -> None:
    """With a customer base the page says how far the participants speak for it."""
    cells = [{"loyalty": "loyal", "plan": "pro", "region": "eu", "customers": 300}, {"customers": 700}]
    headers = roadmap.headers("manager")
    await roadmap.client.put("/api/v1/population", json={"cells": cells}, headers=headers)
    text = await page(roadmap, "/")
    assert "Weighted to the customer base." in text
    assert "they speak for 30% of customers" in text


async def test_an_empty_roadmap_says_what_to_do(start_service: Start) -> None:
    """Without ideas the page offers to add one, to those who may."""
    empty = await start_service("roadmap")
    assert "Add an idea" in await page(empty, "/", "researcher")
    assert "Add an idea" not in await page(empty, "/", "viewer")


async def test_an_idea_is_explained_with_its_evidence(roadmap: ServiceUnderTest) -> None:
    """The page has the terms, the segments, the quotes and the KPI."""
    text = await page(roadmap, "/ideas/export")
    assert "I rebuild the sheet every Monday, says ben." in text
    assert "loyal · pro · eu" in text
    assert "50% of the way to the target is still to go" in text
    assert "50 % → 60" in text
    assert "measured-rice-1" in text


async def test_who_said_it_is_told_without_an_id(roadmap: ServiceUnderTest) -> None:
    """Beneath a quote stands a short label of the participant and how important it is, in words."""
    await roadmap.deliver(tagged("i-2", "export", "3fa85f64-5717-4562-b3fc-2c963f66afa6", importance=2))
    assert "<figcaption>Participant 3fa8, important, negative</figcaption>" in await page(roadmap, "/ideas/export")


async def test_a_release_has_a_day_and_no_time(roadmap: ServiceUnderTest) -> None:
    """A release that was given as a day is that day on every clock."""
    form = {"status": "shipped", "released_on": "2026-03-01"}
    assert (await post(roadmap, "/ideas/export/status", form)).status_code == 303
    headers = roadmap.headers("viewer") | {"Cookie": "zone=America%2FNew_York"}
    text = (await roadmap.client.get("/ideas/export", headers=headers)).text
    assert '<span>shipped <time datetime="2026-03-01">1 Mar 2026</time></span>' in text


async def test_forms_are_shown_to_those_who_may_send_them(roadmap: ServiceUnderTest) -> None:
    """A viewer reads, a researcher edits, a manager moves too."""
    edit, move = 'action="/ideas/export"', 'action="/ideas/export/status"'
    texts = {role: await page(roadmap, "/ideas/export", role) for role in ("viewer", "researcher", "manager")}
    assert {role: (edit in text, move in text) for role, text in texts.items()} == {
        "viewer": (False, False),
        "researcher": (True, False),
        "manager": (True, True),
    }


async def test_an_idea_is_added_by_form(roadmap: ServiceUnderTest) -> None:
    """The form makes an idea and leads to it."""
    form = {"title": "Search", "description": "", "effort_weeks": "2.5", "kpis": "churn, activation"}
    answer = await post(roadmap, "/new", form, "researcher")
    assert answer.status_code == 303
    told = (await roadmap.published(FeatureStatusChanged))[-1]
    assert answer.headers["location"] == f"/ideas/{told.feature_id}"
    assert (told.title, told.kpi_ids) == ("Search", ("churn", "activation"))


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"title": " "}, "Fill this in."),
        ({"title": "Search", "effort_weeks": "much"}, "Enter a number, for example 12.5."),
        ({"title": "Search", "effort_weeks": "0"}, "Enter a number above 0."),
        ({"title": "Search", "kpis": "<b>"}, "Give up to 50 KPI ids with commas between them"),
        ({"title": "x" * 301}, "Shorten this to 300 characters or fewer."),
    ],
)
async def test_a_wrong_idea_comes_back_with_what_was_typed(
    roadmap: ServiceUnderTest, form: dict[str, str], says: str
) -> None:
    """The form is answered 422 with a sentence about what to mend, new and existing ideas alike."""
    for path in ("/new", "/ideas/export"):
        answer = await post(roadmap, path, {"description": "My typed words", **form})
        assert answer.status_code == 422
        assert says in answer.text
        assert "My typed words" in answer.text
        assert "<title>Error:" in answer.text


async def test_an_idea_is_edited_by_form(roadmap: ServiceUnderTest) -> None:
    """A new estimate changes the priority, and the page says it is saved."""
    answer = await post(roadmap, "/ideas/export", {"title": "Export", "effort_weeks": "4", "kpis": "activation"})
    assert answer.headers["location"] == "/ideas/export"
    assert (await roadmap.published(FeaturePriorityChanged))[-1].effort_weeks == 4.0
    assert "Saved." in await page(roadmap, "/ideas/export")


async def test_an_idea_is_moved_by_form(roadmap: ServiceUnderTest) -> None:
    """Shipped on a day is released at its start, and saving the form again tells nobody."""
    form = {"status": "shipped", "released_on": "2026-02-27", "note": "Here it is."}
    assert (await post(roadmap, "/ideas/export/status", form)).status_code == 303
    assert (await post(roadmap, "/ideas/export/status", form)).status_code == 303
    told = (await roadmap.published(FeatureStatusChanged))[-1]
    assert (told.version, told.status, str(told.released_at)) == (2, "shipped", "2026-02-27 00:00:00+00:00")
    assert "Here it is." in (await roadmap.client.get("/board/export")).text


async def test_the_exact_release_time_survives_the_form(roadmap: ServiceUnderTest) -> None:
    """The form shows a day only; saving it does not round the time that is known."""
    body, headers = {"status": "shipped", "released_at": "2026-03-01T15:30:00Z"}, roadmap.headers("manager")
    await roadmap.client.post("/api/v1/ideas/export/status", json=body, headers=headers)
    await post(roadmap, "/ideas/export/status", {"status": "shipped", "released_on": "2026-03-01", "note": "Yes."})
    idea = (await roadmap.client.get("/api/v1/ideas/export", headers=headers)).json()
    assert (idea["released_at"], idea["status_version"]) == ("2026-03-01T15:30:00Z", 2)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"status": "shipped", "released_on": "2026-03-03"}, "This day lies ahead"),
        ({"status": "someday"}, "Choose one of the options."),
        ({"status": "shipped", "released_on": "soon"}, "Enter a date, for example"),
    ],
)
async def test_a_wrong_status_comes_back_with_what_was_typed(
    roadmap: ServiceUnderTest, form: dict[str, str], says: str
) -> None:
    """The form is answered 422 with a sentence about what to mend."""
    answer = await post(roadmap, "/ideas/export/status", {"note": "My typed words", **form})
    assert answer.status_code == 422
    assert says in answer.text
    assert "My typed words" in answer.text


async def test_an_unnamed_idea_is_named_by_form(roadmap: ServiceUnderTest) -> None:
    """An idea known from votes alone asks for its name and gets on the board."""
    await roadmap.deliver(voted("ghost", "ana"))
    assert "Nobody has named this idea yet." in await page(roadmap, "/ideas/ghost")
    await post(roadmap, "/ideas/ghost", {"title": "Ghost mode"}, "researcher")
    assert "Ghost mode" in (await roadmap.client.get("/board")).text


async def test_the_ranking_shows_what_changed(roadmap: ServiceUnderTest) -> None:
    """A score that fell says by how much and when."""
    await post(roadmap, "/ideas/export", {"title": "Export", "effort_weeks": "10", "kpis": "activation"})
    roadmap.now += timedelta(hours=3)
    text = await page(roadmap, "/")
    assert "3 hours ago" in text
    assert "−" in text


@pytest.mark.parametrize("path", ["/", "/new", "/ideas/export"])
async def test_the_teams_pages_need_a_signed_in_person(roadmap: ServiceUnderTest, path: str) -> None:
    """A stranger is asked to sign in."""
    assert (await roadmap.client.get(path, headers={"Accept": "text/html"})).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/new", "viewer"),
        ("POST", "/new", "viewer"),
        ("POST", "/ideas/export", "note_taker"),
        ("POST", "/ideas/export/status", "researcher"),
    ],
)
async def test_the_teams_forms_need_the_right_role(
    roadmap: ServiceUnderTest, method: str, path: str, role: str
) -> None:
    """Who may not change something is told so."""
    answer = await roadmap.client.request(method, path, data={"title": "x"}, headers=roadmap.headers(role))
    assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), [("GET", "/ideas/x"), ("POST", "/ideas/x"), ("POST", "/ideas/x/status")])
async def test_an_unknown_idea_is_not_found(roadmap: ServiceUnderTest, method: str, path: str) -> None:
    """The page says that there is no such idea."""
    headers = roadmap.headers("manager") | {"Accept": "text/html"}
    answer = await roadmap.client.request(method, path, data={"status": "now"}, headers=headers)
    assert answer.status_code == 404
    assert "No such idea" in answer.text
