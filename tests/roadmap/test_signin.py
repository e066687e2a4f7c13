"""Signing in at the board by a link in a mail, and what stays of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.roadmap.store.speakers import Link, add_link, links_since
from tests.roadmap.events import active, add_idea, drift, supporters
from tests.roadmap.people import ask_link, links, mails, sign_in, vote
from tests.support.locks import waits_for_a_lock
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with two ideas."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await add_idea(service, "search")
    return service


async def test_a_link_signs_in_once(roadmap: ServiceUnderTest) -> None:
    """Opening the link uses nothing up, pressing the button signs in, and a second press is refused."""
    path = await ask_link(roadmap, "ana@example.com")
    assert (await roadmap.client.get(path)).status_code == 200
    assert (await roadmap.client.get(path)).status_code == 200
    answer = await roadmap.client.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/board")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("earshot_board="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "ana@example.com" in (await roadmap.client.get("/me")).text
    again = await roadmap.client.post(path)
    assert again.status_code == 410
    assert "This link works no more" in again.text


async def test_a_link_leads_back_to_where_it_was_asked_for(roadmap: ServiceUnderTest) -> None:
    """From an idea to the form, a mistake in it, the mail, the button in another browser, and to the idea again."""
    await vote(roadmap, "export")
    assert "/sign-in?to=/board/export" in (await roadmap.client.get("/board/export")).text
    page = (await roadmap.client.get("/sign-in?to=/board/export")).text
    assert '<input type="hidden" name="to" value="/board/export">' in page
    wrong = await roadmap.client.post("/sign-in", data={"email": "ana", "to": "/board/export"})
    assert '<input type="hidden" name="to" value="/board/export">' in wrong.text
    path = await ask_link(roadmap, "ana@example.com", to="/board/export")
    roadmap.client.cookies.clear()
    assert (await roadmap.client.post(path)).headers["location"] == "/board/export"


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "/\\evil.example", "", "/sign-in?to=/me"])
async def test_a_link_leads_to_no_other_site(roadmap: ServiceUnderTest, to: str) -> None:
    """Whatever a forged form says, the board is where the link ends that leads to no page of ours."""
    path = await ask_link(roadmap, "ana@example.com", to=to)
    assert (await roadmap.client.post(path)).headers["location"] == "/board"


async def test_whoever_must_sign_in_comes_back_to_what_they_wanted(roadmap: ServiceUnderTest) -> None:
    """Following an idea and one's own page lead to the sign-in, which knows of it."""
    following = await roadmap.client.post("/board/export/follow", data={"follow": "on"})
    assert following.headers["location"] == "/sign-in?to=%2Fboard%2Fexport"
    for method, path in (("GET", "/me"), ("POST", "/me"), ("POST", "/me/mails"), ("POST", "/me/erase")):
        answer = await roadmap.client.request(method, path)
        assert answer.headers["location"] == "/sign-in?to=%2Fme"


async def test_two_links_at_once_are_one_person(roadmap: ServiceUnderTest) -> None:
    """Whoever opens two links to a new address at the same time is signed in by both, as the same person."""
    paths = [await ask_link(roadmap, f"ana-{number}@example.com") for number in range(8) for _ in range(2)]
    answers = await asyncio.gather(*(roadmap.client.post(path) for path in paths))
    assert [answer.status_code for answer in answers] == [303] * 16
    people = await roadmap.database.fetch("SELECT person_id FROM speakers JOIN contacts USING (person_id)")
    everybody = await roadmap.database.fetch("SELECT person_id FROM speakers")
    assert (len(people), len(everybody)) == (8, 8)


async def test_a_link_ends_after_fifteen_minutes(roadmap: ServiceUnderTest) -> None:
    """After that nobody signs in with it, and its mail is not sent any more."""
    path = await ask_link(roadmap, "ana@example.com")
    roadmap.now += timedelta(minutes=15)
    assert (await roadmap.client.get(path)).status_code == 410
    assert (await roadmap.client.post(path)).status_code == 410
    [mail] = await mails(roadmap)
    assert mail["expires_at"] == roadmap.now


async def test_the_database_holds_no_secret(roadmap: ServiceUnderTest) -> None:
    """Neither the link's token nor the session's stands in a table of the board."""
    path = await ask_link(roadmap, "ana@example.com")
    await roadmap.client.post(path)
    secrets = [path.rsplit("/", 1)[1], roadmap.client.cookies["earshot_board"]]
    rows = await roadmap.database.fetch("SELECT digest FROM sign_in_links UNION ALL SELECT digest FROM board_sessions")
    assert len(rows) == 2
    assert not any(secret.encode() in row["digest"] for row in rows for secret in secrets)


async def test_the_answer_does_not_tell_who_is_known(roadmap: ServiceUnderTest) -> None:
    """Known and unknown addresses are answered alike, and so is a sixth request within the hour, which sends none."""
    await sign_in(roadmap, "ana@example.com")
    roadmap.client.cookies.clear()
    known, unknown = [
        (await roadmap.client.post("/sign-in", data={"email": f"{name}@example.com"})).text.replace(name, "")
        for name in ("ana", "ben")
    ]
    assert known == unknown
    for _ in range(6):
        answer = await roadmap.client.post("/sign-in", data={"email": "ben@example.com"})
        assert "We have sent a link" in answer.text
    assert len(await mails(roadmap, "ben@example.com")) == 5


async def test_links_asked_for_at_once_are_no_more_than_one_by_one(roadmap: ServiceUnderTest) -> None:
    """A sixth link is counted after the fifth, also while that is being written: nobody's mailbox is flooded."""
    for _ in range(4):
        await ask_link(roadmap, "ben@example.com")
    link = Link("ben@example.com", None, "en", "/board")
    async with asyncio.TaskGroup() as both, roadmap.database.transaction() as fifth:
        assert await links_since(fifth.connection, link.email, fifth.now - timedelta(hours=1)) == 4
        sixth = both.create_task(roadmap.client.post("/sign-in", data={"email": link.email}))
        await waits_for_a_lock(roadmap)
        await add_link(fifth.connection, b"fifth", link, fifth.now, fifth.now + timedelta(minutes=15))
    assert "We have sent a link" in sixth.result().text
    assert len(await mails(roadmap, link.email)) == 4


async def test_a_wrong_address_comes_back(roadmap: ServiceUnderTest) -> None:
    """What is no address is answered 422 with a sentence and what was typed."""
    answer = await roadmap.client.post("/sign-in", data={"email": "ana at home"})
    assert answer.status_code == 422
    assert "Enter an e-mail address" in answer.text
    assert "ana at home" in answer.text


async def test_signing_in_counts_what_the_visitor_voted(roadmap: ServiceUnderTest) -> None:
    """An anonymous vote counts for nothing until its visitor signs in, then as one person."""
    await vote(roadmap, "export")
    assert (await supporters(roadmap, "export"), await active(roadmap)) == (0, {})
    await sign_in(roadmap, "ana@example.com")
    assert (await supporters(roadmap, "export"), sum((await active(roadmap)).values())) == (1, 1)
    assert await drift(roadmap) == []


async def test_a_link_opened_elsewhere_counts_the_votes_of_who_asked(roadmap: ServiceUnderTest) -> None:
    """Asked for on one device and opened on another, the votes of the first one count."""
    await vote(roadmap, "export")
    path = await ask_link(roadmap, "ana@example.com")
    roadmap.client.cookies.clear()
    assert (await roadmap.client.post(path)).status_code == 303
    assert await supporters(roadmap, "export") == 1


async def test_the_same_address_is_the_same_person(roadmap: ServiceUnderTest) -> None:
    """However it is written and from whatever browser, it votes once."""
    first = await sign_in(roadmap, "ana@example.com")
    await vote(roadmap, "export")
    roadmap.client.cookies.clear()
    path = await ask_link(roadmap, "ana@example.com")
    await roadmap.client.post(path)
    await vote(roadmap, "export")
    assert first == await sign_in(roadmap, "ana@example.com")
    assert await supporters(roadmap, "export") == 1


async def test_signing_out_ends_the_session(roadmap: ServiceUnderTest) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    await sign_in(roadmap, "ana@example.com")
    copy = roadmap.client.cookies["earshot_board"]
    await roadmap.client.post("/sign-out")
    roadmap.client.cookies.set("earshot_board", copy)
    assert (await roadmap.client.get("/me")).headers["location"] == "/sign-in?to=%2Fme"


async def test_a_session_gets_a_new_secret_each_day(roadmap: ServiceUnderTest) -> None:
    """The old secret works until the browser has shown the new one, and never after."""
    await sign_in(roadmap, "ana@example.com")
    old = roadmap.client.cookies["earshot_board"]
    roadmap.now += timedelta(days=1, seconds=1)
    await vote(roadmap, "export")
    new = roadmap.client.cookies["earshot_board"]
    assert new != old
    roadmap.client.cookies.set("earshot_board", old)
    assert (await roadmap.client.get("/me")).status_code == 200
    roadmap.client.cookies.set("earshot_board", new)
    assert (await roadmap.client.get("/me")).status_code == 200
    roadmap.client.cookies.set("earshot_board", old)
    assert (await roadmap.client.get("/me")).status_code == 303


async def test_whoever_leaves_is_gone(roadmap: ServiceUnderTest) -> None:
    """Address, votes and session go at once, and nothing late brings them back."""
    person = await sign_in(roadmap, "ana@example.com")
    await vote(roadmap, "export")
    await roadmap.client.post("/board/export/comments", data={"body": "Yes, please."})
    told = await roadmap.database.fetch("SELECT payload FROM outbox WHERE type LIKE '%FeatureVoted%'")
    assert (await roadmap.client.post("/me/erase")).status_code == 303
    assert await supporters(roadmap, "export") == 0
    for table in ("contacts", "speakers", "board_sessions", "mails", "votes", "sign_in_links"):
        assert await roadmap.database.fetch(f"SELECT * FROM {table}") == [], table  # noqa: S608
    rows = await roadmap.database.fetch("SELECT author_id, author_name FROM comments")
    assert [tuple(row) for row in rows] == [(None, None)]
    assert [person in row["payload"] for row in told] == [True]
    assert "ana" not in told[0]["payload"]


async def test_mails_lead_only_to_us(roadmap: ServiceUnderTest) -> None:
    """The one link of the mail is ours, and its HTML names the address that asked for nothing else."""
    await ask_link(roadmap, "ana@example.com")
    [mail] = await mails(roadmap)
    assert len(links(mail)) == 1
    assert mail["subject"] == "Sign in at Earshot"
    assert mail["html"].count("href=") == 1
