"""The public board."""

import html
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from shared.contract.events import FeatureVoted
from tests.roadmap.events import add_idea, supporters, voted
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A board with an idea in each stage."""
    service = await start_service("roadmap")
    await add_idea(service, "export", status="now")
    await add_idea(service, "search", status="planned", description="Find old views by what is in them.")
    await add_idea(service, "dark-mode")
    await add_idea(service, "sign-in", status="shipped")
    await add_idea(service, "fax", status="declined")
    return service


async def vote(roadmap: ServiceUnderTest, idea: str, vote: str = "up", **more: str) -> httpx.Response:
    return await roadmap.client.post(f"/board/{idea}/vote", data={"vote": vote, **more})


async def unconfirmed(roadmap: ServiceUnderTest, idea: str) -> int:
    """How many visitors nobody knows stand behind the idea, as its page says."""
    page = (await roadmap.client.get(f"/board/{idea}")).text
    found = re.search(r"(One visitor's vote is|(\d+) visitors' votes are) not confirmed yet", html.unescape(page))
    return int(found[2] or 1) if found else 0


def titles(page: str) -> list[str]:
    return re.findall(r'<h2 id="title-[^"]*"><a [^>]*>([^<]*)</a>', page)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Dark mode", "Export", "Fax", "Search", "Sign in"]),
        ("?stage=now", ["Export"]),
        ("?stage=next", ["Search"]),
        ("?stage=later", ["Dark mode"]),
        ("?stage=shipped", ["Sign in"]),
        ("?q=VIEWS%20old", ["Search"]),
        ("?q=views&stage=now", []),
        ("?q=%25", []),
    ],
)
async def test_the_board_shows_a_stage_or_what_is_searched(
    roadmap: ServiceUnderTest, query: str, shown: list[str]
) -> None:
    """Everybody may read; every word must be in the title or the text, in any case and order."""
    page = await roadmap.client.get(f"/board{query}")
    assert page.status_code == 200
    assert titles(page.text) == shown


async def test_the_board_is_ordered_by_votes_or_age(roadmap: ServiceUnderTest) -> None:
    """What most people want comes first unless the newest is asked for."""
    roadmap.now += timedelta(hours=1)
    await add_idea(roadmap, "zebra-mode")
    await roadmap.deliver(voted("search", "ana"), voted("search", "ben"), voted("export", "ana"))
    assert titles((await roadmap.client.get("/board")).text)[:2] == ["Search", "Export"]
    assert titles((await roadmap.client.get("/board?sort=new")).text)[0] == "Zebra mode"


async def test_a_visitor_votes_once_and_sees_it(roadmap: ServiceUnderTest) -> None:
    """The first vote sets a cookie no script can read; a second one changes nothing; the list says "You voted"."""
    answer = await vote(roadmap, "export", back="/board?stage=now")
    assert (answer.status_code, answer.headers["location"]) == (303, "/board?stage=now#idea-export")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("earshot_visitor="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    await vote(roadmap, "export")
    page = (await roadmap.client.get("/board")).text
    assert page.count("You voted") == 1
    assert page.count('aria-pressed="true"') == 1
    assert page.count('aria-pressed="false"') == 2  # two others are open
    assert "Thank you. Your vote counts as soon as you sign in; it takes one mail." in page
    assert await unconfirmed(roadmap, "export") == 1


async def test_a_vote_can_be_taken_back(roadmap: ServiceUnderTest) -> None:
    """The pressed button takes the vote back, at once and for good."""
    await vote(roadmap, "export")
    answer = await vote(roadmap, "export", "withdrawn", back="/board/export")
    assert answer.headers["location"] == "/board/export"
    assert await unconfirmed(roadmap, "export") == 0
    await roadmap.deliver(*reversed(await roadmap.published(FeatureVoted)))
    assert await unconfirmed(roadmap, "export") == 0


async def test_votes_are_told_without_the_visitors_secret(roadmap: ServiceUnderTest) -> None:
    """Others learn of an anonymous vote, and cannot vote in the visitor's place."""
    await vote(roadmap, "export")
    [told] = await roadmap.published(FeatureVoted)
    assert (told.voter_kind, told.channel, told.vote) == ("anonymous", "board", "up")
    assert told.voter_id.startswith("visitor-")
    assert roadmap.client.cookies["earshot_visitor"] not in told.voter_id


async def test_two_visitors_are_two_votes(roadmap: ServiceUnderTest) -> None:
    """Who comes without a cookie is somebody else, and so is who comes with a forged one."""
    await vote(roadmap, "export")
    roadmap.client.cookies.clear()
    await vote(roadmap, "export")
    roadmap.client.cookies.clear()
    roadmap.client.cookies.set("earshot_visitor", "visitor-1; DROP TABLE votes")
    await vote(roadmap, "export")
    assert await unconfirmed(roadmap, "export") == 3


async def test_a_signed_in_colleague_votes_as_team(roadmap: ServiceUnderTest) -> None:
    """The team's own votes are marked, and come from the person, not the browser."""
    for _ in range(2):
        await roadmap.client.post("/board/export/vote", data={"vote": "up"}, headers=roadmap.headers("viewer", "sam"))
        roadmap.client.cookies.clear()
    assert await supporters(roadmap, "export") == 1
    assert {told.voter_kind for told in await roadmap.published(FeatureVoted)} == {"team"}


@pytest.mark.parametrize(
    ("idea", "form", "status"),
    [("sign-in", "up", 409), ("nothing", "up", 404), ("export", "down", 422), ("export", "", 422)],
)
async def test_a_wrong_vote_is_refused(roadmap: ServiceUnderTest, idea: str, form: str, status: int) -> None:
    """A closed or unknown idea and a vote that is none are told as a page, and nothing is counted."""
    roadmap.now += timedelta(hours=1)
    answer = await roadmap.client.post(
        f"/board/{idea}/vote", data={"vote": form} if form else {}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == status
    assert "<h1" in answer.text
    assert await roadmap.published(FeatureVoted) == []


async def test_another_sites_form_cannot_vote(roadmap: ServiceUnderTest) -> None:
    """A form that was sent from another site is refused."""
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
    answer = await roadmap.client.post("/board/export/vote", data={"vote": "up"}, headers=headers)
    assert answer.status_code == 403
    assert await supporters(roadmap, "export") == 0


@pytest.mark.parametrize(
    "back", ["https://evil.test/", "//evil.test", "/board/../admin", "/\\evil.test", "javascript:1"]
)
async def test_a_vote_leads_back_to_the_board_alone(roadmap: ServiceUnderTest, back: str) -> None:
    """No address in the form leads anywhere else."""
    assert (await vote(roadmap, "export", back=back)).headers["location"] == "/board#idea-export"


async def test_an_idea_has_a_page_of_its_own(roadmap: ServiceUnderTest) -> None:
    """The page has the text, the answer, and on a closed idea no button."""
    body = {"status": "declined", "note": "Few would use it."}
    await roadmap.client.post("/api/v1/ideas/search/status", json=body, headers=roadmap.headers("manager"))
    page = (await roadmap.client.get("/board/search")).text
    assert "Find old views by what is in them." in page
    assert "Few would use it." in page
    assert 'action="/board/search/vote"' not in page


async def test_hostile_text_is_only_text(roadmap: ServiceUnderTest) -> None:
    """Markup in titles, texts, answers and searches is shown, never run."""
    attack = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    await add_idea(roadmap, "odd", title=attack, description=attack)
    body = {"status": "declined", "note": attack}
    await roadmap.client.post("/api/v1/ideas/odd/status", json=body, headers=roadmap.headers("manager"))
    for path in ("/board", "/board/odd", f"/board?q={attack}", "/", "/ideas/odd"):
        page = (await roadmap.client.get(path, headers=roadmap.headers("manager"))).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize("query", ["?stage=never", "?page=0", "?sort=luck", f"?q={'x' * 201}"])
async def test_an_address_that_means_nothing_is_told(roadmap: ServiceUnderTest, query: str) -> None:
    """A wrong filter is 422 with what is wrong."""
    answer = await roadmap.client.get(f"/board{query}")
    assert answer.status_code == 422
    assert "query" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/board/nothing", "/board/ghost"])
async def test_unknown_and_unnamed_ideas_have_no_public_page(roadmap: ServiceUnderTest, path: str) -> None:
    """An idea that nobody has named is as good as none."""
    await roadmap.deliver(voted("ghost", "ana"))
    assert (await roadmap.client.get(path)).status_code == 404


async def test_a_search_with_a_nul_character_finds_nothing(roadmap: ServiceUnderTest) -> None:
    """What the database cannot hold is no error of the reader's."""
    page = await roadmap.client.get("/board?q=%00views%00")
    assert (page.status_code, titles(page.text)) == (200, ["Search"])


async def test_more_ideas_than_a_page_holds_have_pages(roadmap: ServiceUnderTest) -> None:
    """The fifty-first idea is on the second page, which keeps the rest of the address."""
    for number in range(50):
        await add_idea(roadmap, f"more-{number:02}")
    first = (await roadmap.client.get("/board?stage=later")).text
    assert len(titles(first)) == 50
    assert "Page 1 of 2, 51 in all" in first
    assert titles((await roadmap.client.get("/board?stage=later&page=2")).text) == ["More 49"]
    assert 'href="/board?stage=later&amp;page=2"' in first
