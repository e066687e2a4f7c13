"""One run of the suite: load and faults, healing, and the verdict of the checker."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.faults.generator import Load
from tests.faults.instance import CHECKOUT
from tests.faults.plan import Step
from tests.faults.world import World

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker found; `words` are the kinds of findings."""

    findings: list[str]
    words: frozenset[str]
    counts: dict[str, Any]

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return "\n".join([counts, *self.findings[:40], f"{len(self.findings)} findings"])


async def strike(world: World, load: Load, steps: Iterable[Step], *, records: int, say: Say) -> None:
    """Let each fault strike in the midst of `records` published; go on when everything is ready again."""
    begun = time.monotonic()
    before = records // 3
    for step in steps:
        await load.release(before)
        async with asyncio.TaskGroup() as group:
            publishing = group.create_task(load.release(records - before))
            with world.ledger.fault(step.name):
                async with step.fault.hit(world, step.service, step.seconds) as how:
                    say(f"{time.monotonic() - begun:6.1f} s  {load.published:>7,} published  {step.name}: {how}")
            await publishing
        await world.all_ready()


async def verdict(world: World) -> Verdict:
    """What the checker, a program of its own, says when all is quiet."""
    description = world.folder / "world.json"
    description.write_text(json.dumps(world.description()))
    checker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.checker", str(description)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaint = await checker.communicate()
    if not out:
        raise AssertionError(f"the checker failed: {complaint.decode()[-3000:]}")
    said = json.loads(out)
    findings = [f"{one['word']} {one['where']}: {one['text']}" for one in said["findings"]]
    return Verdict(findings, frozenset(one["word"] for one in said["findings"]), said["counts"])
