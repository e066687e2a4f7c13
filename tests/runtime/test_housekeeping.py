"""What is old goes, and nothing that somebody may still need."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.contract.catalogue import EVENTS
from shared.runtime.housekeeping import Housekeeping, TooShort, inbox_days
from shared.runtime.settings import Settings
from tests.runtime.foreign import Foreign, until_handled
from tests.runtime.tiny import tiny_service
from tests.support.catching_up import ask, change
from tests.support.running import Stage, until
from tests.support.service import ServiceUnderTest, service_under_test

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CONSUMED = [EVENTS["earshot.FeatureVoted.v1"], EVENTS["earshot.ParticipantErased.v1"]]


def settings(**given: int) -> Settings:
    plain = Settings(kafka_bootstrap="127.0.0.1:1", database_dsn="postgresql://a:b@127.0.0.1:1/c", jwks="/nowhere")
    return plain.model_copy(update=given)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as made:
        made.now = NOW
        yield made


def test_repeats_are_known_for_longer_than_kafka_keeps_them() -> None:
    """Without a setting it is the longest finite retention and a week; what is kept for ever does not count."""
    assert inbox_days(settings(), CONSUMED) == 372
    assert inbox_days(settings(inbox_days=400), CONSUMED) == 400
    assert inbox_days(settings(inbox_days=14), [EVENTS["earshot.DemoRequested.v1"]]) == 14


def test_a_shorter_time_is_refused() -> None:
    """A service that would forget events which Kafka can still deliver does not start, and says what to set."""
    with pytest.raises(TooShort, match=r"EARSHOT_INBOX_DAYS: 371 is too short; .* 365 days, so give at least 372"):
        inbox_days(settings(inbox_days=371), CONSUMED)


async def test_old_rows_go_and_others_stay(service: ServiceUnderTest) -> None:
    """Inbox rows, closed dead letters and archived events go when their time is over, however many there are."""
    pool = service.database.pool
    await pool.execute(
        """
        INSERT INTO inbox (id, source, received_at)
        SELECT 'old-' || number, 's', $1::timestamptz FROM generate_series(1, 4500) AS number
         UNION ALL SELECT 'young', 's', $2::timestamptz
        """,
        NOW - timedelta(days=373),
        NOW - timedelta(days=371),
    )
    for number, (state, days) in enumerate([("open", 900), ("discarded", 373), ("replayed", 373), ("discarded", 371)]):
        await pool.execute(
            """
            INSERT INTO dead_letters (id, cluster, topic, partition, "offset", headers, reason, received_at, state,
                                      closed_at)
            VALUES (gen_random_uuid(), 'c', 't', 0, $1, '[]', 'r', $2, $3, $4)
            """,
            number,
            NOW - timedelta(days=days),
            state,
            None if state == "open" else NOW - timedelta(days=days),
        )
    for number, days in enumerate((11, 9)):
        await pool.execute(
            """
            INSERT INTO outbox_archive (seq, id, aggregatetype, aggregateid, type, payload, headers, created_at,
                                        published_at)
            VALUES ($1, gen_random_uuid(), 't', 'k', 'y', '{}', '{}', $2, $2)
            """,
            number,
            NOW - timedelta(days=days),
        )
    keeper = Housekeeping(service.database, settings(outbox_archive_days=10), CONSUMED)
    assert await keeper.tidy() == 4500 + 2 + 1
    assert await keeper.tidy() == 0
    assert [row["id"] for row in await pool.fetch("SELECT id FROM inbox")] == ["young"]
    letters = await pool.fetch('SELECT "offset" FROM dead_letters ORDER BY 1')
    assert [row["offset"] for row in letters] == [0, 3]
    assert [row["seq"] for row in await pool.fetch("SELECT seq FROM outbox_archive")] == [1]


async def test_one_instance_at_a_time(service: ServiceUnderTest) -> None:
    """While another instance tidies up, this one leaves it to it."""
    await service.database.pool.execute(
        "INSERT INTO inbox (id, source, received_at) VALUES ('old', 's', $1)", NOW - timedelta(days=999)
    )
    keeper = Housekeeping(service.database, settings(), CONSUMED)
    async with service.database.transaction() as other:
        await other.connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('earshot housekeeping kpi', 0))")
        assert await keeper.tidy() == 0
    assert await keeper.tidy() == 1


async def test_published_events_are_archived_where_that_is_configured(staged: Stage) -> None:
    """The relay moves events to the archive with all they had, but nothing whose topic forgets soon."""
    foreign = Foreign(staged)
    keeping = Stage(staged.settings.model_copy(update={"outbox_archive_days": 1}), staged.service)
    await change(
        staged,
        """
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
        VALUES (gen_random_uuid(), 'earshot.event-rejected.v1', 'k', 'earshot.EventRejected.v1', '{}',
                '{"source": "/earshot/kpi", "time": "2026-03-02T09:00:00+00:00"}')
        """,
    )
    async with keeping.run() as service:
        foreign.measure(3, "kept")
        await until_handled(service, 1)

        async def published() -> bool:
            return not await service.database.pool.fetchval("SELECT EXISTS (SELECT FROM outbox)")

        await until(published, what="the outbox to be empty")
    assert await ask(staged, "SELECT string_agg(type, ' ') FROM outbox_archive") == "earshot.KpiImpactAssessed.v1"
    assert await ask(staged, "SELECT headers ->> 'causationid' FROM outbox_archive") == "kept"
    async with staged.run() as service:
        foreign.measure(4, "not kept")
        await until_handled(service, 2)
        await until(published, what="the outbox to be empty")
    assert await ask(staged, "SELECT count(*) FROM outbox_archive") in {0, 1}
