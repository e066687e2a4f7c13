"""Several instances of the service at work at once: nothing is counted twice, lost or out of order."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import asyncpg

from shared.contract.events import EventData, FeaturePriorityChanged, ParticipantErased
from shared.contract.types import Segment
from tests.roadmap.events import LOYAL, OTHER, active, add_idea, drift, supporters, tagged, voted
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


async def test_batches_at_the_same_time_keep_counters_right(start_service: Start) -> None:
    """Twelve batches of the same people and ideas, four at a time, leave counters that count what is there."""
    roadmap = await start_service("roadmap")
    chance = random.Random(7)
    segments = [LOYAL, OTHER, Segment()]

    def batch(number: int) -> Awaitable[object]:
        return roadmap.deliver(
            *[
                voted(
                    f"idea-{chance.randrange(6)}",
                    f"person-{chance.randrange(30)}",
                    withdrawn=chance.random() < 0.3,
                    hours=-number - index / 1000,
                    segment=chance.choice(segments),
                )
                for index in range(60)
            ]
        )

    for start in range(0, 12, 4):
        await asyncio.gather(*(batch(start + number) for number in range(4)))
    assert await drift(roadmap) == []


async def test_priorities_of_one_idea_are_numbered_without_gaps(start_service: Start) -> None:
    """Eight visitors vote at once while scores are computed: versions rise by one, and the last one counts all."""
    roadmap = await start_service("roadmap")
    await add_idea(roadmap, "export")

    async def vote(voter: str) -> None:
        response = await roadmap.client.post(
            "/api/v1/ideas/export/votes", json={"voter_id": voter}, headers=roadmap.headers("service")
        )
        assert response.status_code == 200

    await asyncio.gather(*(vote(f"person-{number}") for number in range(8)))
    await roadmap.catch_up()
    told = await roadmap.published(FeaturePriorityChanged)
    assert [change.version for change in told] == list(range(1, len(told) + 1))
    assert [change.raw_votes for change in told] == sorted({change.raw_votes for change in told})
    assert told[-1].raw_votes == 8


async def test_an_erasure_during_votes_leaves_nobody_behind(start_service: Start) -> None:
    """Whichever of them is first, an erased person is counted nowhere."""
    roadmap = await start_service("roadmap")
    for number in range(5):
        person = f"person-{number}"
        await asyncio.gather(
            roadmap.deliver(voted("export", person)),
            roadmap.deliver(ParticipantErased(participant_id=person, erased_at=START)),
            roadmap.deliver(tagged(f"i-{number}", "export", person)),
        )
    assert await supporters(roadmap, "export") == 0
    assert await active(roadmap) == {}
    assert await drift(roadmap) == []


async def test_votes_on_merged_ideas_wait_for_each_other_instead_of_deadlocking(start_service: Start) -> None:
    """Batches on a merged idea beside batches on it and its survivor: nothing is undone, and everybody is counted."""
    roadmap = await start_service("roadmap")
    for idea in ("first", "merged"):
        await add_idea(roadmap, idea)
    body = {"feature_id": "merged", "into_id": "first"}
    assert (await roadmap.client.post("/api/v1/merges", json=body, headers=roadmap.headers())).status_code == 201

    def batch(number: int, *ideas: str) -> Awaitable[object]:
        votes = [voted(idea, f"person-{number}-{each}") for each in range(5) for idea in ideas]
        said = [tagged(f"i-{number}-{idea}", idea, f"speaker-{number}") for idea in ideas]
        return roadmap.batches.apply([roadmap.record(event) for event in (*votes, *said)])

    for start in range(0, 60, 6):
        both = (batch(start + number, *(("first", "merged"), ("merged",))[number % 2]) for number in range(6))
        await asyncio.gather(*both)
    assert await supporters(roadmap, "first") == 60 * 6
    assert await drift(roadmap) == []


async def test_whatever_is_done_at_once_is_answered_and_counted(start_service: Start) -> None:
    """Eight at a time vote, merge, part, move, import, tag and forget: no request fails, and every counter is right."""
    crowd = Crowd(await start_service("roadmap"))
    for idea in IDEAS:
        await add_idea(crowd.roadmap, idea)
    await asyncio.gather(*(crowd.do(40) for _ in range(8)))
    assert set(crowd.statuses) <= {200, 201, 404, 409}  # what is merged or parted already is refused
    assert await drift(crowd.roadmap) == []


IDEAS = [f"idea-{number}" for number in range(5)]
PEOPLE = [f"person-{number}" for number in range(8)]


class Crowd:
    """People and systems that do all there is to do to a few ideas, in no order."""

    def __init__(self, roadmap: ServiceUnderTest) -> None:
        self.roadmap, self.chance, self.statuses = roadmap, random.Random(3), list[int]()
        self._merges: list[str] = []
        roadmap.client.event_hooks = {}  # jobs have a turn of their own

    async def do(self, times: int) -> None:
        doings = (self._vote, self._merge, self._part, self._move, self._import, self._told, self._forget, self._jobs)
        for _ in range(times):
            await self.chance.choice(doings)()

    async def _ask(self, path: str, body: Mapping[str, object]) -> Any:
        answer = await self.roadmap.client.post(f"/api/v1/{path}", json=body, headers=self.roadmap.headers())
        self.statuses.append(answer.status_code)
        return answer.json()

    async def _vote(self) -> None:
        body = {"voter_id": self.chance.choice(PEOPLE), "vote": self.chance.choice(("up", "up", "withdrawn"))}
        await self._ask(f"ideas/{self.chance.choice(IDEAS)}/votes", body)

    async def _merge(self) -> None:
        merged, into = self.chance.sample(IDEAS, 2)
        self._merges.append(
            (await self._ask("merges", {"feature_id": merged, "into_id": into})).get("merge_id", "none")
        )

    async def _part(self) -> None:
        if self._merges:
            await self._ask(f"merges/{self.chance.choice(self._merges)}/undo", {})

    async def _move(self) -> None:
        body = {"status": self.chance.choice(("new", "considered", "planned", "now"))}
        await self._ask(f"ideas/{self.chance.choice(IDEAS)}/status", body)

    async def _import(self) -> None:
        rows = [f"{self.chance.choice(IDEAS)},{self.chance.choice(PEOPLE)}" for _ in range(10)]
        await self._ask("import/votes", {"text": "\n".join(["idea,person", *rows]), "apply": True})

    async def _told(self) -> None:
        votes = [voted(self.chance.choice(IDEAS), self.chance.choice(PEOPLE), hours=-number) for number in range(10)]
        version = 1 + len(self.statuses)
        said = [
            tagged(f"insight-{self.chance.randrange(9)}", self.chance.choice(IDEAS), person, version=version)
            for person in PEOPLE[:3]
        ]
        await self._apply(*votes, *said)

    async def _forget(self) -> None:
        if self.chance.random() < 0.2:
            await self._apply(ParticipantErased(participant_id=self.chance.choice(PEOPLE[:2]), erased_at=START))

    async def _apply(self, *events: EventData) -> None:
        records = [self.roadmap.record(event) for event in events]
        await self._until_not_undone(lambda: self.roadmap.batches.apply(records))

    async def _jobs(self) -> None:
        await self._until_not_undone(self.roadmap.catch_up)

    async def _until_not_undone(self, work: Callable[[], Awaitable[object]]) -> None:
        """As the consumer and jobs begin again where their transaction is undone so that another one can go on."""
        while True:
            with suppress(asyncpg.DeadlockDetectedError):
                await work()
                return
