"""The daily round by itself: when it comes, where it goes on, and what does not end it; the clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import pytest

from services.roadmap.priority.recount import recount_daily
from shared.runtime.service import Work
from shared.runtime.telemetry import Metrics
from tests.roadmap.events import active, drift, voted
from tests.support.databases import dsn_of
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


class Over(Exception):  # noqa: N818 - the end of a test, no fault
    """The time that the test gave the job is over."""


@dataclass
class Rest:
    """Sleeps by setting the service's clock forward, with others until all of them sleep.

    Notes at which second the job had counted something.
    """

    service: ServiceUnderTest
    seconds: float
    together: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(1))
    counted_at: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        now = (self.service.now - START).total_seconds()
        if seconds == 2:
            self.counted_at.append(now)
        if now + seconds > self.seconds:
            await self.together.abort()
            raise Over
        self.service.now += timedelta(seconds=seconds)
        try:
            await self.together.wait()
        except asyncio.BrokenBarrierError:
            raise Over from None


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """120 ideas, which are three slices, all supported by one person."""
    service = await start_service("roadmap")
    await service.deliver(*(voted(f"idea-{number:03}", "ana", hours=-1) for number in range(120)))
    return service


async def run(service: ServiceUnderTest, seconds: float) -> tuple[list[float], dict[str, float]]:
    """Let the job run until so many seconds after the start; gives when it counted, and what it set right how often."""
    metrics, rest = Metrics(), Rest(service, seconds)
    with pytest.raises(Over):
        await recount_daily(Work(service.database, service.app.state.settings, metrics), rest)
    return rest.counted_at, mended(metrics)


def mended(metrics: Metrics) -> dict[str, float]:
    [family] = metrics.mended.collect()
    return {each.labels["counter"]: each.value for each in family.samples if each.name.endswith("_total")}


async def damage(service: ServiceUnderTest, *ideas: str) -> None:
    await service.database.pool.execute("UPDATE ideas SET supporters = 7 WHERE feature_id = ANY($1::text[])", ideas)


async def test_a_round_comes_once_a_day(roadmap: ServiceUnderTest) -> None:
    """Three slices of ideas and the people, two seconds apart; the next round within ten minutes after a day."""
    counted_at, found = await run(roadmap, 2 * 86_400)
    assert counted_at == [0, 2, 4, 6, 86_408, 86_410, 86_412, 86_414]
    assert found == {}


async def test_a_round_sets_right_every_slice_and_the_people(roadmap: ServiceUnderTest) -> None:
    """A wrong counter in each slice and one of the people, each named once in the day that finds it."""
    await damage(roadmap, "idea-000", "idea-060", "idea-119")
    await roadmap.database.pool.execute("UPDATE active_counts SET people = 9")
    _counted_at, found = await run(roadmap, 2 * 86_400)
    assert found == {"supporters": 3, "active": 1}
    assert await drift(roadmap) == []


async def test_a_restart_goes_on_where_it_was(roadmap: ServiceUnderTest) -> None:
    """Stopped after its first slice, the round goes on with the second; what the first holds waits for the next day."""
    assert (await run(roadmap, 1))[0] == [0]
    await damage(roadmap, "idea-000", "idea-060")
    assert await run(roadmap, 3_600) == ([0, 2, 4], {"supporters": 1})
    assert await drift(roadmap) == ["idea idea-000"]
    assert (await run(roadmap, 90_000))[1] == {"supporters": 1}
    assert await drift(roadmap) == []


async def test_two_instances_count_each_slice_once(roadmap: ServiceUnderTest) -> None:
    """Started at the same moment they share one round: four slices together, and no counter is set right twice."""
    await damage(roadmap, "idea-000", "idea-060", "idea-119")
    metrics, together = [Metrics(), Metrics()], asyncio.Barrier(2)
    rests = [Rest(roadmap, 36_000, together), Rest(roadmap, 36_000, together)]
    ended = await asyncio.gather(
        *(
            recount_daily(Work(roadmap.database, roadmap.app.state.settings, each), rest)
            for each, rest in zip(metrics, rests, strict=True)
        ),
        return_exceptions=True,
    )
    assert [type(end) for end in ended] == [Over, Over]
    assert len(rests[0].counted_at) + len(rests[1].counted_at) == 4
    assert sum(mended(each).get("supporters", 0) for each in metrics) == 3


@pytest.mark.parametrize("broken", ["ideas", "active_counts"])
async def test_a_fault_in_one_slice_does_not_end_the_round(roadmap: ServiceUnderTest, broken: str) -> None:
    """What cannot be set right is left to the next day; all that comes before and after it is counted."""
    await damage(roadmap, "idea-000", "idea-060", "idea-119")
    await roadmap.database.pool.execute("UPDATE active_counts SET people = 9")
    condition = "old.feature_id = 'idea-060'" if broken == "ideas" else "true"
    await as_owner(
        roadmap,
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'cannot be counted'; END $$;
        CREATE TRIGGER refusing BEFORE UPDATE OR DELETE ON {broken} FOR EACH ROW WHEN ({condition})
            EXECUTE FUNCTION refuse()
        """,
    )
    counted_at, found = await run(roadmap, 3_600)
    assert counted_at == [0, 2, 4, 6]
    assert found == {"ideas": {"supporters": 2, "active": 1}, "active_counts": {"supporters": 3}}[broken]
    await as_owner(roadmap, f"DROP TRIGGER refusing ON {broken}")
    await run(roadmap, 90_000)
    assert await drift(roadmap) == []
    assert await active(roadmap) == {"loyal|pro|eu": 1}


async def as_owner(service: ServiceUnderTest, statement: str) -> None:
    """Change the schema, which the service itself must not."""
    dsn = dsn_of(await service.database.pool.fetchval("SELECT current_database()"))
    owner = await asyncpg.connect(dsn, server_settings={"search_path": "roadmap"})
    try:
        await owner.execute(statement)
    finally:
        await owner.close()
