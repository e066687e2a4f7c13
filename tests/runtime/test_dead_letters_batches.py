"""How bad records are found in a batch, what that costs, and the words in which they are refused."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services import PUBLIC_EVERYWHERE
from shared.contract.events import FeatureVoted, InsightTagged, KpiMeasured
from shared.runtime import Handlers, Received, Rejected, Service, Transaction
from tests.support.service import ServiceUnderTest, service_under_test

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Ledger:
    """A batch handler that refuses some voters, and remembers how much work it was given."""

    def __init__(self) -> None:
        self.calls = self.events = 0
        self.handlers = Handlers()
        self.handlers.on_batch(FeatureVoted)(self.count)

    async def count(self, tx: Transaction, events: Sequence[Received[FeatureVoted]]) -> None:
        self.calls += 1
        self.events += len(events)
        await tx.connection.executemany(
            "INSERT INTO inbox (id, source) VALUES ($1, 'voted')", [(event.data.voter_id,) for event in events]
        )
        if bad := [event.data.voter_id for event in events if event.data.voter_id.startswith("bad")]:
            raise Rejected(f"{bad[0]} may not vote")


@pytest.fixture
async def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def voting(ledger: Ledger, tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    service = Service("kpi", "Counts votes.", ledger.handlers, (), PUBLIC_EVERYWHERE)
    async with service_under_test("kpi", tmp_path, service=service) as tested:
        yield tested


def votes(bad: set[int], count: int = 500) -> list[FeatureVoted]:
    return [
        FeatureVoted(feature_id="f", voter_id=f"{'bad' if n in bad else 'good'}-{n}", voted_at=NOON)
        for n in range(count)
    ]


@pytest.mark.parametrize("bad", [{0}, {499}, {250}, {0, 499}, {10, 11, 12}, set(range(0, 500, 50))])
async def test_bad_records_cost_little_and_take_nobody_with_them(
    voting: ServiceUnderTest, ledger: Ledger, bad: set[int]
) -> None:
    """Of 500 events exactly the bad ones are refused, with some twenty calls of the handler for each of them."""
    outcome = await voting.deliver(*votes(bad))
    assert {int(letter.reason.split()[0].removeprefix("bad-")) for letter in outcome.refused} == bad
    stored = await voting.database.pool.fetchval("SELECT count(*) FROM inbox WHERE source = 'voted'")
    assert stored == 500 - len(bad)
    assert ledger.calls <= 2 + 20 * len(bad)
    if len(bad) == 1:
        assert ledger.events <= 4 * 500


async def test_a_batch_of_bad_records_alone_is_refused_whole(voting: ServiceUnderTest, ledger: Ledger) -> None:
    """When every event is bad, each is refused for itself, with two calls an event."""
    outcome = await voting.deliver(*votes(set(range(64)), 64))
    assert (len(outcome.refused), len(outcome.applied)) == (64, 0)
    assert ledger.calls <= 2 * 64 + 1


async def test_letters_of_one_batch_stand_in_the_order_of_the_log(voting: ServiceUnderTest) -> None:
    """Undecodable records and refused events of one batch are numbered by their offsets."""
    records = [voting.record(vote) for vote in votes({1, 3}, 5)]
    records[4].value = b"{"
    await voting.deliver(*records)
    rows = await voting.database.fetch('SELECT "offset" FROM dead_letters ORDER BY number')
    assert [row["offset"] for row in rows] == [2, 4, 5]


async def test_a_repeat_beside_a_bad_record_is_still_a_repeat(voting: ServiceUnderTest) -> None:
    """Halving a batch does not make the second copy of an event take effect."""
    good = voting.record(votes(set(), 1)[0], event_id="once")
    outcome = await voting.deliver(good, voting.record(votes({0}, 1)[0]), good)
    assert (len(outcome.applied), len(outcome.duplicates), len(outcome.refused)) == (1, 1, 1)


# What the database refuses


StartService = Callable[[str], Awaitable[ServiceUnderTest]]


def tagged(insight_id: str, version: int) -> InsightTagged:
    return InsightTagged(insight_id=insight_id, version=version, feature_id="f", participant_id="p", tagged_at=NOON)


def measured(sample_size: int) -> KpiMeasured:
    return KpiMeasured(
        kpi_id="csat",
        period_start=NOON,
        period_end=NOON.replace(hour=13),
        value=1,
        sample_size=sample_size,
        measured_at=NOON,
    )


async def reasons(service: ServiceUnderTest) -> list[str]:
    return [row["reason"] for row in await service.database.fetch("SELECT reason FROM dead_letters ORDER BY number")]


async def test_a_number_too_large_is_told_in_plain_words(start_service: StartService) -> None:
    """A version beyond 32 bits names its field, its value and the largest that fits, and no other event's values."""
    roadmap = await start_service("roadmap")
    outcome = await roadmap.deliver(tagged("i-1", 1), tagged("i-2", 99_999_999_999), tagged("i-3", 3))
    assert len(outcome.applied) == 2
    assert await reasons(roadmap) == [
        "version is 99,999,999,999; the largest whole number that can be kept is 2,147,483,647, so send a smaller one"
    ]


async def test_a_number_beyond_64_bits_is_told_too(start_service: StartService) -> None:
    """A count beyond 64 bits is told by its own limit, and one beyond reading without its digits."""
    kpi = await start_service("kpi")
    await kpi.deliver(measured(10**20), measured(10**60))
    limit = "the largest whole number that can be kept is 9,223,372,036,854,775,807, so send a smaller one"
    assert await reasons(kpi) == [
        f"sample_size is 100,000,000,000,000,000,000; {limit}",
        f"sample_size is a number of more than 30 digits; {limit}",
    ]
