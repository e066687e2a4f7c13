"""The same numbers as a recount: after any stream of votes and words, and by the daily look itself."""

from __future__ import annotations

import itertools
import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.roadmap.merges import merging
from services.roadmap.priority.recount import EVERY, count_slice
from shared.contract.events import EventData, FeaturePriorityChanged, ParticipantErased
from shared.contract.types import Segment
from shared.runtime import Problem
from tests.roadmap.events import LOYAL, OTHER, active, add_idea, counts, drift, supporters, tagged, voted
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
Merge = tuple[str, str]

IDEAS = st.sampled_from(["red", "green", "blue"])
PEOPLE = st.sampled_from(["ana", "ben", "eve", "zoe"])
SEGMENTS = st.sampled_from([LOYAL, OTHER, Segment(), Segment(plan="free")])
HOURS = st.integers(-600, 0)
votes = st.builds(voted, IDEAS, PEOPLE, withdrawn=st.booleans(), hours=HOURS, segment=SEGMENTS)
words = st.builds(
    tagged,
    st.sampled_from(["i-1", "i-2", "i-3"]),
    st.none() | IDEAS,
    PEOPLE,
    version=st.integers(1, 4),
    withdrawn=st.booleans(),
    importance=st.integers(0, 3),
    hours=HOURS,
    segment=SEGMENTS,
)
erasures = st.builds(ParticipantErased, participant_id=PEOPLE, erased_at=st.just(START))
batches = st.lists(st.one_of(votes, votes, words), min_size=1, max_size=12)
steps = st.lists(st.one_of(batches, batches, batches, erasures, st.tuples(IDEAS, IDEAS)), min_size=1, max_size=6)
numbers = itertools.count()


def named(event: EventData, number: int) -> EventData:
    """The event with ids of its own, so that streams do not meet."""
    ids = {"feature_id", "voter_id", "participant_id", "insight_id"} & set(type(event).model_fields)
    return event.model_copy(
        update={name: f"{number}-{getattr(event, name)}" for name in ids if getattr(event, name) is not None}
    )


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """Two ideas, three voters and an interviewee."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await add_idea(service, "search")
    await service.deliver(
        voted("export", "ana"),
        voted("export", "ben", segment=OTHER),
        voted("search", "ana", hours=-24 * 14),
        tagged("i-1", "search", "eve", importance=3),
    )
    return service


async def merge_or_part(roadmap: ServiceUnderTest, merged: str, survivor: str) -> None:
    """Merge one idea into the other, or part it again; what must not be is refused."""
    try:
        async with roadmap.database.transaction() as tx:
            held = await tx.connection.fetchval(
                "SELECT merge_id FROM merges WHERE feature_id = $1 AND unmerged_at IS NULL", merged
            )
            if held is not None:
                await merging.unmerge(tx, held, "ana")
            elif merged != survivor:
                await merging.merge(tx, merged, survivor, "ana")
    except Problem:
        return


async def momentum_of_supporters(roadmap: ServiceUnderTest) -> dict[str, float]:
    """By idea the sum of 2^((voted_at - 2026) / 14 days), over the votes that stand."""
    landmark = datetime(2026, 1, 1, tzinfo=START.tzinfo)
    found: dict[str, float] = {}
    for row in await roadmap.database.fetch("SELECT feature_id, voted_at FROM supporters WHERE voted_at IS NOT NULL"):
        weight = 2 ** ((row["voted_at"] - landmark) / timedelta(days=14))
        found[row["feature_id"]] = found.get(row["feature_id"], 0.0) + weight
    return found


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(stream=steps, repeated=st.booleans())
async def test_any_stream_leaves_what_a_recount_gives(
    roadmap: ServiceUnderTest,
    stream: list[Any],
    repeated: bool,  # noqa: FBT001 - drawn
) -> None:
    """Late, repeated, reordered and withdrawn votes, words, movers, erasures and merges: no counter drifts."""
    number = next(numbers)
    for step in stream:
        if isinstance(step, tuple):
            await merge_or_part(roadmap, *(f"{number}-{name}" for name in step))
        else:
            events = [named(event, number) for event in (step if isinstance(step, list) else [step])]
            await roadmap.deliver(*events, *(reversed(events) if repeated else ()))
    assert await drift(roadmap) == []
    rows = await roadmap.database.fetch("SELECT feature_id, momentum FROM ideas WHERE merged_into IS NULL")
    expected = await momentum_of_supporters(roadmap)
    for row in rows:
        assert row["momentum"] == pytest.approx(expected.get(row["feature_id"], 0.0), rel=1e-9)


async def round_of(roadmap: ServiceUnderTest) -> list[list[str]]:
    """The slices of one daily round, each with the counters it set right."""
    found: list[list[str]] = []
    while True:
        async with roadmap.database.transaction() as tx:
            mended = await count_slice(tx)
        if mended is None:
            return found
        found.append(mended)


async def test_a_sound_board_is_left_alone(roadmap: ServiceUnderTest) -> None:
    """A round looks at the ideas, then at the people, sets nothing right, and is over for a day."""
    assert await round_of(roadmap) == [[], []]
    assert await round_of(roadmap) == []
    roadmap.now += EVERY + timedelta(seconds=1)
    assert await round_of(roadmap) == [[], []]


@pytest.mark.parametrize(
    ("damage", "mended"),
    [
        (
            "UPDATE support_counts SET people = people + 1 WHERE feature_id = 'export' AND cell = 'loyal|pro|eu'",
            "support",
        ),
        ("UPDATE support_counts SET importance_sum = 0 WHERE feature_id = 'search'", "support"),
        ("DELETE FROM support_counts WHERE feature_id = 'export'", "support"),
        ("UPDATE ideas SET supporters = 0 WHERE feature_id = 'export'", "supporters"),
        ("UPDATE ideas SET momentum = momentum * 1.01 WHERE feature_id = 'search'", "momentum"),
        ("UPDATE active_counts SET people = people + 1 WHERE cell = 'loyal|pro|eu'", "active"),
    ],
)
async def test_a_wrong_counter_is_set_right(roadmap: ServiceUnderTest, damage: str, mended: str) -> None:
    """Whichever counter was changed by hand is named once and then counts what is there."""
    before = [await counts(roadmap, idea) for idea in ("export", "search")], await active(roadmap)
    await roadmap.database.pool.execute(damage)
    assert [name for found in await round_of(roadmap) for name in found] == [mended]
    assert ([await counts(roadmap, idea) for idea in ("export", "search")], await active(roadmap)) == before
    assert await supporters(roadmap, "export") == 2
    assert await drift(roadmap) == []
    roadmap.now += 2 * EVERY
    assert await round_of(roadmap) == [[], []]


async def test_what_was_set_right_is_scored_anew(roadmap: ServiceUnderTest) -> None:
    """A score from a wrong counter is corrected for everybody who heard of it."""
    await roadmap.database.pool.execute("UPDATE support_counts SET people = 0 WHERE cell = 'loyal|pro|eu'")
    await roadmap.database.pool.execute("INSERT INTO due (feature_id) VALUES ('export')")
    await roadmap.catch_up()
    wrong = (await roadmap.published(FeaturePriorityChanged))[-1]
    await round_of(roadmap)
    await roadmap.catch_up()
    told = [change for change in await roadmap.published(FeaturePriorityChanged) if change.feature_id == "export"]
    assert (wrong.raw_votes, told[-1].raw_votes) == (1, 2)


async def test_two_instances_do_not_count_the_same_slice(roadmap: ServiceUnderTest) -> None:
    """While one instance is at it another one has nothing to do."""
    async with roadmap.database.transaction() as first:
        assert await count_slice(first) == []
        async with roadmap.database.transaction() as second:
            assert await count_slice(second) is None


async def test_what_is_taken_back_leaves_no_noise(roadmap: ServiceUnderTest) -> None:
    """Votes of odd moments, some decades old, taken back one by one leave no momentum, not even a last digit of it."""
    hours = [-0.1, -77.7, -333.3, -1000.1, -24 * 365 * 20]
    for number, hour in enumerate(hours):
        await roadmap.deliver(voted("odd", f"person-{number}", hours=hour))
    for number in range(len(hours)):
        await roadmap.deliver(voted("odd", f"person-{number}", hours=1, withdrawn=True))
    rows = await roadmap.database.fetch("SELECT momentum FROM ideas WHERE feature_id = 'odd'")
    assert [row["momentum"] for row in rows] == [0.0]


async def test_a_new_vote_of_the_same_person_moves_the_momentum(roadmap: ServiceUnderTest) -> None:
    """Voting again 14 days later doubles it, and nobody is counted twice."""
    await add_idea(roadmap, "again")
    await roadmap.deliver(voted("again", "ana", hours=-24 * 14))
    [before] = await roadmap.database.fetch("SELECT momentum, supporters FROM ideas WHERE feature_id = 'again'")
    await roadmap.deliver(voted("again", "ana"))
    [after] = await roadmap.database.fetch("SELECT momentum, supporters FROM ideas WHERE feature_id = 'again'")
    assert (before["supporters"], after["supporters"]) == (1, 1)
    assert math.isclose(after["momentum"], 2 * before["momentum"], rel_tol=1e-12)
