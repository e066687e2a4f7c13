"""Votes of visitors nobody knows: kept apart, counted nowhere, handed over once."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from services.roadmap import migrations
from services.roadmap.people.anonymous import confirm
from services.roadmap.people.visitors import Visitor
from services.roadmap.store.anonymous import count_anonymous
from shared.contract.events import FeatureVoted, ParticipantErased
from shared.contract.types import Segment
from tests.roadmap.events import active, add_idea, counts, drift, supporters, voted
from tests.roadmap.people import vote
from tests.support.databases import drop_database, dsn_of, empty_database
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
ANA = Visitor("ana", "customer", segment=Segment(plan="pro"))


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with two ideas."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await add_idea(service, "search")
    return service


async def apart(service: ServiceUnderTest, *ideas: str) -> dict[str, int]:
    """How many visitors nobody knows stand behind each idea."""
    async with service.database.transaction() as tx:
        return await count_anonymous(tx.connection, ideas)


async def hand_over(service: ServiceUnderTest, visitor: str, person: Visitor = ANA) -> int:
    async with service.database.transaction() as tx:
        return await confirm(tx, visitor, person)


async def test_an_anonymous_vote_counts_for_nothing(roadmap: ServiceUnderTest) -> None:
    """Neither the idea's supporters nor a cell nor who takes part know of it, by whatever channel it came."""
    await roadmap.deliver(voted("export", "v1", kind="anonymous"), voted("export", "v2", kind="anonymous"))
    await vote(roadmap, "export")
    assert await supporters(roadmap, "export") == 0
    assert (await counts(roadmap, "export"), await active(roadmap)) == ({}, {})
    assert await roadmap.database.fetch("SELECT * FROM people") == []
    assert await apart(roadmap, "export", "search") == {"export": 3}
    assert await drift(roadmap) == []


async def test_the_visitor_sees_their_vote(roadmap: ServiceUnderTest) -> None:
    """The board says "You voted" and how it comes to count."""
    answer = await roadmap.client.post("/board/export/vote", data={"vote": "up"})
    assert answer.status_code == 303
    text = (await roadmap.client.get("/board")).text
    assert "Your vote counts as soon as you sign in" in text
    assert text.count("You voted") == 1


async def test_only_the_last_anonymous_vote_holds(roadmap: ServiceUnderTest) -> None:
    """In whatever order a visitor's votes come and however often, the latest is kept."""
    events = [
        roadmap.record(voted("export", "v1", kind="anonymous", hours=hour, withdrawn=hour % 2 == 1))
        for hour in range(5)
    ]
    dice = random.Random(7)
    for _ in range(4):
        dice.shuffle(events)
        await roadmap.deliver(*events)
    assert await apart(roadmap, "export") == {"export": 1}


async def test_confirming_counts_votes_at_their_own_time(roadmap: ServiceUnderTest) -> None:
    """They are published as the person's, as old as they are, and the visitor's own are taken back."""
    await roadmap.deliver(voted("export", "v1", kind="anonymous", hours=-5), voted("search", "v1", kind="anonymous"))
    assert await hand_over(roadmap, "v1") == 2
    told = {(event.feature_id, event.voter_id, event.vote): event for event in await roadmap.published(FeatureVoted)}
    assert set(told) == {
        ("export", "ana", "up"),
        ("search", "ana", "up"),
        ("export", "v1", "withdrawn"),
        ("search", "v1", "withdrawn"),
    }
    assert told["export", "ana", "up"].voted_at == START - timedelta(hours=5)
    assert told["export", "ana", "up"].segment.plan == "pro"
    assert await counts(roadmap, "export") == {"–|pro|–": (1, 0, 0)}
    assert await apart(roadmap, "export", "search") == {}
    assert await drift(roadmap) == []


async def test_confirming_again_changes_nothing(roadmap: ServiceUnderTest) -> None:
    """Twice at once or later, and with every event coming back from the broker, it is one person's vote."""
    await roadmap.deliver(voted("export", "v1", kind="anonymous"))
    assert [await hand_over(roadmap, "v1") for _ in range(2)] == [1, 0]
    await roadmap.deliver(*reversed(await roadmap.published(FeatureVoted)))
    assert await supporters(roadmap, "export") == 1
    assert await drift(roadmap) == []


async def test_a_later_word_of_the_person_stays(roadmap: ServiceUnderTest) -> None:
    """Whoever took their own vote back after the visitor's vote has not voted."""
    await roadmap.deliver(
        voted("export", "v1", kind="anonymous", hours=-2), voted("export", "ana", withdrawn=True, hours=-1)
    )
    await hand_over(roadmap, "v1")
    assert await supporters(roadmap, "export") == 0


async def test_a_vote_for_what_is_closed_since_counts(roadmap: ServiceUnderTest) -> None:
    """It was cast while the idea was open; a vote cast after that is not taken at all."""
    await roadmap.deliver(voted("export", "v1", kind="anonymous", hours=-1))
    roadmap.now += timedelta(hours=1)
    body = {"status": "shipped"}
    await roadmap.client.post("/api/v1/ideas/export/status", json=body, headers=roadmap.headers("manager"))
    roadmap.now += timedelta(hours=1)
    assert (await roadmap.client.post("/board/export/vote", data={"vote": "up"})).status_code == 409
    await hand_over(roadmap, "v1")
    assert await supporters(roadmap, "export") == 1


async def test_an_erased_visitor_is_not_kept(roadmap: ServiceUnderTest) -> None:
    """Their votes go, and what comes late about them is left out."""
    await roadmap.deliver(voted("export", "v1", kind="anonymous"))
    await roadmap.deliver(ParticipantErased(participant_id="v1", erased_at=START))
    await roadmap.deliver(voted("search", "v1", kind="anonymous"))
    assert await apart(roadmap, "export", "search") == {}


async def test_votes_counted_before_are_set_apart_by_the_migration() -> None:
    """A database in which anonymous votes counted, as they once did, has them apart and its counters right."""
    files = sorted(Path(migrations.__file__).parent.glob("*.sql"))
    name = await empty_database()
    connection = await asyncpg.connect(dsn_of(name))
    try:
        for file in files[:4]:
            await connection.execute(file.read_text())
        await connection.execute(
            """
            INSERT INTO ideas (feature_id, title, status_version, status_changed_at, created_at, supporters, momentum)
            VALUES ('export', 'Export', 1, now(), now(), 3, 9);
            INSERT INTO people (person_id, cell, seen_at) VALUES ('ana', 'a', now()), ('v1', 'b', now()),
                                                                 ('v2', 'a', now());
            INSERT INTO active_counts VALUES ('a', 2), ('b', 1);
            INSERT INTO support_counts VALUES ('export', 'a', 2, 0, 0), ('export', 'b', 1, 0, 0);
            INSERT INTO votes (feature_id, voter_id, vote, voted_at, voter_kind, channel)
            VALUES ('export', 'ana', 'up', '2026-01-01T00:00:00Z', 'customer', 'app'),
                   ('export', 'v1', 'up', now(), 'anonymous', 'board'),
                   ('export', 'v2', 'up', now(), 'anonymous', 'board')
            """
        )
        await connection.execute(files[4].read_text())
        assert await connection.fetchval("SELECT array_agg(voter_id ORDER BY voter_id) FROM anonymous_votes") == [
            "v1",
            "v2",
        ]
        rows = await connection.fetch("SELECT cell, people FROM active_counts ORDER BY cell")
        assert [tuple(row) for row in rows] == [("a", 1), ("b", 0)]
        rows = await connection.fetch("SELECT cell, people FROM support_counts ORDER BY cell")
        assert [tuple(row) for row in rows] == [("a", 1), ("b", 0)]
        row = await connection.fetchrow("SELECT supporters, momentum FROM ideas")
        assert tuple(row or ()) == (1, 1.0)
    finally:
        await connection.close()
        await drop_database(name)
