"""Each service, put back from an old dump while the others went on, comes to where it was."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from services import SERVICES
from shared.contract import envelope
from shared.contract.catalogue import BY_MODEL
from shared.runtime.kafka import onlooker
from shared.runtime.recovery.derived import Digest, digests
from shared.runtime.recovery.history import History
from shared.runtime.recovery.rebuild import alone, connected
from shared.runtime.recovery.restore import finish, look
from shared.runtime.serve import load
from tests.flow.story import publish, story
from tests.support.backups import IMPACT_41, Backup
from tests.support.catching_up import ask, change, run_through
from tests.support.commands import EARSHOT, earshot, environment_of
from tests.support.platform import CHECKOUT
from tests.support.running import Stage, stage, until

DECIDED_ANEW: Mapping[str, Mapping[str, str]] = {
    "scheduling": {"notices": "SELECT to_jsonb(notices) - 'created_at' FROM notices"},
    "roadmap": {"priorities": "SELECT to_jsonb(priorities) - '{version,changed_at}'::text[] FROM priorities"},
    "kpi": {"impacts": "SELECT feature_id, kpi_id, effect, low, high, verdict, released_at FROM impacts WHERE holds"},
}
"""Of what a service decides again, under a new version and at a later time: what must be as it was."""

ALIAS = "(erased|anonymous)-[0-9a-f-]{32,36}"
"""What stands for an erased person is random on purpose."""


def dsn(staged: Stage) -> str:
    return staged.settings.database_dsn.get_secret_value()


async def state(staged: Stage) -> dict[str, Digest]:
    """Digests of what must be the same in the service's tables."""
    name, derived = staged.service.name, staged.service.derived
    assert derived is not None
    queries = {**derived.tables, **DECIDED_ANEW.get(name, {})}
    tables = {
        table: f"SELECT regexp_replace(to_jsonb(given)::text, '{ALIAS}', 'nobody', 'g') FROM ({query}) AS given"  # noqa: S608
        for table, query in queries.items()
    }
    async with connected(name, dsn(staged)) as connection:
        return await digests(connection, tables)


async def handed_out(staged: Stage) -> Counter[tuple[str, ...]]:
    """For each thing and version that the service published: under how many ids."""
    found: dict[str, tuple[str, ...]] = {}
    for thing in staged.service.versioned:
        topics = [f"{staged.settings.topic_prefix}{BY_MODEL[model].topic}" for model in thing.events]
        models = {BY_MODEL[model].type: model for model in thing.events}
        async with onlooker(staged.settings, topics, "earliest") as consumer:
            log = await History.to_the_end(consumer)
            async for record in log.records():
                event = envelope.from_record(record.headers, record.value)
                if event.source == f"/earshot/{staged.service.name}":
                    data = models[event.type].model_validate_json(event.data)
                    found[event.id] = (event.type, *thing.of(data), str(json.loads(event.data)["version"]))
    return Counter(found.values())


@pytest.mark.parametrize("name", SERVICES)
async def test_a_restored_service_comes_to_where_it_was(name: str, tmp_path: Path) -> None:
    """Nothing is lost or doubled after an old dump was put back, and no version is handed out twice."""
    events = story(7)
    async with stage(load(name), tmp_path) as staged:
        backup = Backup(staged, tmp_path / "dump")
        publish(staged.settings, events[::2], seed=7, named="early")
        await run_through(staged)
        backup.take()
        publish(staged.settings, events[1::2], seed=7, named="late")
        await run_through(staged)
        before = await state(staged)

        backup.put_back()
        assert await state(staged) != before
        async with connected(name, dsn(staged)) as connection:
            findings = await look(staged.service, connection, staged.settings)
        assert sum(standing.to_come for standing in findings.standings) > 20
        assert findings.lost == {}
        async with alone(name, dsn(staged)) as connection:
            await finish(staged.service, connection, staged.settings)
        await run_through(staged)

        assert await state(staged) == before
        assert await ask(staged, "SELECT count(*) FROM dead_letters") == 0
        assert [thing for thing, ids in (await handed_out(staged)).items() if ids > 1] == []


@contextmanager
def serving(staged: Stage, log: Path) -> Iterator[None]:
    """`earshot serve` in a process of its own."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*EARSHOT, "serve", staged.service.name],
            env=environment_of(staged),
            cwd=CHECKOUT,
            stdout=said,
            stderr=said,
        )
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(60) in {0, -signal.SIGTERM}


async def test_the_handbooks_way_back_from_an_old_dump(tmp_path: Path) -> None:
    """By the commands alone: look, lift the versions, look again, serve; then the service is where it was."""
    events = story(8)
    async with stage(load("kpi"), tmp_path) as staged:
        backup = Backup(staged, tmp_path / "dump")
        publish(staged.settings, events[::2], seed=8, named="early")
        await run_through(staged)
        backup.take()
        await change(staged, IMPACT_41)
        publish(staged.settings, events[1::2], seed=8, named="late")
        await run_through(staged)
        before = await state(staged)

        backup.put_back()
        code, said = await earshot(staged, "restore", "kpi", "--check")
        assert code == 1, said
        assert "records will be handled" in said
        assert "Others have heard of versions that would be handed out again: --finish" in said
        code, said = await earshot(staged, "restore", "kpi", "--finish")
        assert code == 0, said
        assert "versions are handed out above 41 from now on" in said
        code, said = await earshot(staged, "restore", "kpi", "--check")
        assert code == 0, said

        with serving(staged, tmp_path / "log"):

            async def is_where_it_was() -> bool:
                return await state(staged) == before

            await until(is_where_it_was, what="kpi to catch up", patience=180)
        assert [thing for thing, ids in (await handed_out(staged)).items() if ids > 1] == []
