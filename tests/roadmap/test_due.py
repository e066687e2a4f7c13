"""Scores that are due: marked with what changed them, computed soon after, lost by nobody."""

from collections.abc import Awaitable, Callable

import pytest

from services.roadmap.priority.prioritise import score_due
from shared.contract.events import FeaturePriorityChanged
from tests.roadmap.events import add_idea, voted
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with one idea and one vote whose score is due."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await service.batches.apply([service.record(voted("export", "ana"), event_id="vote-7")])
    return service


async def due(roadmap: ServiceUnderTest) -> list[tuple[str, str | None]]:
    rows = await roadmap.database.fetch("SELECT feature_id, event_id FROM due ORDER BY feature_id")
    return [(row["feature_id"], row["event_id"]) for row in rows]


async def test_a_vote_marks_its_idea_with_the_event(roadmap: ServiceUnderTest) -> None:
    """The batch itself publishes nothing; its mark names the vote."""
    assert await due(roadmap) == [("export", "vote-7")]
    assert await roadmap.published(FeaturePriorityChanged) == []


async def test_a_mark_goes_with_its_score(roadmap: ServiceUnderTest) -> None:
    """One pass publishes the change, the next one nothing more."""
    await roadmap.catch_up()
    await roadmap.catch_up()
    assert await due(roadmap) == []
    assert [told.raw_votes for told in await roadmap.published(FeaturePriorityChanged)] == [1]


async def test_a_pass_that_fails_leaves_the_mark(roadmap: ServiceUnderTest) -> None:
    """Whatever ends a pass before its commit, the score is still due and nothing was told."""

    async def interrupted() -> None:
        async with roadmap.database.transaction() as tx:
            await score_due(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    assert await due(roadmap) == [("export", "vote-7")]
    assert await roadmap.published(FeaturePriorityChanged) == []


async def test_one_instance_scores_at_a_time(roadmap: ServiceUnderTest) -> None:
    """While one instance is at it another one passes by, and the change is told once."""
    async with roadmap.database.transaction() as first:
        await score_due(first)
        async with roadmap.database.transaction() as second:
            await score_due(second)
    assert len(await roadmap.published(FeaturePriorityChanged)) == 1


async def test_the_last_of_several_causes_is_named(roadmap: ServiceUnderTest) -> None:
    """Votes of two batches before a pass are one change, because of the later one."""
    await roadmap.batches.apply([roadmap.record(voted("export", "ben", hours=1), event_id="vote-8")])
    await roadmap.catch_up()
    rows = await roadmap.database.fetch("SELECT headers FROM outbox WHERE type LIKE '%PriorityChanged%'")
    assert [row["headers"]["causationid"] for row in rows] == ["vote-8"]
