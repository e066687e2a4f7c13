"""The short version of the suite: a few thousand events, every fault once."""

import sys
from pathlib import Path
from random import Random

import pytest

from tests.faults.generator import Load
from tests.faults.ground import Ground
from tests.faults.plan import AHEAD, AWAY, ROLLED, SCALED, Step, each_once, possible_on
from tests.faults.releases import BEFORE, release
from tests.faults.run import strike, verdict
from tests.faults.world import world

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(1200)]

SEED, EVENTS, PER_SECOND = 20_261, 5_000, 400.0
AWAY_EVENTS = 5_000
OPERATIONS = (Step(SCALED, "roadmap", 1), Step(ROLLED, "all", 0), Step(AHEAD, "insights", 1))


def say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - how far it came is all one has when it fails


async def test_whatever_fails_each_event_takes_effect_once_and_in_order(shaky_ground: Ground, tmp_path: Path) -> None:
    """Each fault strikes once while events come in; nothing is lost, doubled or out of order, and /readyz knows."""
    steps = list(possible_on(shaky_ground, each_once(Random(SEED))))
    async with world(shaky_ground, tmp_path) as on:
        kafka = shaky_ground.kafka.address
        load = Load(kafka, on.prefix, on.ledger, count=EVENTS, seed=SEED, per_second=PER_SECOND)
        await strike(on, load, steps, records=EVENTS // len(steps), say=say)
        await load.finish()
        found = await verdict(on)
    assert not found.findings, f"seed {SEED}: {found}"
    assert found.counts["acknowledged"] > 4900
    assert found.counts["dead letters"] > 30
    assert found.counts["published again by relays"] > 0, "no relay was hit between acknowledgement and delete"
    if shaky_ground.disk.missing:
        pytest.skip(f"passed, but for the fault “disk full”: {shaky_ground.disk.missing}")


@pytest.mark.long
async def test_operating_loses_and_doubles_nothing(shaky_ground: Ground, tmp_path: Path) -> None:
    """Over 2, 12 and 2 instances, a rolling restart, a release behind its schema and one service away all is kept."""
    async with world(shaky_ground, tmp_path) as on:
        on.add("roadmap")
        kafka = shaky_ground.kafka.address
        load = Load(kafka, on.prefix, on.ledger, count=2_000 + AWAY_EVENTS, seed=SEED + 1, per_second=PER_SECOND)
        await strike(on, load, OPERATIONS, records=600, say=say)
        async with AWAY.hit(on, "insights", 0) as how:
            say(how)
            await load.release(AWAY_EVENTS)
        await on.all_ready()
        await load.finish()
        found = await verdict(on)
    assert not found.findings, f"seed {SEED + 1}: {found}"
    assert found.counts["acknowledged"] > 6900


@pytest.mark.long
async def test_services_of_the_release_before_work_beside_the_others(shaky_ground: Ground, tmp_path: Path) -> None:
    """Two services that are not upgraded yet, on schemas that are: nothing is lost, doubled or out of order."""
    code = release(BEFORE, tmp_path / "before")
    async with world(shaky_ground, tmp_path) as on:
        old = []
        for service in ("insights", "kpi"):
            [present] = on.of(service)
            await on.remove(present)
            old.append(on.add(service, code))
        await on.all_ready()
        kafka = shaky_ground.kafka.address
        load = Load(kafka, on.prefix, on.ledger, count=3_000, seed=SEED + 2, per_second=PER_SECOND)
        await load.release(1_500)
        for instance in old:  # the upgrade, in the middle of it
            present = on.add(instance.service)
            await on.ready(present)
            await on.remove(instance)
        await load.finish()
        found = await verdict(on)
    assert not found.findings, f"seed {SEED + 2}: {found}"
    assert found.counts["acknowledged"] > 2900
