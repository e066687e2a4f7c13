"""Who is told when an idea moves, and how they end it."""

from collections.abc import Awaitable, Callable

import pytest

from tests.roadmap.events import add_idea
from tests.roadmap.people import letters, links, move, notices, sign_in, tell, vote, wait
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with two ideas, at which Ana is signed in."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await add_idea(service, "search")
    await sign_in(service, "ana@example.com")
    return service


async def test_a_voter_is_told_after_ten_minutes(roadmap: ServiceUnderTest) -> None:
    """Not before, with the official answer, and with a link to the idea."""
    await vote(roadmap, "export")
    await move(roadmap, "export", "planned", "In the spring.")
    await wait(roadmap, 9.9)
    assert await notices(roadmap) == []
    await wait(roadmap, 0.1)
    [mail] = await letters(roadmap)
    assert mail["subject"] == "“Export” is planned."
    assert "In the spring." in mail["text"]
    assert "/board/export" in links(mail)
    assert mail["recipient"] == "ana@example.com"


async def test_nobody_is_told_twice(roadmap: ServiceUnderTest) -> None:
    """However often the job runs and on however many processes, one change is one mail."""
    await vote(roadmap, "export")
    await move(roadmap, "export", "planned")
    for _ in range(4):
        await wait(roadmap, 10)
    assert await notices(roadmap) == ["“Export” is planned."]


async def test_the_last_of_several_moves_is_told(roadmap: ServiceUnderTest) -> None:
    """What moved on within ten minutes is told as it stands in the end, ten minutes after the last move."""
    await vote(roadmap, "export")
    await move(roadmap, "export", "planned")
    await wait(roadmap, 6)
    await move(roadmap, "export", "now")
    await wait(roadmap, 6)
    assert await notices(roadmap) == []
    await wait(roadmap, 4)
    assert await notices(roadmap) == ["We are working on “Export”."]


async def test_what_moved_back_is_not_told(roadmap: ServiceUnderTest) -> None:
    """A mistake that was mended within ten minutes is nothing to write of."""
    await vote(roadmap, "export")
    await move(roadmap, "export", "declined")
    await wait(roadmap, 5)
    await move(roadmap, "export", "new")
    await wait(roadmap, 30)
    assert await notices(roadmap) == []


async def test_several_ideas_are_one_mail(roadmap: ServiceUnderTest) -> None:
    """Two ideas that moved within ten minutes of each other come together, once both have stood for ten minutes."""
    await vote(roadmap, "export")
    await vote(roadmap, "search")
    await move(roadmap, "export", "planned")
    await wait(roadmap, 5)
    await move(roadmap, "search", "shipped")
    await wait(roadmap, 5)
    assert await notices(roadmap) == []
    await wait(roadmap, 5)
    assert await notices(roadmap) == ["2 ideas moved"]


async def test_one_click_ends_it(roadmap: ServiceUnderTest) -> None:
    """The address in the mail's head takes the mail program's POST without a cookie; the next move is not told."""
    await vote(roadmap, "export")
    await move(roadmap, "export", "planned")
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    path = mail["unsubscribe"].removeprefix("http://test/roadmap")
    roadmap.client.cookies.clear()
    assert (await roadmap.client.get(path)).status_code == 200
    await move(roadmap, "export", "now")
    await wait(roadmap, 10)
    assert len(await notices(roadmap)) == 2
    answer = await roadmap.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    await move(roadmap, "export", "shipped")
    await wait(roadmap, 10)
    assert len(await notices(roadmap)) == 2


async def test_one_click_can_end_all(roadmap: ServiceUnderTest) -> None:
    """The last link ends every mail about ideas, also what waits; the person can have them again."""
    await vote(roadmap, "export")
    await vote(roadmap, "search")
    await move(roadmap, "export", "planned")
    await wait(roadmap, 10)
    await move(roadmap, "search", "planned")
    await tell(roadmap)
    [mail] = await letters(roadmap)
    await roadmap.client.post(links(mail)[-1])
    await wait(roadmap, 60)
    assert len(await notices(roadmap)) == 1
    await roadmap.client.post("/me/mails", data={"mails": "on"})
    await move(roadmap, "export", "now")
    await wait(roadmap, 10)
    assert len(await notices(roadmap)) == 2


async def test_a_follower_need_not_vote(roadmap: ServiceUnderTest) -> None:
    """Whoever asked to be told is, and whoever voted and asked not to be is not."""
    await roadmap.client.post("/board/export/follow", data={"follow": "on"})
    await vote(roadmap, "search")
    await roadmap.client.post("/board/search/follow", data={"follow": "off"})
    await move(roadmap, "export", "planned")
    await move(roadmap, "search", "planned")
    await wait(roadmap, 10)
    assert await notices(roadmap) == ["“Export” is planned."]


async def test_mails_are_in_the_readers_language(roadmap: ServiceUnderTest) -> None:
    """The language of the page they saved their name on is the language of their mails."""
    await roadmap.client.post("/me?language=de", data={"name": "Ana"})
    await vote(roadmap, "export")
    await move(roadmap, "export", "planned")
    await wait(roadmap, 10)
    assert await notices(roadmap) == ["„Export“ ist geplant."]


async def test_what_stood_before_is_not_told(roadmap: ServiceUnderTest) -> None:
    """An idea that is created on its place is no news, and a vote for a planned idea brings no mail."""
    await add_idea(roadmap, "dark-mode", status="planned")
    await wait(roadmap, 0)
    await vote(roadmap, "dark-mode")
    await wait(roadmap, 30)
    assert await notices(roadmap) == []


async def test_the_title_leads_to_the_idea(roadmap: ServiceUnderTest) -> None:
    """In HTML the heading is a link, in text the whole address follows what is said; one mail has one such heading."""
    await vote(roadmap, "export")
    await move(roadmap, "export", "planned")
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    heading = mail["html"].split("<h1")[1].split("</h1>")[0]
    assert '<a href="http://test/roadmap/board/export"' in heading
    assert heading.endswith(">“Export” is planned.</a>")
    assert mail["text"].startswith("“Export” is planned.\nhttp://test/roadmap/board/export\n")


async def test_each_idea_of_a_digest_is_a_link(roadmap: ServiceUnderTest) -> None:
    """Every sentence leads to its own idea, in both parts of the mail."""
    for idea in ("export", "search"):
        await vote(roadmap, idea)
        await move(roadmap, idea, "planned")
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    for title, idea in (("Export", "export"), ("Search", "search")):
        page = f"http://test/roadmap/board/{idea}"
        assert f"“{title}” is planned.\n{page}\n" in mail["text"]
        assert f'<a href="{page}" style="color:#0b57a4">“{title}” is planned.</a>' in mail["html"]
    assert "<h1" in mail["html"]
    assert ">2 ideas moved</h1>" in mail["html"]


async def test_the_companys_own_status_is_named(roadmap: ServiceUnderTest) -> None:
    """Subject, text and HTML say the status as the board shows it, escaped; one without a name is told by its type."""
    headers = roadmap.headers("manager")
    for status_id, name, kind in (("in-design", "In <design>", "planned"), ("now", "Cooking", "now")):
        body = {"name": name, "type": kind, "position": 35}
        answer = await roadmap.client.put(f"/api/v1/statuses/{status_id}", json=body, headers=headers)
        assert answer.status_code < 300, answer.text
    await vote(roadmap, "export")
    await vote(roadmap, "search")
    for idea, place in (("export", {"status": "planned", "status_id": "in-design"}), ("search", {"status": "now"})):
        answer = await roadmap.client.put(f"/api/v1/ideas/{idea}/place", json=place, headers=headers)
        assert answer.status_code == 200, answer.text
    await wait(roadmap, 10)
    [mail] = await letters(roadmap)
    assert "“Export” is now “In <design>”.\n" in mail["text"]
    assert "“Search” is now “Cooking”.\n" in mail["text"]
    assert "“Export” is now “In &lt;design&gt;”.</a>" in mail["html"]
    await move(roadmap, "export", "shipped")
    await wait(roadmap, 10)
    assert (await notices(roadmap))[-1] == "“Export” is there: you can use it now."
