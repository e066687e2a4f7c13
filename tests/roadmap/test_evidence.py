"""InsightTagged and ParticipantErased: who asked for what in interviews, and forgetting them."""

from collections.abc import Awaitable, Callable

import pytest

from shared.contract.events import FeaturePriorityChanged, FeatureStatusChanged, ParticipantErased
from tests.roadmap.events import active, add_idea, counts, drift, supporters, tagged, voted
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with two ideas."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await add_idea(service, "dark-mode")
    return service


async def test_an_interviewee_supports_what_they_ask_for(roadmap: ServiceUnderTest) -> None:
    """One insight is one supporter with their importance, and raises the impact."""
    await roadmap.deliver(tagged("i-1", "export", "ana", importance=3))
    assert await counts(roadmap, "export") == {"other|pro|eu": (1, 3, 1)}
    [changed] = await roadmap.published(FeaturePriorityChanged)
    assert (changed.raw_votes, changed.impact) == (1, 1.5)  # (3 + 3 x 1) / (1 + 3)


async def test_several_insights_of_a_person_count_once_with_the_latest_word(roadmap: ServiceUnderTest) -> None:
    """Two quotes of one person are one supporter, and the later importance holds, whichever comes first."""
    await roadmap.deliver(tagged("i-2", "export", "ana", importance=1, hours=2))
    await roadmap.deliver(tagged("i-1", "export", "ana", importance=3, hours=1))
    assert await counts(roadmap, "export") == {"other|pro|eu": (1, 1, 1)}


async def test_a_voter_who_is_interviewed_counts_once(roadmap: ServiceUnderTest) -> None:
    """A vote and an insight of the same person are one supporter, who stays when one of the two goes."""
    await roadmap.deliver(voted("export", "ana"), tagged("i-1", "export", "ana"))
    assert await supporters(roadmap, "export") == 1
    await roadmap.deliver(voted("export", "ana", withdrawn=True, hours=1))
    assert await supporters(roadmap, "export") == 1
    await roadmap.deliver(tagged("i-1", "export", "ana", version=2, withdrawn=True))
    assert await supporters(roadmap, "export") == 0
    assert await drift(roadmap) == []


async def test_a_repeated_or_stale_insight_changes_nothing(roadmap: ServiceUnderTest) -> None:
    """A withdrawn insight stays so when its first version comes again."""
    first = roadmap.record(tagged("i-1", "export", "ana"))
    await roadmap.deliver(first, first)
    await roadmap.deliver(tagged("i-1", "export", "ana", version=2, withdrawn=True))
    outcome = await roadmap.deliver(first)
    assert outcome.refused == []
    assert await supporters(roadmap, "export") == 0


async def test_a_withdrawal_may_come_before_the_insight(roadmap: ServiceUnderTest) -> None:
    """Version 2 takes the insight back although version 1 comes after it."""
    await roadmap.deliver(tagged("i-1", "export", "ana", version=2, withdrawn=True))
    await roadmap.deliver(tagged("i-1", "export", "ana", version=1))
    assert await supporters(roadmap, "export") == 0


async def test_an_insight_moves_to_another_idea(roadmap: ServiceUnderTest) -> None:
    """Tagged with another idea, it supports that one only, and both priorities change."""
    await roadmap.deliver(tagged("i-1", "export", "ana"))
    await roadmap.deliver(tagged("i-1", "dark-mode", "ana", version=2))
    assert (await supporters(roadmap, "export"), await supporters(roadmap, "dark-mode")) == (0, 1)
    told = [changed.feature_id for changed in await roadmap.published(FeaturePriorityChanged)]
    assert told == ["export", "dark-mode", "export"]
    assert await drift(roadmap) == []


async def test_an_insight_without_an_idea_makes_its_participant_active(roadmap: ServiceUnderTest) -> None:
    """Whoever was interviewed took part, whatever they talked about."""
    await roadmap.deliver(tagged("i-1", None, "ana"))
    assert await active(roadmap) == {"other|pro|eu": 1}
    assert await roadmap.published(FeaturePriorityChanged) == []


async def test_an_insight_about_an_unknown_idea_is_kept(roadmap: ServiceUnderTest) -> None:
    """An insight ahead of its idea supports it once it is named, and its participant is among those who asked."""
    await roadmap.deliver(tagged("i-1", "single-sign-on", "ana"))
    await add_idea(roadmap, "single-sign-on")
    assert await supporters(roadmap, "single-sign-on") == 1
    assert (await roadmap.published(FeatureStatusChanged))[-1].asked_by == ("ana",)


async def test_an_erased_participant_leaves_no_trace(roadmap: ServiceUnderTest) -> None:
    """Votes, insights, words and cell go, the counters follow, and the priorities are told."""
    await roadmap.deliver(
        voted("export", "ana"),
        tagged("i-1", "dark-mode", "ana"),
        voted("export", "ben"),
        tagged("i-2", "export", "ben"),
    )
    await roadmap.deliver(ParticipantErased(participant_id="ana", erased_at=START))
    assert (await supporters(roadmap, "export"), await supporters(roadmap, "dark-mode")) == (1, 0)
    assert await active(roadmap) == {"other|pro|eu": 1}
    assert await drift(roadmap) == []
    for table, column in (("votes", "voter_id"), ("insights", "participant_id"), ("supporters", "person_id")):
        rows = await roadmap.database.fetch(f"SELECT {column} FROM {table} WHERE {column} = 'ana'")  # noqa: S608
        assert rows == []
    [person] = await roadmap.database.fetch("SELECT cell, erased_at FROM people WHERE person_id = 'ana'")
    assert (person["cell"], person["erased_at"]) == (None, START)
    told = {changed.feature_id: changed.raw_votes for changed in await roadmap.published(FeaturePriorityChanged)}
    assert told == {"export": 1, "dark-mode": 0}


async def test_an_erased_participant_does_not_come_back(roadmap: ServiceUnderTest) -> None:
    """Insights that come late, and the erasure again, change nothing."""
    await roadmap.deliver(ParticipantErased(participant_id="ana", erased_at=START))
    await roadmap.deliver(tagged("i-1", "export", "ana"), voted("export", "ana"))
    await roadmap.deliver(ParticipantErased(participant_id="ana", erased_at=START))
    assert await supporters(roadmap, "export") == 0
    assert await active(roadmap) == {}


async def test_an_insight_reassigned_to_another_person_counts_for_that_one(roadmap: ServiceUnderTest) -> None:
    """When the speaker was mixed up, the first person supports the idea no longer."""
    await roadmap.deliver(tagged("i-1", "export", "ana"), tagged("i-1", "export", "ben", version=2))
    rows = await roadmap.database.fetch("SELECT person_id FROM supporters")
    assert [row["person_id"] for row in rows] == ["ben"]
