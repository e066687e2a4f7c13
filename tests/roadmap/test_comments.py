"""What people say about an idea: threads, their own words, reactions, mentions, pins."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from services.roadmap.board.comments import Comment, handle_of, may_change, mentioned, threads
from shared.contract.events import ErasureCompleted, ParticipantErased
from tests.roadmap.events import add_idea
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
WAITS = "Others see your comment once the team has read it."


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await add_idea(service, "search")
    return service


async def say(service: ServiceUnderTest, body: str, who: str | None = "mara", **more: str) -> httpx.Response:
    """Send the form below the idea, as a colleague or as a visitor."""
    headers = service.headers("manager", who) if who else {}
    return await service.client.post("/board/export/comments", data={"body": body, **more}, headers=headers)


async def written(service: ServiceUnderTest, body: str, who: str | None = "mara", **more: str) -> str:
    """The id of a new comment."""
    return (await say(service, body, who, **more)).headers["location"][-36:]


async def page(service: ServiceUnderTest, who: str | None = None) -> str:
    headers = service.headers("manager", who) if who else {}
    return (await service.client.get("/board/export", headers=headers)).text


def ids(text: str) -> list[str]:
    """The comments in the order in which the page shows them."""
    return re.findall(r'<article class="comment[^"]*" id="comment-([^"]+)"', text)


async def test_a_colleagues_comment_is_there_at_once(roadmap: ServiceUnderTest) -> None:
    """It is rendered from Markdown, marked as the team's, and official where the team says so."""
    answer = await say(roadmap, "We **look** into it.", official="true")
    assert re.fullmatch(r"/board/export#comment-[0-9a-f-]{36}", answer.headers["location"])
    text = await page(roadmap)
    assert "<p>We <strong>look</strong> into it.</p>" in text
    assert ">Official<" in text
    assert '<strong dir="auto">mara</strong>' in text


async def test_a_strangers_comment_waits(roadmap: ServiceUnderTest) -> None:
    """Its author alone sees it until the team publishes it, and it cannot be official."""
    answer = await say(roadmap, "Please do!", who=None, name="Ines", official="true")
    assert answer.status_code == 303
    own = await page(roadmap)
    assert "Please do!" in own
    assert "Only you see this yet" in own
    assert ">Official<" not in own
    roadmap.client.cookies.clear()
    assert "Please do!" not in await page(roadmap)
    await roadmap.database.pool.execute("UPDATE comments SET visibility = 'published'")
    others = await page(roadmap)
    assert "Please do!" in others
    assert '<strong dir="auto">Ines</strong>' in others


async def test_answers_stand_under_what_they_answer(roadmap: ServiceUnderTest) -> None:
    """An answer to an answer stands beside it; a pinned thread comes first."""
    first = await written(roadmap, "one")
    roadmap.now += timedelta(hours=1)
    other = await written(roadmap, "two")
    roadmap.now += timedelta(hours=1)
    answer = await written(roadmap, "to one", parent=first)
    roadmap.now += timedelta(hours=1)
    deep = await written(roadmap, "to that", parent=answer)
    assert ids(await page(roadmap)) == [first, answer, deep, other]
    await roadmap.client.post(f"/comments/{other}/pin", data={"pinned": "true"}, headers=roadmap.headers("manager"))
    assert ids(await page(roadmap)) == [other, first, answer, deep]


async def test_ones_own_comment_can_be_changed_and_deleted(roadmap: ServiceUnderTest) -> None:
    """The author alone may; a deleted comment with answers keeps its place, without words."""
    comment = await written(roadmap, "frist")
    await say(roadmap, "an answer", who="ben", parent=comment)
    for who in ("ben", None):
        headers = roadmap.headers("manager", who) if who else {}
        for path in ("", "/delete"):
            answer = await roadmap.client.post(f"/comments/{comment}{path}", data={"body": "mine"}, headers=headers)
            assert answer.status_code == 403
    headers = roadmap.headers("manager", "mara")
    await roadmap.client.post(f"/comments/{comment}", data={"body": "first"}, headers=headers)
    text = await page(roadmap)
    assert "<p>first</p>" in text
    assert ">edited<" in text
    assert (await roadmap.client.post(f"/comments/{comment}/delete", headers=headers)).status_code == 303
    text = await page(roadmap)
    assert "first" not in text
    assert "This comment was deleted." in text
    assert "an answer" in text
    assert (await roadmap.client.post(f"/comments/{comment}", data={"body": "x"}, headers=headers)).status_code == 404


async def test_a_changed_comment_waits_again(roadmap: ServiceUnderTest) -> None:
    """Somebody whose comment was published cannot put other words in its place unseen."""
    comment = await written(roadmap, "harmless", who=None)
    await roadmap.database.pool.execute("UPDATE comments SET visibility = 'published'")
    await roadmap.client.post(f"/comments/{comment}", data={"body": "buy pills"})
    roadmap.client.cookies.clear()
    assert "buy pills" not in await page(roadmap)


async def test_a_reaction_counts_once_and_can_be_taken_back(roadmap: ServiceUnderTest) -> None:
    """Pressing twice is one reaction; another kind is another; each can be taken back."""
    comment = await written(roadmap, "one")

    async def react(kind: str, wanted: str = "true") -> int:
        path = f"/comments/{comment}/reactions?wanted={wanted}"
        return (await roadmap.client.post(path, data={"kind": kind})).status_code

    assert [await react(kind) for kind in ("agree", "agree", "love")] == [303, 303, 303]
    rows = await roadmap.database.fetch("SELECT kind FROM reactions ORDER BY kind")
    assert [row["kind"] for row in rows] == ["agree", "love"]
    assert (await page(roadmap)).count('reaction" name="kind" value="agree"') == 1
    assert await react("agree", "false") == 303
    assert await react("fire") == 422
    rows = await roadmap.database.fetch("SELECT kind FROM reactions")
    assert [row["kind"] for row in rows] == ["love"]


async def test_mentions_reach_the_colleague(roadmap: ServiceUnderTest) -> None:
    """Somebody of the team who has commented can be named; an address and an unknown name mention nobody."""
    await say(roadmap, "hello", who="mara")
    await say(roadmap, "ask @mara, not @nobody or mail@mara.example", who="ben")
    mentions = (await roadmap.client.get("/mentions", headers=roadmap.headers("viewer", "mara"))).text
    assert "ask @mara, not @nobody" in mentions
    mentions = (await roadmap.client.get("/mentions", headers=roadmap.headers("viewer", "ben"))).text
    assert "Nobody has named you" in mentions


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"body": ""}, 422, "Fill this in."),
        ({"body": "x" * 20_001}, 422, "Shorten this to 20000 characters or fewer."),
        ({"body": "x", "parent": "nothing"}, 404, "There is no comment"),
        ({"body": "x" * 1_000_000}, 422, "Shorten this to 20000 characters or fewer."),
    ],
)
async def test_a_wrong_comment_is_told(roadmap: ServiceUnderTest, form: dict[str, str], status: int, said: str) -> None:
    """Nothing, too much and an answer to nothing are refused in words, and nothing is stored."""
    answer = await roadmap.client.post("/board/export/comments", data=form, headers={"Accept": "text/html"})
    assert (answer.status_code, said in answer.text) == (status, True)
    assert await roadmap.database.fetch("SELECT FROM comments") == []


async def test_an_answer_belongs_to_its_idea(roadmap: ServiceUnderTest) -> None:
    """A comment on one idea cannot be answered on another's page."""
    comment = await written(roadmap, "one")
    answer = await roadmap.client.post("/board/search/comments", data={"body": "x", "parent": comment})
    assert answer.status_code == 409


async def test_a_preview_stores_nothing(roadmap: ServiceUnderTest) -> None:
    """The page comes back with what it will look like and what was typed."""
    answer = await say(roadmap, "**bold**", act="preview")
    assert answer.status_code == 200
    assert "<strong>bold</strong>" in answer.text
    assert "**bold**</textarea>" in answer.text
    assert await roadmap.database.fetch("SELECT FROM comments") == []


async def test_an_erased_persons_words_go(roadmap: ServiceUnderTest) -> None:
    """Comments lose words and author, reactions go, and the service says how many."""
    await say(roadmap, "my secret", who=None, name="Ines")
    await roadmap.client.post("/suggest", data={"title": "My idea", "name": "Ines"})
    [row] = await roadmap.database.fetch("SELECT author_id FROM comments")
    await roadmap.deliver(ParticipantErased(participant_id=row["author_id"], erased_at=START))
    for table in ("comments", "ideas"):
        rows = await roadmap.database.fetch(f"SELECT author_id, author_name FROM {table}")  # noqa: S608 - two names
        assert {(row["author_id"], row["author_name"]) for row in rows} == {(None, None)}
    [row] = await roadmap.database.fetch("SELECT body FROM comments")
    assert row["body"] == ""
    [told] = await roadmap.published(ErasureCompleted)
    assert (told.removed["comments"], told.removed["ideas"]) == (1, 1)


def comment(name: str, parent: str | None = None, minutes: int = 0) -> Comment:
    return Comment(
        comment_id=name,
        feature_id="idea",
        parent_id=parent,
        author_id="ana",
        author_kind="customer",
        author_name=None,
        body=name,
        official=False,
        pinned=False,
        visibility="published",
        created_at=START + timedelta(minutes=minutes),
    )


def shape(comments: list[Comment], reader: str | None = None) -> list[tuple[str, list[str]]]:
    found = threads(comments, reader)
    return [(top.comment.comment_id, [each.comment.comment_id for each in top.answers]) for top in found]


def test_threads_have_two_levels() -> None:
    """Whatever answers an answer stands beside it, by age; what answers something unseen begins a thread."""
    given = [comment("d", "c", 4), comment("c", "b", 3), comment("b", "a", 2), comment("a"), comment("x", "gone", 1)]
    assert shape(given) == [("a", ["b", "c", "d"]), ("x", [])]


def test_what_waits_is_shown_to_its_author_alone() -> None:
    """Spam is shown to nobody, what waits to its author; a deleted comment only while it has answers."""
    waits = replace(comment("waits"), visibility="pending")
    spam = replace(comment("spam"), visibility="spam")
    gone = replace(comment("gone"), body="", deleted_at=START)
    assert shape([waits, spam, gone]) == []
    assert shape([waits, spam, gone], "ana") == [("waits", [])]
    assert shape([gone, comment("answer", "gone")]) == [("gone", ["answer"])]
    assert may_change(waits, "ana")
    assert not may_change(gone, "ana")
    assert not may_change(waits, None)


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@ana.ruiz please", ["ana.ruiz"]),
        ("(@ana.ruiz) and @Ben.", ["ana.ruiz", "ben"]),
        ("mail me@ana.ruiz or https://x.example/@ana.ruiz", []),
        ("@ana.ruizinger @", []),
        ("@ben @ben", ["ben"]),
    ],
)
def test_mentions_are_read(text: str, handles: list[str]) -> None:
    """A handle after an @ that begins a word, known ones alone, each once."""
    assert mentioned(text, ["ana.ruiz", "ben"]) == handles


@pytest.mark.parametrize(
    ("name", "handle"),
    [("Ana Ruiz", "ana.ruiz"), ("ben@company.example", "ben"), ("局", "colleague"), ("O'Neil-Smith", "o.neil.smith")],
)
def test_colleagues_have_handles(name: str, handle: str) -> None:
    """Small letters with dots, from the name or what stands before the @ of an address."""
    assert handle_of(name) == handle
