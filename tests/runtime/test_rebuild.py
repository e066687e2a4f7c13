"""What a rebuild takes, what it refuses, and what it leaves alone, on the KPI service with a log of a few records."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from deploy.local.exporting import from_archive, from_kafka
from shared.contract.events import FeatureStatusChanged, KpiMeasured
from shared.runtime.recovery.presence import BeingRebuilt, InstancesRun
from shared.runtime.recovery.rebuild import CannotRebuild, Report, alone, rebuild
from shared.runtime.serve import load
from tests.flow.story import publish
from tests.runtime.foreign import Foreign
from tests.support.catching_up import ask, change, run_through, until_it_waits
from tests.support.running import Stage, stage, until

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def kpi(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(load("kpi"), tmp_path) as made:
        yield made


def measured(value: float, day: int = 0) -> KpiMeasured:
    start = NOON + timedelta(days=day)
    return KpiMeasured(
        kpi_id="csat", period_start=start, period_end=start + timedelta(days=1), value=value, measured_at=start
    )


def dsn(staged: Stage) -> str:
    return staged.settings.database_dsn.get_secret_value()


async def rebuilt(staged: Stage, *archives: Iterable[bytes], allow_gaps: bool = False, check: bool = False) -> Report:
    return await rebuild(
        staged.service, dsn(staged), staged.settings, archives=archives, allow_gaps=allow_gaps, check=check
    )


def printed(capsys: pytest.CaptureFixture[str]) -> list[bytes]:
    """The events on standard output, where the tests' own log goes too."""
    return [line.encode() for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


async def values(staged: Stage) -> object:
    return await ask(staged, "SELECT array_agg(value ORDER BY period_start) FROM measurements")


async def test_it_refuses_while_an_instance_runs(kpi: Stage) -> None:
    """Nobody writes beside a rebuild: it does not begin while an instance is connected."""
    async with kpi.run():
        with pytest.raises(InstancesRun, match="kpi is running; stop all its instances first"):
            await rebuilt(kpi)
    assert (await rebuilt(kpi)).differing == []


async def test_an_instance_waits_until_it_is_over(kpi: Stage) -> None:
    """A service that is started meanwhile is not ready, and says for what it waits; then it works."""
    async with kpi.run(ready=False) as service:
        pass
    async with alone("kpi", dsn(kpi)):
        with pytest.raises(BeingRebuilt, match="kpi is being rebuilt or restored"):
            await service.database.open()
        async with kpi.run(ready=False) as waiting:
            report = (await waiting.client.get("/readyz")).json()
            assert report["checks"]["database"]["ok"] is False
    async with kpi.run():
        pass


async def test_only_what_was_handled_takes_effect_again(kpi: Stage) -> None:
    """Records beyond the stored positions are left to the service, which announces what follows from them."""
    publish(kpi.settings, [measured(1)], seed=0, named="handled")
    await run_through(kpi)
    publish(kpi.settings, [measured(2, day=1)], seed=0, named="news")
    report = await rebuilt(kpi)
    assert (report.repeated, report.differing) == (1, [])
    assert await values(kpi) == [1]
    await run_through(kpi)
    assert await values(kpi) == [1, 2]


async def test_checking_changes_nothing(kpi: Stage) -> None:
    """With `check` the difference is told and the damage stays."""
    publish(kpi.settings, [measured(1)], seed=0)
    await run_through(kpi)
    await change(kpi, "UPDATE measurements SET value = 7")
    assert (await rebuilt(kpi, check=True)).differing == ["measurements"]
    assert await values(kpi) == [7]


async def test_what_people_entered_stays(kpi: Stage) -> None:
    """A KPI's definition and objective came from no event and are kept."""
    publish(kpi.settings, [measured(1)], seed=0)
    await run_through(kpi)
    await change(kpi, "UPDATE kpis SET name = 'Happiness', defined = true, baseline = 1, target = 2")
    assert (await rebuilt(kpi)).differing == []
    assert await ask(kpi, "SELECT name || target FROM kpis") == "Happiness2"


async def test_it_says_what_else_would_be_said_now(kpi: Stage) -> None:
    """An assessment that damaged data had led to is published anew, one version on, when they are mended."""
    weeks = [measured(70 + (day % 3) + (6 if day >= 60 else 0), day) for day in range(90)]
    released = FeatureStatusChanged(
        feature_id="f",
        version=1,
        title="F",
        status="shipped",
        changed_at=NOON,
        released_at=NOON + timedelta(days=60),
        kpi_ids=("csat",),
    )
    publish(kpi.settings, [released, *weeks], seed=0)
    await run_through(kpi)
    version = int(str(await ask(kpi, "SELECT version FROM impacts")))
    assert (await rebuilt(kpi)).differing == []
    assert await ask(kpi, "SELECT count(*) FROM outbox") == 0
    await change(kpi, "UPDATE impacts SET effect = 0, low = -1, high = 1, digest = 'of damaged data'")
    assert (await rebuilt(kpi)).differing == ["impacts"]
    assert await ask(kpi, "SELECT version FROM impacts") == version + 1
    assert await ask(kpi, "SELECT payload::json ->> 'version' FROM outbox") == str(version + 1)


async def test_dead_letters_stay_as_they_ended(kpi: Stage) -> None:
    """Open and discarded letters take no effect, a replayed one as it was mended does; none is kept or told again."""
    publish(kpi.settings, [measured(value, day) for day, value in enumerate((1e200, 2e200, 3e200, 4))], seed=0)
    await run_through(kpi)
    assert await ask(kpi, "SELECT count(*) FROM dead_letters") == 3
    await change(
        kpi,
        """
        UPDATE dead_letters SET state = 'discarded', closed_at = now() WHERE value::text LIKE '%x%'
           AND convert_from(value, 'UTF8') LIKE '%1e+200%';
        UPDATE dead_letters SET state = 'replayed', closed_at = now() WHERE convert_from(value, 'UTF8') LIKE '%2e+200%';
        INSERT INTO dead_letter_edits (letter, number, key, value, headers, edited_by, edited_at)
        SELECT id, 1, key, convert_to(replace(convert_from(value, 'UTF8'), '2e+200', '22'), 'UTF8'), headers, 'ana',
               now() FROM dead_letters WHERE state = 'replayed'
        """,
    )
    report = await rebuilt(kpi)
    assert (report.repeated, report.letters, report.refused) == (1, 1, [])
    assert await values(kpi) == [22, 4]
    assert await ask(kpi, "SELECT string_agg(state, ' ' ORDER BY state) FROM dead_letters") == "discarded open replayed"
    assert await ask(kpi, "SELECT count(*) FROM outbox") == 0
    assert (await rebuilt(kpi)).differing == []


async def test_missing_records_are_refused_by_name(kpi: Stage) -> None:
    """Where Kafka no longer has what was handled, nothing is changed unless the gap is allowed."""
    publish(kpi.settings, [measured(value, value) for value in range(5)], seed=0)
    await run_through(kpi)
    Foreign(kpi).drop_before(3)
    with pytest.raises(CannotRebuild, match=r"kpi-measured.v1: 3 records expired, the archives hold 0 events"):
        await rebuilt(kpi)
    assert await values(kpi) == [0, 1, 2, 3, 4]
    assert (await rebuilt(kpi, allow_gaps=True)).differing == ["measurements"]
    assert await values(kpi) == [3, 4]


async def test_an_archive_fills_the_gap(kpi: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """What was exported from Kafka before it expired counts like the records themselves, and nothing twice."""
    publish(kpi.settings, [measured(value, value) for value in range(5)], seed=0)
    await run_through(kpi)
    assert await from_kafka("kpi", kpi.settings) == 5
    exported = printed(capsys)
    assert json.loads(exported[0])["partitionkey"] == "csat"
    Foreign(kpi).drop_before(3)
    report = await rebuilt(kpi, exported)
    assert report.archived >= 3  # and those of the same millisecond
    assert (report.repeated, report.differing) == (2, [])
    assert await values(kpi) == [0, 1, 2, 3, 4]


async def test_the_archive_of_an_outbox_fills_the_gap(kpi: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """So does what the service that published the events keeps in its own database."""
    await change(
        kpi,
        """
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
        SELECT gen_random_uuid(), 'earshot.kpi-measured.v1', 'csat', 'earshot.KpiMeasured.v1',
               json_build_object('kpi_id', 'csat', 'period_start', '2026-03-0' || number || 'T12:00:00Z', 'period_end',
                                 '2026-03-0' || number + 1 || 'T12:00:00Z', 'value', number, 'measured_at',
                                 '2026-03-09T12:00:00Z'),
               '{"source": "/earshot/kpi", "time": "2026-03-09T12:00:00+00:00"}'
          FROM generate_series(1, 3) AS number
        """,
    )
    await run_through(Stage(kpi.settings.model_copy(update={"outbox_archive_days": 1}), kpi.service))
    assert await values(kpi) == [1, 2, 3]
    assert await from_archive("kpi", dsn(kpi)) == 3
    exported = printed(capsys)
    Foreign(kpi).drop_before(2)
    report = await rebuilt(kpi, exported)
    assert (report.archived, report.repeated, report.differing) == (3, 1, [])  # its own clock is earlier than Kafka's
    assert await values(kpi) == [1, 2, 3]


async def test_a_killed_rebuild_has_changed_nothing(kpi: Stage) -> None:
    """Killed at any point it leaves what was, and can be begun again at once."""
    publish(kpi.settings, [measured(value, value) for value in range(5)], seed=0)
    await run_through(kpi)
    await change(kpi, "UPDATE measurements SET value = 7")
    # Another transaction holds a row, so that the rebuild stands still in its middle.
    holder = await asyncpg.connect(dsn(kpi), server_settings={"search_path": "kpi"})
    blocked = holder.transaction()
    await blocked.start()
    await holder.execute("SELECT FROM kpis FOR UPDATE")
    environment = os.environ | {
        "EARSHOT_DATABASE_DSN": dsn(kpi),
        "EARSHOT_KAFKA_BOOTSTRAP": kpi.settings.kafka_bootstrap,
        "EARSHOT_TOPIC_PREFIX": kpi.settings.topic_prefix,
    }
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.local", "rebuild", "kpi", env=environment
    )
    try:
        await until_it_waits(kpi, "earshot-kpi-operator")
    finally:
        killed.kill()
        await killed.wait()
        await blocked.rollback()
        await holder.close()
    assert await values(kpi) == [7, 7, 7, 7, 7]

    async def free() -> bool:
        try:
            return bool(await rebuilt(kpi))
        except InstancesRun:
            return False  # the server has not noticed yet that the client is gone

    await until(free, what="the killed rebuild's connection to end", patience=120)
    assert await values(kpi) == [0, 1, 2, 3, 4]
