"""Who is told when an idea moves, and how they end it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.roadmap.people.notices import tell_due
from tests.roadmap.events import add_idea
from tests.roadmap.people import links, mails, sign_in, vote
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


async def move(service: ServiceUnderTest, idea: str, status: str, note: str | None = None) -> None:
    """Move the idea, as a manager."""
    body = {"status": status, "note": note}
    answer = await service.client.post(f"/api/v1/ideas/{idea}/status", json=body, headers=service.headers("manager"))
    assert answer.status_code == 200, answer.text


async def tell(service: ServiceUnderTest) -> None:
    """Do what the job does every few seconds."""
    async with service.database.transaction() as tx:
        await tell_due(tx, service.app.state.settings)


async def wait(service: ServiceUnderTest, minutes: float) -> None:
    """Let the job run now and so many minutes later."""
    await tell(service)
    service.now += timedelta(minutes=minutes)
    await tell(service)


async def notices(service: ServiceUnderTest) -> list[str]:
    """The subjects of the mails about ideas, in order."""
    return [mail["subject"] for mail in await mails(service) if mail["key"].startswith("notice")]


async def test_a_voter_is_told_after_ten_minutes(roadmap: ServiceUnderTest) -> None:
    """Not before, with the official answer, and with a link to the idea."""
    await vote(roadmap, "export")
    await move(roadmap, "export", "planned", "In the spring.")
    await wait(roadmap, 9.9)
    assert await notices(roadmap) == []
    await wait(roadmap, 0.1)
    [mail] = [mail for mail in await mails(roadmap) if mail["key"].startswith("notice")]
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
    [mail] = [mail for mail in await mails(roadmap) if mail["key"].startswith("notice")]
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
    [mail] = [mail for mail in await mails(roadmap) if mail["key"].startswith("notice")]
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
