"""One service's schema put back from an old backup while everything else went on."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.kpi.store.derived import TABLES
from shared.contract import envelope
from shared.contract.events import KpiImpactAssessed
from shared.runtime.kafka import onlooker
from shared.runtime.recovery.derived import digests
from shared.runtime.recovery.history import History
from shared.runtime.recovery.rebuild import alone, connected
from shared.runtime.recovery.restore import finish, look
from shared.runtime.serve import load
from tests.flow.story import publish, story
from tests.support.backups import IMPACT_41, Backup
from tests.support.catching_up import ask, change, run_through
from tests.support.running import Stage, stage

DATA = {table: TABLES[table] for table in ("measurements", "features", "evidence", "kpis")}
VERDICTS = {"impacts": "SELECT feature_id, kpi_id, holds, effect, low, high, verdict, released_at FROM impacts"}


@pytest.fixture
async def kpi(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(load("kpi"), tmp_path) as made:
        yield made


def dsn(staged: Stage) -> str:
    return staged.settings.database_dsn.get_secret_value()


async def published(staged: Stage) -> list[tuple[str, KpiImpactAssessed]]:
    """Id and data of every KpiImpactAssessed in the log, partition by partition in its order."""
    topic = f"{staged.settings.topic_prefix}earshot.kpi-impact-assessed.v1"
    found = []
    async with onlooker(staged.settings, [topic], "earliest") as consumer:
        log = await History.to_the_end(consumer)
        async for record in log.records():
            event = envelope.from_record(record.headers, record.value)
            if event.source == "/earshot/kpi":
                found.append((event.id, KpiImpactAssessed.model_validate_json(event.data)))
    return found


async def test_a_restored_service_catches_up(kpi: Stage, tmp_path: Path) -> None:
    """From an old dump it comes to where it was: nothing is lost or doubled, and no version is handed out twice."""
    backup, events = Backup(kpi, tmp_path / "kpi.dump"), story(5)
    middle = len(events) // 2
    publish(kpi.settings, events[:middle], seed=5, named="early")
    await run_through(kpi)
    # An event that had not left when the dump was taken.
    await change(kpi, IMPACT_41)
    backup.take()
    publish(kpi.settings, events[middle:], seed=5, named="late")
    await run_through(kpi)
    async with connected("kpi", dsn(kpi)) as connection:
        data, verdicts = await digests(connection, DATA), await digests(connection, VERDICTS)
    before = await published(kpi)

    backup.put_back()
    async with connected("kpi", dsn(kpi)) as connection:
        findings = await look(kpi.service, connection, kpi.settings)
    assert sum(standing.to_come for standing in findings.standings) > 100
    assert findings.lost == {}
    assert (findings.outbox, findings.outbox_known) == (1, 1)
    assert "f0 k9: 0 here, 41 in the log" in findings.ahead
    assert findings.highest == 41
    async with alone("kpi", dsn(kpi)) as connection:
        await finish(kpi.service, connection, kpi.settings)
    await run_through(kpi)

    async with connected("kpi", dsn(kpi)) as connection:
        assert await digests(connection, DATA) == data
        assert await digests(connection, VERDICTS) == verdicts
        assert (await look(kpi.service, connection, kpi.settings)).ahead == []
    after = await published(kpi)
    ids = Counter(identifier for identifier, _ in after)
    assert [identifier for identifier, times in ids.items() if times > 1] == ["5f0c4a52-8b7e-4a3e-9a46-6a2f4f1f2d11"]
    known = {identifier for identifier, _ in before}
    new = [event for identifier, event in after if identifier not in known]
    assert all(event.version > 41 for event in new)
    handed_out = Counter(
        (event.feature_id, event.kpi_id, event.version) for _, event in {i: (i, e) for i, e in after}.values()
    )
    assert set(handed_out.values()) == {1}
    assert await ask(kpi, "SELECT count(*) FROM dead_letters") == 0
