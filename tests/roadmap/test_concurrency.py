"""Several instances of the service at work at once: nothing is counted twice, lost or out of order."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from shared.contract.events import FeaturePriorityChanged, ParticipantErased
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
