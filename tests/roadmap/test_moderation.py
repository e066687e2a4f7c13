"""What waits for a moderator, what becomes of it, and who is trusted."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from shared.contract.events import FeatureStatusChanged
from tests.roadmap.events import add_idea
from tests.roadmap.people import mails, sign_in
from tests.roadmap.test_transfer import sums, take
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with one idea, at which Ana is signed in."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await sign_in(service, "ana@example.com")
    return service


async def suggest(service: ServiceUnderTest, title: str) -> None:
    """Send in an idea, as whoever the client's cookies are."""
    answer = await service.client.post("/suggest", data={"title": title, "description": "It would save me an hour."})
    assert answer.status_code == 303, answer.text


async def queue(service: ServiceUnderTest, show: str = "pending") -> str:
    return (await service.client.get(f"/moderation?show={show}", headers=service.headers("manager"))).text


async def post(service: ServiceUnderTest, path: str, role: str = "manager", **form: Any) -> httpx.Response:
    return await service.client.post(path, data=form, headers=service.headers(role))


async def the_idea(service: ServiceUnderTest, title: str) -> str:
    rows = await service.database.fetch("SELECT feature_id FROM ideas WHERE title = $1", title)
    return str(rows[0]["feature_id"])


async def trust(service: ServiceUnderTest) -> str:
    rows = await service.database.fetch("SELECT trust FROM speakers JOIN contacts USING (person_id)")
    return str(rows[0]["trust"])


async def test_an_idea_waits_until_it_is_published(roadmap: ServiceUnderTest) -> None:
    """Nobody sees or hears of it before; then everybody does."""
    await suggest(roadmap, "Dark mode")
    assert "Dark mode" not in (await roadmap.client.get("/board")).text
    assert "Dark mode" in await queue(roadmap)
    idea = await the_idea(roadmap, "Dark mode")
    answer = await post(roadmap, "/moderation", chosen=[f"idea:{idea}"], visibility="published")
    assert answer.status_code == 303
    assert "Dark mode" in (await roadmap.client.get("/board")).text
    assert (await roadmap.published(FeatureStatusChanged))[-1].title == "Dark mode"


async def test_many_are_decided_at_once(roadmap: ServiceUnderTest) -> None:
    """What is chosen is decided, the rest waits on."""
    for title in ("One", "Two", "Three"):
        await suggest(roadmap, title)
    chosen = [f"idea:{await the_idea(roadmap, title)}" for title in ("One", "Two")]
    await post(roadmap, "/moderation", chosen=chosen, visibility="spam")
    waiting, spam = await queue(roadmap), await queue(roadmap, "spam")
    assert [f'value="idea:{await the_idea(roadmap, title)}"' in waiting for title in ("One", "Two", "Three")] == [
        False,
        False,
        True,
    ]
    assert f'value="{chosen[0]}"' in spam
    assert "2 texts decided." in waiting


async def test_the_author_learns_the_reason(roadmap: ServiceUnderTest) -> None:
    """A text that is not published is answered with a mail; spam is not."""
    await suggest(roadmap, "Dark mode")
    await suggest(roadmap, "Buy now")
    ideas = [await the_idea(roadmap, title) for title in ("Dark mode", "Buy now")]
    await post(roadmap, "/moderation", chosen=[f"idea:{ideas[0]}"], visibility="archived", reason="We have it already.")
    await post(roadmap, "/moderation", chosen=[f"idea:{ideas[1]}"], visibility="spam", reason="Advertising.")
    told = [mail for mail in await mails(roadmap) if mail["key"].startswith("not published")]
    assert [mail["recipient"] for mail in told] == ["ana@example.com"]
    assert "We have it already." in told[0]["text"]


async def test_three_published_texts_make_trust(roadmap: ServiceUnderTest) -> None:
    """The fourth is published at once; taking one approval back does not take the trust."""
    for number, before in enumerate(("new", "new", "new")):
        assert await trust(roadmap) == before
        await suggest(roadmap, f"Idea {number}")
        idea = await the_idea(roadmap, f"Idea {number}")
        await post(roadmap, "/moderation", chosen=[f"idea:{idea}"], visibility="published")
    assert await trust(roadmap) == "trusted"
    await suggest(roadmap, "The fourth")
    assert "The fourth" in (await roadmap.client.get("/board")).text
    rows = await roadmap.database.fetch("SELECT decision_id FROM decisions LIMIT 1")
    await post(roadmap, "/moderation/undo", decision_id=rows[0]["decision_id"])
    assert await trust(roadmap) == "trusted"


async def test_a_blocked_person_changes_nothing(roadmap: ServiceUnderTest) -> None:
    """They read, and are told why they cannot do more; undoing the block lets them again."""
    rows = await roadmap.database.fetch("SELECT person_id FROM contacts")
    answer = await post(roadmap, "/moderation/people", person_id=rows[0]["person_id"], trust="blocked")
    assert (answer.status_code, answer.headers["location"]) == (303, "/moderation")
    answer = await roadmap.client.post("/board/export/vote", data={"vote": "up"})
    assert answer.status_code == 403
    assert "blocked" in answer.json()["detail"]
    assert (await roadmap.client.get("/board")).status_code == 200
    [decision] = await roadmap.database.fetch("SELECT decision_id FROM decisions")
    await post(roadmap, "/moderation/undo", decision_id=decision["decision_id"])
    assert (await roadmap.client.post("/board/export/vote", data={"vote": "up"})).status_code == 303


async def test_a_decision_about_somebody_is_not_undone_over_a_later_one(roadmap: ServiceUnderTest) -> None:
    """Ana was blocked and is trusted since: to undo the block would make her new, so it is refused, and stays done."""
    rows = await roadmap.database.fetch("SELECT person_id FROM contacts")
    for given in ("blocked", "trusted"):
        await post(roadmap, "/moderation/people", person_id=rows[0]["person_id"], trust=given)
    [block] = await roadmap.database.fetch("SELECT decision_id FROM decisions WHERE after = 'blocked'")
    answer = await post(roadmap, "/moderation/undo", decision_id=block["decision_id"])
    assert (answer.status_code, "decided anew" in answer.json()["detail"]) == (409, True)
    assert await trust(roadmap) == "trusted"
    assert await roadmap.database.fetch("SELECT 1 FROM decisions WHERE undone_at IS NOT NULL") == []


async def test_a_decision_is_undone_once(roadmap: ServiceUnderTest) -> None:
    """It waits again, its approval counts no more, and a second undo is refused."""
    await suggest(roadmap, "Dark mode")
    idea = await the_idea(roadmap, "Dark mode")
    await post(roadmap, "/moderation", chosen=[f"idea:{idea}"], visibility="published")
    [decision] = await roadmap.database.fetch("SELECT decision_id FROM decisions")
    assert (await post(roadmap, "/moderation/undo", decision_id=decision["decision_id"])).status_code == 303
    assert f'value="idea:{idea}"' in await queue(roadmap)
    assert "Dark mode" not in (await roadmap.client.get("/board")).text
    rows = await roadmap.database.fetch("SELECT approved FROM speakers")
    assert rows[0]["approved"] == 0
    assert (await post(roadmap, "/moderation/undo", decision_id=decision["decision_id"])).status_code == 409


async def test_a_comment_waits_as_an_idea_does(roadmap: ServiceUnderTest) -> None:
    """It is shown once a moderator has published it."""
    await roadmap.client.post("/board/export/comments", data={"body": "Yes, please."})
    roadmap.client.cookies.clear()
    assert "Yes, please." not in (await roadmap.client.get("/board/export")).text
    rows = await roadmap.database.fetch("SELECT comment_id FROM comments")
    await post(roadmap, "/moderation", chosen=[f"comment:{rows[0]['comment_id']}"], visibility="published")
    assert "Yes, please." in (await roadmap.client.get("/board/export")).text


async def test_a_text_of_nobody_is_decided_too(roadmap: ServiceUnderTest) -> None:
    """It was taken in from another tool without its author: nobody is told, and undoing shows it again."""
    comment = json.dumps({"id": "c1", "idea": "export", "body": "Finally!", "name": "Cy"})
    assert sums(await take(roadmap, "comments", comment, format="jsonl")) == (1, 0, 0)
    [row] = await roadmap.database.fetch("SELECT comment_id FROM comments")
    chosen = [f"comment:{row['comment_id']}"]
    answer = await post(roadmap, "/moderation", chosen=chosen, visibility="archived", reason="Off topic.")
    assert answer.status_code == 303
    assert "Finally!" not in (await roadmap.client.get("/board/export")).text
    [decision] = await roadmap.database.fetch("SELECT decision_id FROM decisions")
    assert (await post(roadmap, "/moderation/undo", decision_id=decision["decision_id"])).status_code == 303
    assert "Finally!" in (await roadmap.client.get("/board/export")).text


@pytest.mark.parametrize("role", ["viewer", "note_taker", "researcher"])
async def test_managers_alone_moderate(roadmap: ServiceUnderTest, role: str) -> None:
    """Others are told which role it needs."""
    assert (await roadmap.client.get("/moderation", headers=roadmap.headers(role))).status_code == 403
    assert (await post(roadmap, "/moderation", role, chosen=["idea:export"], visibility="spam")).status_code == 403


@pytest.mark.parametrize("chosen", ["export", "table:x", "idea"])
async def test_nonsense_is_refused(roadmap: ServiceUnderTest, chosen: str) -> None:
    """A choice that the page does not offer is answered 422."""
    assert (await post(roadmap, "/moderation", chosen=[chosen], visibility="spam")).status_code == 422
    assert (await post(roadmap, "/moderation", visibility="spam")).status_code == 422
    assert (await post(roadmap, "/moderation/people", person_id="ana", trust=chosen)).status_code == 422
