"""The changelog: what was shipped, in words, linked to its ideas, and as feeds."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import httpx
import pytest

from services.roadmap.board.feeds import Item, atom
from tests.roadmap.events import add_idea
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
A = "{http://www.w3.org/2005/Atom}"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    service = await start_service("roadmap")
    await add_idea(service, "export", status="shipped")
    await add_idea(service, "search")
    return service


async def tell(service: ServiceUnderTest, **body: object) -> httpx.Response:
    """Write an entry through the API, published unless the test says otherwise."""
    entry = {"title": "Better exports", "body": "They **work**.", "published": True, **body}
    return await service.client.post("/api/v1/changelog", json=entry, headers=service.headers("manager"))


def valid(content: bytes) -> ET.Element:
    """The feed, if it keeps what RFC 4287 demands and a test can see."""
    root = ET.fromstring(content)  # noqa: S314 - our own
    assert root.tag == f"{A}feed"
    author = root.findtext(f"{A}author/{A}name")
    for element in (root, *root.findall(f"{A}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{A}{name}")) == 1, name
        address = element.findtext(f"{A}id") or ""
        assert address.startswith("http://test/roadmap/")  # an absolute IRI
        assert TIME.fullmatch(element.findtext(f"{A}updated") or "")
        assert element.findtext(f"{A}author/{A}name") or author
        links = [(link.get("rel"), link.get("type")) for link in element.findall(f"{A}link")]
        assert len(set(links)) == len(links)
        assert ("alternate", "text/html") in links
    assert [link.get("href") for link in root.findall(f"{A}link[@rel='self']")] == [root.findtext(f"{A}id")]
    ids = [entry.findtext(f"{A}id") for entry in root.findall(f"{A}entry")]
    assert len(set(ids)) == len(ids)
    for entry in root.findall(f"{A}entry"):
        assert entry.find(f"{A}content[@type='html']") is not None
    return root


def entries(root: ET.Element) -> list[str | None]:
    return [entry.findtext(f"{A}title") for entry in root.findall(f"{A}entry")]


async def test_an_entry_is_told_and_linked(roadmap: ServiceUnderTest) -> None:
    """It stands on the changelog, on a page of its own and on the page of its idea."""
    made = (await tell(roadmap, feature_ids=["export"])).json()
    for path in ("/changelog", f"/changelog/{made['entry_id']}"):
        page = (await roadmap.client.get(path)).text
        assert "They <strong>work</strong>." in page
        assert 'href="/board/export"' in page
    page = (await roadmap.client.get("/board/export")).text
    assert f'Shipped in <a href="/changelog/{made["entry_id"]}" dir="auto">Better exports</a>' in page
    assert "Shipped in" not in (await roadmap.client.get("/board/search")).text


async def test_a_draft_is_the_teams_alone(roadmap: ServiceUnderTest) -> None:
    """It is seen nowhere until it is published, and nowhere again once it is a draft again."""
    made = (await tell(roadmap, feature_ids=["export"], published=False)).json()

    async def seen() -> list[bool]:
        paths = ("/changelog", f"/changelog/{made['entry_id']}", "/board/export", "/feeds/changelog")
        return ["Better exports" in (await roadmap.client.get(path)).text for path in paths]

    assert await seen() == [False, False, False, False]
    assert "Better exports" in (await roadmap.client.get("/entries", headers=roadmap.headers("viewer"))).text
    path = f"/api/v1/changelog/{made['entry_id']}"
    body = {"title": "Better exports", "body": "x", "feature_ids": ["export"]}
    await roadmap.client.put(path, json=body | {"published": True}, headers=roadmap.headers("manager"))
    assert await seen() == [True, True, True, True]
    await roadmap.client.put(path, json=body, headers=roadmap.headers("manager"))
    assert await seen() == [False, False, False, False]


async def test_the_pages_write_what_the_endpoints_write(roadmap: ServiceUnderTest) -> None:
    """A manager drafts, previews, publishes and removes an entry with forms."""
    headers = roadmap.headers("manager")
    form = {"title": "Better exports", "body": "They *work*.", "ideas": "export, search"}
    preview = await roadmap.client.post("/entries/new", data=form | {"act": "preview"}, headers=headers)
    assert "They <em>work</em>." in preview.text
    assert await roadmap.database.fetch("SELECT FROM entries") == []
    draft = await roadmap.client.post("/entries/new", data=form | {"act": "draft"}, headers=headers)
    path = draft.headers["location"]
    published = await roadmap.client.post(path, data=form | {"act": "publish"}, headers=headers)
    page = (await roadmap.client.get(published.headers["location"])).text
    assert ('href="/board/export"' in page, 'href="/board/search"' in page) == (True, True)
    assert (await roadmap.client.post(f"{path}/remove", headers=headers)).status_code == 303
    assert (await roadmap.client.get(published.headers["location"])).status_code == 404


async def test_a_wrong_entry_is_told(roadmap: ServiceUnderTest) -> None:
    """An idea that is not there, an entry that is not there, and a text without a title change nothing."""
    answer = await tell(roadmap, feature_ids=["nothing"])
    assert (answer.status_code, "no idea 'nothing'" in answer.text) == (422, True)
    body = {"title": "x", "body": "x"}
    answer = await roadmap.client.put("/api/v1/changelog/none", json=body, headers=roadmap.headers("manager"))
    assert answer.status_code == 404
    answer = await roadmap.client.post("/entries/new", data={"body": "x"}, headers=roadmap.headers("manager"))
    assert (answer.status_code, "Fill this in." in answer.text) == (422, True)
    assert await roadmap.database.fetch("SELECT FROM entries") == []


async def test_more_entries_than_a_page_holds_have_pages(roadmap: ServiceUnderTest) -> None:
    """The last one is first; the twenty-first is on the second page."""
    for number in range(21):
        roadmap.now = START + timedelta(hours=number)
        await tell(roadmap, title=f"Entry {number:02}")
    first = (await roadmap.client.get("/changelog")).text
    assert re.findall(r"Entry \d\d", first)[0] == "Entry 20"
    assert "Page 1 of 2, 21 in all" in first
    assert re.findall(r"Entry \d\d", (await roadmap.client.get("/changelog?page=2")).text) == ["Entry 00"]


async def test_the_changelog_has_a_feed(roadmap: ServiceUnderTest) -> None:
    """It is valid, the last entry is first, and its text is escaped HTML."""
    await tell(roadmap)
    roadmap.now += timedelta(hours=1)
    await tell(roadmap, title="Search & <find>")
    answer = await roadmap.client.get("/feeds/changelog")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = valid(answer.content)
    assert entries(root) == ["Search & <find>", "Better exports"]
    assert root.findtext(f"{A}updated") == "2026-03-02T10:00:00Z"
    assert root.findtext(f"{A}entry/{A}content") == "<p>They <strong>work</strong>.</p>\n"


async def test_the_board_and_an_idea_have_feeds(roadmap: ServiceUnderTest) -> None:
    """New ideas; the comments on one, with the team's answer, and nothing that waits."""
    assert entries(valid((await roadmap.client.get("/feeds/board")).content)) == ["Export", "Search"]
    headers = roadmap.headers("manager", "mara")
    await roadmap.client.post("/api/v1/ideas/export/comments", json={"body": "It *is* there."}, headers=headers)
    await roadmap.client.post("/board/export/comments", data={"body": "waits"})
    body = {"status": "shipped", "note": "Done."}
    await roadmap.client.post("/api/v1/ideas/export/status", json=body, headers=headers)
    root = valid((await roadmap.client.get("/feeds/ideas/export")).content)
    assert entries(root) == ["Our answer", "Comment by mara"]
    assert (await roadmap.client.get("/feeds/ideas/none")).status_code == 404


async def test_feeds_without_entries_are_valid(roadmap: ServiceUnderTest) -> None:
    """A feed that has nothing to tell says so without an error."""
    assert entries(valid((await roadmap.client.get("/feeds/changelog")).content)) == []


def test_a_feed_holds_what_xml_cannot() -> None:
    """Control characters are replaced, signs escaped, times in UTC to the second."""
    moment = datetime(2026, 3, 2, 9, 0, 0, 999, tzinfo=UTC)
    item = Item("http://test/roadmap/board/x", "a\x0b<b>&\ufffe", "<p>\x00</p>", moment, moment, "Ana")
    content = atom(
        title="t",
        author="a",
        page="http://test/roadmap/board",
        feed="http://test/roadmap/feeds/board",
        items=[item],
        since=moment,
    )
    root = valid(content)
    assert entries(root) == ["a\ufffd<b>&\ufffd"]
    assert root.findtext(f"{A}entry/{A}content") == "<p>\ufffd</p>"
    assert root.findtext(f"{A}updated") == "2026-03-02T09:00:00Z"
    assert root.findtext(f"{A}entry/{A}author/{A}name") == "Ana"
