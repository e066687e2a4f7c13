"""FeatureVoted: counted once per person and idea, however it comes."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.contract.events import FeaturePriorityChanged, ParticipantErased
from shared.contract.types import Segment
from tests.roadmap.events import LOYAL, OTHER, active, add_idea, counts, drift, supporters, voted
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with one idea."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    return service


async def test_votes_are_counted_by_cell(roadmap: ServiceUnderTest) -> None:
    """Two loyal customers and another one are three supporters and three active people."""
    await roadmap.deliver(voted("export", "a"), voted("export", "b"), voted("export", "c", segment=OTHER))
    assert await counts(roadmap, "export") == {"loyal|pro|eu": (2, 0, 0), "other|pro|eu": (1, 0, 0)}
    assert await active(roadmap) == {"loyal|pro|eu": 2, "other|pro|eu": 1}
    assert await supporters(roadmap, "export") == 3


async def test_a_priority_is_published_once_per_batch(roadmap: ServiceUnderTest) -> None:
    """Three votes in one batch are one change, with the terms that make its score."""
    await roadmap.deliver(voted("export", "a"), voted("export", "b"), voted("export", "c"))
    [changed] = await roadmap.published(FeaturePriorityChanged)
    assert (changed.version, changed.previous_score, changed.raw_votes) == (1, None, 3)
    assert (changed.share, changed.effective_sample_size, changed.weighted) == (1.0, 3.0, False)
    # Three of three: the Wilson bound at 90 % is 3 / (3 + 1.6449^2) = 0.5258, so 1.5775 people surely.
    assert changed.share_low == pytest.approx(0.52580, abs=1e-5)
    assert changed.score == pytest.approx(1.57741, abs=1e-5)
    assert (changed.impact, changed.kpi_factor, changed.effort_weeks) == (1.0, 1.0, 1.0)
    assert changed.formula == "measured-rice-1"


async def test_a_priority_says_how_many_votes_there_were(roadmap: ServiceUnderTest) -> None:
    """Whoever waits for an idea to reach a number of votes sees in one event that it did."""
    await roadmap.deliver(voted("export", "a"), voted("export", "b"))
    await roadmap.deliver(voted("export", "c"))
    told = await roadmap.published(FeaturePriorityChanged)
    assert [(event.previous_raw_votes, event.raw_votes) for event in told] == [(None, 2), (2, 3)]


async def test_a_priority_names_the_event_that_caused_it(roadmap: ServiceUnderTest) -> None:
    """The vote's id and correlation travel on."""
    await roadmap.deliver(roadmap.record(voted("export", "a"), event_id="vote-7"))
    rows = await roadmap.database.fetch("SELECT headers FROM outbox WHERE type LIKE '%PriorityChanged%'")
    assert [row["headers"]["causationid"] for row in rows] == ["vote-7"]


async def test_a_repeated_vote_changes_nothing(roadmap: ServiceUnderTest) -> None:
    """The same event twice in a batch and once more later is one vote and one change of priority."""
    vote = roadmap.record(voted("export", "a"))
    await roadmap.deliver(vote, vote)
    await roadmap.deliver(vote)
    assert await supporters(roadmap, "export") == 1
    assert len(await roadmap.published(FeaturePriorityChanged)) == 1
    assert await drift(roadmap) == []


async def test_the_latest_vote_holds_in_any_order(roadmap: ServiceUnderTest) -> None:
    """A vote that was taken back stays so when the vote itself comes late."""
    await roadmap.deliver(voted("export", "a", withdrawn=True, hours=2))
    await roadmap.deliver(voted("export", "a", hours=1))
    assert await supporters(roadmap, "export") == 0
    await roadmap.deliver(voted("export", "a", hours=3))
    assert await supporters(roadmap, "export") == 1


async def test_the_latest_vote_holds_inside_a_batch(roadmap: ServiceUnderTest) -> None:
    """Up, back and up again in one batch, disordered, is a vote."""
    await roadmap.deliver(
        voted("export", "a", hours=3), voted("export", "a", withdrawn=True, hours=2), voted("export", "a", hours=1)
    )
    assert await supporters(roadmap, "export") == 1


async def test_votes_for_an_unknown_idea_wait_for_its_name(roadmap: ServiceUnderTest) -> None:
    """Votes that are ahead of their idea are kept, hidden from the board, and there once it has a name."""
    outcome = await roadmap.deliver(voted("dark-mode", "a"), voted("dark-mode", "b"))
    assert outcome.refused == []
    assert "dark-mode" not in (await roadmap.client.get("/board")).text
    await add_idea(roadmap, "dark-mode")
    assert await supporters(roadmap, "dark-mode") == 2
    assert "Dark mode" in (await roadmap.client.get("/board")).text


async def test_a_closed_idea_refuses_new_votes_one_by_one(roadmap: ServiceUnderTest) -> None:
    """The vote after the closing is refused with its reason; those beside it count."""
    await add_idea(roadmap, "dark-mode")
    body, manager = {"status": "declined"}, roadmap.headers("manager")
    await roadmap.client.post("/api/v1/ideas/dark-mode/status", json=body, headers=manager)
    outcome = await roadmap.deliver(
        voted("export", "a"), voted("dark-mode", "b", hours=1), voted("dark-mode", "c", hours=-1)
    )
    [letter] = outcome.refused
    assert letter.reason == (
        "The idea 'dark-mode' is declined since 2026-03-02 09:00 UTC and takes no new votes; "
        "vote for an open idea or ask the team to reopen it."
    )
    assert (await supporters(roadmap, "export"), await supporters(roadmap, "dark-mode")) == (1, 1)


async def test_a_repeated_vote_is_harmless_after_its_idea_was_shipped(roadmap: ServiceUnderTest) -> None:
    """A redelivered vote of the time before is no dead letter."""
    vote = roadmap.record(voted("export", "a"))
    await roadmap.deliver(vote)
    roadmap.now += timedelta(days=1)
    body, manager = {"status": "shipped"}, roadmap.headers("manager")
    await roadmap.client.post("/api/v1/ideas/export/status", json=body, headers=manager)
    assert (await roadmap.deliver(vote)).refused == []
    assert await supporters(roadmap, "export") == 1


async def test_a_vote_from_the_future_is_refused(roadmap: ServiceUnderTest) -> None:
    """A sender's wrong clock is told instead of silencing the voter."""
    [letter] = (await roadmap.deliver(voted("export", "a", hours=24 * 365))).refused
    assert "lies more than a day ahead" in letter.reason


async def test_a_person_who_moves_to_another_segment_moves_in_every_idea(roadmap: ServiceUnderTest) -> None:
    """Somebody who becomes a loyal customer is one in the ideas they voted for before too, and both are told."""
    await add_idea(roadmap, "dark-mode")
    free = Segment(loyalty="new", plan="free", region="eu")
    await roadmap.deliver(voted("export", "a", segment=free), voted("export", "b", segment=LOYAL))
    await roadmap.deliver(voted("dark-mode", "a", segment=LOYAL, hours=1))
    assert await counts(roadmap, "export") == {"loyal|pro|eu": (2, 0, 0)}
    assert await active(roadmap) == {"loyal|pro|eu": 2}
    assert await drift(roadmap) == []


async def test_a_vote_without_a_segment_keeps_what_is_known(roadmap: ServiceUnderTest) -> None:
    """A later vote that says nothing of the voter does not make them unknown."""
    await add_idea(roadmap, "dark-mode")
    await roadmap.deliver(voted("export", "a"))
    await roadmap.deliver(voted("dark-mode", "a", segment=Segment(), hours=1))
    assert await counts(roadmap, "dark-mode") == {"loyal|pro|eu": (1, 0, 0)}


async def test_a_late_snapshot_fills_in_what_was_unknown(roadmap: ServiceUnderTest) -> None:
    """A person first met without a segment moves when an older vote tells it."""
    await roadmap.deliver(voted("export", "a", segment=Segment(), hours=2))
    assert await counts(roadmap, "export") == {"–|–|–": (1, 0, 0)}
    await roadmap.deliver(voted("export", "a", hours=1))
    assert await counts(roadmap, "export") == {"loyal|pro|eu": (1, 0, 0)}


async def test_votes_of_an_erased_person_are_ignored(roadmap: ServiceUnderTest) -> None:
    """A vote that comes after its voter asked to be forgotten neither counts nor brings them back."""
    await roadmap.deliver(ParticipantErased(participant_id="a", erased_at=START))
    outcome = await roadmap.deliver(voted("export", "a"), voted("export", "b"))
    assert outcome.refused == []
    assert await supporters(roadmap, "export") == 1
    assert await active(roadmap) == {"loyal|pro|eu": 1}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_order_and_repetition_gives_the_same_counts(start_service: Start, seed: int) -> None:
    """Three hundred votes of twenty people on five ideas, shuffled and repeated, end where the ordered ones end."""
    chance = random.Random(seed)
    segments = [LOYAL, OTHER, Segment(), Segment(plan="free")]
    votes = [
        voted(
            f"idea-{chance.randrange(5)}",
            f"person-{chance.randrange(20)}",
            withdrawn=chance.random() < 0.4,
            hours=-index,
            segment=chance.choice(segments),
        )
        for index in range(300)
    ]
    ordered, shuffled = await start_service("roadmap"), await start_service("roadmap")
    for start in range(0, 300, 100):
        await ordered.deliver(*votes[::-1][start : start + 100])
    repeated = votes + chance.sample(votes, 100)
    chance.shuffle(repeated)
    for start in range(0, 400, 40):
        await shuffled.deliver(*repeated[start : start + 40])
    for idea in ("idea-0", "idea-1", "idea-2", "idea-3", "idea-4"):
        assert await counts(shuffled, idea) == await counts(ordered, idea)
    assert await active(shuffled) == await active(ordered)
    assert await drift(shuffled) == [] == await drift(ordered)
