"""Floods, programs that fill in everything, blocked people, and votes that look alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.roadmap.people.abuse import Bucket, Limits, neighbourhood, network_of, taken
from services.roadmap.people.rings import Arrival, rings
from services.roadmap.store.moderation import salt_of_week
from tests.roadmap.events import add_idea
from tests.roadmap.people import mails, sign_in, vote
from tests.support.locks import waits_for_a_lock
from tests.support.service import START, ServiceUnderTest, service_under_test

Start = Callable[[str], Awaitable[ServiceUnderTest]]
HERE, THERE = b"here", b"there"
MONDAY = date(2026, 11, 23)


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    """A board that lets everybody change three things a minute."""
    async with service_under_test("roadmap", tmp_path, told={"board_writes_per_minute": 3}) as service:
        await add_idea(service, "export")
        yield service


def test_a_bucket_fills_with_time() -> None:
    """Of 60 a minute one comes back each second, and no more than a minute's worth is saved up."""
    assert taken(None, 0, 60) == (Bucket(59, 0), 0.0)
    assert taken(Bucket(0, 0), 0.5, 60) == (Bucket(0.5, 0.5), 0.5)
    assert taken(Bucket(0, 0), 1, 60) == (Bucket(0, 1), 0.0)
    assert taken(Bucket(0, 0), 3600, 60) == (Bucket(59, 3600), 0.0)


def test_limits_are_each_ones_own() -> None:
    """Who did too much waits, and nobody else does."""
    limits = Limits(clock=lambda: 0.0)
    assert [limits.take("a", 2) for _ in range(3)] == [0.0, 0.0, 30.0]
    assert limits.take("b", 2) == 0.0


def test_whoever_was_not_seen_for_the_longest_is_forgotten() -> None:
    """50,000 are remembered; the next one takes the place of the oldest, and whoever comes again is not old."""
    limits = Limits(clock=lambda: 0.0)
    for key in ("old", "seen", *(f"other-{number}" for number in range(49_998))):
        assert limits.take(key, 1) == 0.0
    assert limits.take("seen", 1) == 60.0
    assert limits.take("new", 1) == 0.0
    assert limits.take("seen", 1) == 60.0
    assert limits.take("other-0", 1) == 60.0
    assert limits.take("old", 1) == 0.0


def test_exactly_so_many_are_remembered() -> None:
    """The first of 50,000 still waits."""
    limits = Limits(clock=lambda: 0.0)
    for number in range(50_000):
        limits.take(str(number), 1)
    assert limits.take("0", 1) == 60.0


@pytest.mark.parametrize(
    ("address", "one", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::/48"),
        ("unknown", "unknown", "unknown"),
    ],
)
def test_addresses_are_taken_together(address: str, one: str, network: str) -> None:
    """One IPv6 customer has 2⁶⁴ addresses, and networks are as large as one customer's."""
    assert (neighbourhood(address), network_of(address)) == (one, network)


async def test_a_flood_is_told_when_to_come_back(strict: ServiceUnderTest) -> None:
    """The fourth change of a minute is refused with Retry-After, also without the cookie; those of others are not."""
    for _ in range(3):
        await vote(strict, "export")
        strict.client.cookies.clear()
    answer = await strict.client.post("/board/export/vote", data={"vote": "up"})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    assert (await strict.client.get("/board")).status_code == 200
    for other, statuses in (("203.0.113.9", [303, 303, 303, 429]), ("203.0.113.10", [303])):
        headers = {"X-Forwarded-For": other}
        for status in statuses:
            answer = await strict.client.post("/board/export/vote", data={"vote": "up"}, headers=headers)
            assert answer.status_code == status


async def test_whoever_is_signed_in_has_a_limit_of_their_own(strict: ServiceUnderTest) -> None:
    """Ana's three changes take nothing from her address, which has one left after the two of her signing in."""
    await sign_in(strict, "ana@example.com")
    for choice in ("up", "withdrawn", "up"):
        await vote(strict, "export", choice)
    assert (await strict.client.post("/board/export/vote", data={"vote": "up"})).status_code == 429
    strict.client.cookies.clear()
    await vote(strict, "export")
    assert (await strict.client.post("/board/export/vote", data={"vote": "up"})).status_code == 429


async def test_a_colleague_is_not_limited(strict: ServiceUnderTest) -> None:
    """The team works as fast as it can."""
    for choice in ("up", "withdrawn") * 3:
        answer = await strict.client.post(
            "/board/export/vote", data={"vote": choice}, headers=strict.headers("viewer", "sam")
        )
        assert answer.status_code == 303


async def test_a_program_that_fills_in_everything_is_thanked(strict: ServiceUnderTest) -> None:
    """It is led to the board as if all went well, and nothing was done."""
    answer = await strict.client.post("/sign-in", data={"email": "a@example.com", "website": "https://buy.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/board")
    assert await mails(strict) == []


async def test_a_program_that_comments_is_thanked(strict: ServiceUnderTest) -> None:
    """Comments and answers have the field that people do not see; filled in, nothing is written or previewed."""
    written = {"body": "Cheap watches", "website": "https://buy.example"}
    for act in ("send", "preview"):
        answer = await strict.client.post("/board/export/comments", data=written | {"act": act})
        assert (answer.status_code, answer.headers["location"]) == (303, "/board")
    assert await strict.database.fetch("SELECT 1 FROM comments") == []
    comment = {"body": "We need it every Monday", "website": ""}
    answer = await strict.client.post("/board/export/comments", data=comment)
    assert answer.headers["location"].startswith("/board/export#comment")
    page = (await strict.client.get("/board/export")).text
    assert page.count('name="website"') == page.count('name="body"') - 1 == 1  # the one to edit one's own has none


def arrival(
    person: str, minutes: float = 0, *, network: bytes = HERE, idea: str = "export", new: bool = True
) -> Arrival:
    return Arrival(idea, person, network, new, START + timedelta(minutes=minutes))


def test_five_new_visitors_of_one_network_are_a_ring() -> None:
    """Within an hour, for one idea; four, older ones, other networks and other ideas are none."""
    five = [arrival(f"v{number}", number * 15) for number in range(5)]
    [ring] = rings(five)
    assert (ring.feature_id, len(ring.person_ids)) == ("export", 5)
    assert (ring.first, ring.last) == (START, START + timedelta(minutes=60))
    assert rings(five[:4]) == []
    assert rings([*five[:4], arrival("v4", 60.1)]) == []
    assert rings([*five[:4], arrival("v4", network=THERE)]) == []
    assert rings([*five[:4], arrival("v4", idea="search")]) == []
    assert rings([*five[:4], arrival("v4", new=False)]) == []


async def test_the_first_votes_of_a_week_share_their_salt(start_service: Start) -> None:
    """Two at once: the second waits for the first one's salt and takes it; so does whoever comes later."""
    service = await start_service("roadmap")
    async with service.database.transaction() as other, asyncio.TaskGroup() as both:
        async with service.database.transaction() as first:
            assert await salt_of_week(first.connection, MONDAY, b"first") == b"first"
            second = both.create_task(salt_of_week(other.connection, MONDAY, b"second"))
            await waits_for_a_lock(service)
        assert await second == b"first"
        assert await salt_of_week(other.connection, MONDAY + timedelta(days=6), b"third") == b"first"
        assert await salt_of_week(other.connection, MONDAY + timedelta(days=7), b"fourth") == b"fourth"


async def test_a_ring_is_shown_and_nothing_else_is_done(start_service: Start) -> None:
    """Moderators see it; the votes stay as they are, and no address is stored."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    for _ in range(5):
        await vote(service, "export")
        service.client.cookies.clear()
    page = await service.client.get("/moderation", headers=service.headers("manager"))
    assert "5 new visitors from one network" in page.text
    rows = await service.database.fetch("SELECT count(*) AS votes FROM anonymous_votes WHERE vote = 'up'")
    assert rows[0]["votes"] == 5
    kept = await service.database.fetch("SELECT network FROM arrivals")
    assert {len(row["network"]) for row in kept} == {16}
    assert not any(b"127.0.0" in row["network"] for row in kept)
    service.now += timedelta(days=15)
    await service.client.get("/moderation", headers=service.headers("manager"))
    assert await service.database.fetch("SELECT 1 FROM arrivals UNION ALL SELECT 1 FROM network_salts") == []
