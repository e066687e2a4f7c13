"""The company's own statuses and categories, confidence, answers, columns, and ideas that anybody sends in."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from services.roadmap.board.statuses import OwnStatus, fitting, why_not_removed
from shared.contract.events import FeatureStatusChanged
from tests.roadmap.events import add_idea, voted
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await add_idea(service, "search")
    return service


async def put(service: ServiceUnderTest, path: str, **body: Any) -> httpx.Response:
    return await service.client.put(f"/api/v1/{path}", json=body, headers=service.headers("manager"))


async def test_an_own_status_behaves_as_its_type(roadmap: ServiceUnderTest) -> None:
    """The board says "Beta", others hear "now"; moving on to another type leaves the name behind."""
    assert (await put(roadmap, "statuses/beta", name="Beta", type="now", position=45)).status_code == 200
    placed = await put(roadmap, "ideas/export/place", status="now", status_id="beta", confidence="medium")
    assert (placed.json()["status"], placed.json()["status_id"], placed.json()["confidence"]) == (
        "now",
        "beta",
        "medium",
    )
    page = (await roadmap.client.get("/board/export")).text
    assert ">Beta</span>" in page
    assert ">Likely</span>" in page
    assert [told.status for told in await roadmap.published(FeatureStatusChanged)] == ["new", "new", "now"]
    await roadmap.client.post(
        "/api/v1/ideas/export/status", json={"status": "planned"}, headers=roadmap.headers("manager")
    )
    answer = (await roadmap.client.get("/api/v1/ideas/export", headers=roadmap.headers("viewer"))).json()
    assert (answer["status"], answer["status_id"]) == ("planned", None)


async def test_the_board_has_a_column_for_each_status(roadmap: ServiceUnderTest) -> None:
    """In the company's order; each column has the most wanted first, and says nothing of dates."""
    await put(roadmap, "statuses/beta", name="Beta", type="now", position=5)
    await put(roadmap, "ideas/export/place", status="now", status_id="beta")
    await add_idea(roadmap, "more")
    await roadmap.deliver(voted("search", "ana"))
    page = (await roadmap.client.get("/board?view=columns")).text
    assert re.findall(r'<h2 id="column-[^"]*"[^>]*>([^<]*)<', page) == ["Beta", "New"]
    assert re.findall(r'<h3 id="title-([^"]*)"', page) == ["export", "search", "more"]


async def test_categories_sort_the_board(roadmap: ServiceUnderTest) -> None:
    """An idea of a category is listed under it; removing the category leaves the idea."""
    await put(roadmap, "categories/data", name="Data", position=1)
    await put(roadmap, "ideas/export/place", status="new", category_id="data")
    page = (await roadmap.client.get("/board?category=data")).text
    assert ("title-export" in page, "title-search" in page) == (True, False)
    headers = roadmap.headers("manager")
    assert (await roadmap.client.delete("/api/v1/categories/data", headers=headers)).status_code == 204
    page = (await roadmap.client.get("/board")).text
    assert ("title-export" in page, "title-search" in page) == (True, True)


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("statuses/now", {"name": "Doing", "type": "planned"}, 409, "is of the type now"),
        ("statuses/beta", {"type": "now"}, 422, "Give the status a name"),
        ("statuses/beta", {"name": "x" * 41, "type": "now"}, 422, "40 characters"),
        ("categories/other", {"name": "data"}, 409, "There is a category"),
        ("ideas/export/place", {"status": "now", "status_id": "planned"}, 422, "is of the type planned, not now"),
        ("ideas/export/place", {"status": "now", "status_id": "none"}, 422, "there is no status 'none'"),
        ("ideas/export/place", {"status": "now", "category_id": "none"}, 422, "no category 'none'; there are: data"),
        ("ideas/none/place", {"status": "now"}, 404, "There is no idea 'none'"),
    ],
)
async def test_what_does_not_fit_is_told(
    roadmap: ServiceUnderTest, path: str, body: dict[str, object], status: int, said: str
) -> None:
    """A status keeps its type, names are short and different, and an idea goes only where there is something."""
    await put(roadmap, "categories/data", name="Data", position=1)
    answer = await put(roadmap, path, **body)
    assert (answer.status_code, said.lower() in answer.text.lower()) == (status, True), answer.text


async def test_a_status_in_use_stays(roadmap: ServiceUnderTest) -> None:
    """It can be removed once its ideas are moved; a built-in one never."""
    await put(roadmap, "statuses/beta", name="Beta", type="now")
    await put(roadmap, "ideas/export/place", status="now", status_id="beta")
    headers = roadmap.headers("manager")
    assert (await roadmap.client.delete("/api/v1/statuses/beta", headers=headers)).status_code == 409
    await put(roadmap, "ideas/export/place", status="now")
    assert (await roadmap.client.delete("/api/v1/statuses/beta", headers=headers)).status_code == 204
    assert (await roadmap.client.delete("/api/v1/statuses/now", headers=headers)).status_code == 409
    assert (await roadmap.client.delete("/api/v1/statuses/beta", headers=headers)).status_code == 404


async def test_managers_place_ideas_and_name_statuses_on_pages(roadmap: ServiceUnderTest) -> None:
    """The forms do what the endpoints do; the answer has its author and its day."""
    headers = roadmap.headers("manager", "mara")
    form = {"name": "Being tested", "type": "now", "position": "45"}
    assert (await roadmap.client.post("/layout/statuses", data=form, headers=headers)).status_code == 303
    page = (await roadmap.client.get("/layout", headers=headers)).text
    [status_id] = re.findall(r'name="status_id" value="([0-9a-f-]{36})"', page)
    page = (await roadmap.client.get("/ideas/export/place", headers=headers)).text
    assert "Being tested" in page
    form = {"status_id": status_id, "confidence": "high", "answer": "We **test** it."}
    answer = await roadmap.client.post("/ideas/export/place", data=form, headers=headers)
    assert answer.headers["location"] == "/board/export"
    page = (await roadmap.client.get("/board/export")).text
    for shown in (
        "Being tested",
        "Almost certain",
        "<p>We <strong>test</strong> it.</p>",
        'mara, <time datetime="2026-03-02">2 Mar 2026</time>',
    ):
        assert shown in page
    for role in ("researcher", "viewer"):
        answer = await roadmap.client.post("/ideas/export/place", data=form, headers=roadmap.headers(role))
        assert answer.status_code == 403


async def test_a_strangers_idea_waits_unseen(roadmap: ServiceUnderTest) -> None:
    """Nobody sees, hears or can vote for it until the team publishes it; then it is an idea like any other."""
    answer = await roadmap.client.post(
        "/suggest", data={"title": "Dark mode", "description": "Please.", "name": "Ines"}
    )
    assert answer.headers["location"] == "/board"
    [row] = await roadmap.database.fetch("SELECT feature_id FROM ideas WHERE title = 'Dark mode'")
    idea = row["feature_id"]
    assert "Dark mode" not in (await roadmap.client.get("/board")).text
    assert (await roadmap.client.get(f"/board/{idea}")).status_code == 404
    assert (await roadmap.client.post(f"/board/{idea}/vote", data={"vote": "up"})).status_code == 404
    assert [told.feature_id for told in await roadmap.published(FeatureStatusChanged)] == ["export", "search"]


async def test_a_colleagues_idea_is_there_at_once(roadmap: ServiceUnderTest) -> None:
    """Who is trusted publishes at once; others hear of it, and the page names the author."""
    headers = roadmap.headers("viewer", "mara")
    await roadmap.client.post("/api/v1/categories/data", headers=headers)
    await put(roadmap, "categories/data", name="Data", position=1)
    answer = await roadmap.client.post(
        "/suggest", data={"title": "Dark mode", "description": "*Please*", "category": "data"}, headers=headers
    )
    page = (await roadmap.client.get(answer.headers["location"])).text
    for shown in ("<em>Please</em>", "Suggested by mara", ">Data</a>"):
        assert shown in page
    assert [told.title for told in await roadmap.published(FeatureStatusChanged)] == ["Export", "Search", "Dark mode"]


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"title": ""}, 422, "Fill this in."),
        ({"title": "x" * 301}, 422, "Shorten this to 300 characters or fewer."),
        ({"title": "x", "description": "x" * 1_000_000}, 422, "Shorten this to 20000 characters or fewer."),
        ({"title": "x", "category": "none"}, 422, "There is no category"),
        ({"title": "a\x00b"}, 422, "NUL"),
    ],
)
async def test_a_wrong_idea_is_told(roadmap: ServiceUnderTest, form: dict[str, str], status: int, said: str) -> None:
    """Nothing, a megabyte and what the database cannot hold are refused in words, and nothing is stored."""
    answer = await roadmap.client.post("/suggest", data=form, headers={"Accept": "text/html"})
    assert (answer.status_code, said in answer.text) == (status, True), answer.text[:3000]
    assert len(await roadmap.database.fetch("SELECT FROM ideas")) == 2


async def test_a_preview_of_an_idea_stores_nothing(roadmap: ServiceUnderTest) -> None:
    """The form comes back with what it will look like."""
    form = {"title": "Dark mode", "description": "**soon** <b>x</b>", "act": "preview"}
    answer = await roadmap.client.post("/suggest", data=form)
    assert "<strong>soon</strong> &lt;b&gt;x&lt;/b&gt;" in answer.text
    assert 'value="Dark mode"' in answer.text
    assert len(await roadmap.database.fetch("SELECT FROM ideas")) == 2


KNOWN = [OwnStatus("now", None, "now", 10), OwnStatus("beta", "Beta", "now", 20)]


def test_a_status_fits_its_type() -> None:
    """The built-in name is no own status; an own one is kept."""
    assert fitting(None, "now", KNOWN) is None
    assert fitting("now", "now", KNOWN) is None
    assert fitting("beta", "now", KNOWN) == "beta"


def test_why_a_status_stays() -> None:
    """Built in, or in use; an unused own one may go."""
    assert why_not_removed(KNOWN[0], 0) == "The status of the type now is built in; rename it instead."
    assert why_not_removed(KNOWN[1], 3) == "3 ideas are in this status; move them first."
    assert why_not_removed(KNOWN[1], 0) is None
