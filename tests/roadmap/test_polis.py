"""Real vote streams: three conversations held with Polis, where people changed their minds and votes came out of order.

The data are not ours to pass on; the folder of real data holds `feedback/polis` as published at
github.com/compdemocracy/openData.
"""

import csv
import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.contract.events import FeatureVoted
from tests.roadmap.events import drift
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]

BATCH = 1000


class Cast(NamedTuple):
    idea: str
    person: str
    at: datetime
    agrees: bool


def stream(folder: Path) -> Iterator[Cast]:
    """The votes of a conversation in the order of its file; passing and disagreeing are no support."""
    with (folder / "votes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromtimestamp(int(row["timestamp"]) / 1000, tz=UTC)
            yield Cast(f"comment-{row['comment-id']}", f"voter-{row['voter-id']}", at, row["vote"] == "1")


def event(cast: Cast) -> FeatureVoted:
    return FeatureVoted(
        feature_id=cast.idea, voter_id=cast.person, vote="up" if cast.agrees else "withdrawn", voted_at=cast.at
    )


@pytest.mark.parametrize(
    ("conversation", "votes", "pairs", "revoted"),
    [
        ("15-per-hour-seattle", 2995, 2872, 63),
        ("brexit-consensus", 5312, 5303, 9),
        ("scoop-hivemind.affordable-housing", 15076, 14995, 70),
    ],
)
async def test_each_person_has_one_vote_and_the_last_holds(
    start_service: Start, data_folder: Path, conversation: str, votes: int, pairs: int, revoted: int
) -> None:
    """Shuffled and partly sent twice: one vote per person and comment, the last by time, counted exactly."""
    roadmap = await start_service("roadmap")
    cast = list(stream(data_folder / "feedback" / "polis" / conversation))
    last: dict[tuple[str, str], Cast] = {}
    seen: dict[tuple[str, str], int] = {}
    for one in cast:
        key = one.idea, one.person
        seen[key] = seen.get(key, 0) + 1
        last[key] = max(last.get(key, one), one, key=lambda vote: vote.at)
    assert (len(cast), len(last), sum(times > 1 for times in seen.values())) == (votes, pairs, revoted)
    chance = random.Random(conversation)
    sent = cast + chance.sample(cast, len(cast) // 10)
    chance.shuffle(sent)
    for first in range(0, len(sent), BATCH):
        await roadmap.batches.apply([roadmap.record(event(one)) for one in sent[first : first + BATCH]])
    rows = await roadmap.database.fetch("SELECT feature_id, voter_id, vote, voted_at FROM votes")
    assert {tuple(row) for row in rows} == {
        (one.idea, one.person, "up" if one.agrees else "withdrawn", one.at) for one in last.values()
    }
    assert len(rows) == pairs
    expected: dict[str, int] = {}
    for one in last.values():
        expected[one.idea] = expected.get(one.idea, 0) + one.agrees
    ideas = await roadmap.database.fetch("SELECT feature_id, supporters FROM ideas")
    assert {row["feature_id"]: row["supporters"] for row in ideas} == expected
    assert await drift(roadmap) == []
