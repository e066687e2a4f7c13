"""`python -m tests.faults`: the long run, told as it goes; exit code 1 when the promise was broken."""

import argparse
import asyncio
import itertools
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.generator import Load
from tests.faults.ground import Ground, ground
from tests.faults.plan import Step, again_and_again, each_once, possible_on
from tests.faults.proof import MUTATIONS, prove
from tests.faults.run import strike, verdict
from tests.faults.world import world

SLICE = 1000
PER_SECOND = 400.0
DISK_MEGABYTES = 1500
STOPPED = 130
"""The exit code of what was interrupted, by convention."""


def main() -> None:
    asked = _arguments()
    seed = asked.seed if asked.seed is not None else secrets.randbelow(10**6)
    folder = Path(tempfile.mkdtemp(prefix="earshot-faults-run-"))
    say(f"seed {seed}")
    run = _proof(folder, seed) if asked.prove else _run(folder, asked.events, seed, short=asked.short)
    try:
        kept = asyncio.run(_stoppable(run))
    except asyncio.CancelledError:
        shutil.rmtree(folder)
        say("stopped before the end; nothing of it is left")
        sys.exit(STOPPED)
    if not kept:
        say(f"FAILED with seed {seed}; ledger and logs: {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


async def _stoppable(run: Coroutine[Any, Any, bool]) -> bool:
    """The first SIGINT or SIGTERM cancels the run, which then stops what it started; others must wait for that."""
    running = asyncio.ensure_future(run)

    def stop() -> None:
        if not running.cancelling():
            say("stopping")
            running.cancel()

    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop)
    return await running


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


async def _run(folder: Path, events: int, seed: int, *, short: bool) -> bool:
    """Whether the promise was kept."""
    begun = time.monotonic()
    async with ground(disk_megabytes=DISK_MEGABYTES) as made, world(made, folder) as on:
        say(f"{time.monotonic() - begun:6.1f} s  five services are ready, {events:,} events to come")
        load = Load(made.kafka.address, on.prefix, on.ledger, count=events, seed=seed, per_second=PER_SECOND)
        chosen = _steps(made, seed, None if short else max(1, events // SLICE))
        await strike(on, load, chosen, records=events // len(chosen), say=say)
        await load.finish()
        found = await verdict(on)
        say(f"{time.monotonic() - begun:6.1f} s  {found}")
    if not found.findings:
        say(f"kept: nothing lost, nothing twice, order per key (seed {seed})")
    return not found.findings


def _steps(made: Ground, seed: int, count: int | None) -> list[Step]:
    """So many faults at random, or each once."""
    dice = Random(seed)
    if made.disk.missing:
        say(f"left out: disk full, {made.disk.missing}")
    steps = iter(each_once(dice)) if count is None else again_and_again(dice)
    return list(itertools.islice(possible_on(made, steps), count))


async def _proof(folder: Path, seed: int) -> bool:
    """Whether each mutation was noticed."""
    noticed = []
    async with ground() as made:
        for name, mutation in MUTATIONS.items():
            room = folder / name
            room.mkdir()
            found = await prove(made, room, name, seed=seed, say=say)
            noticed.append(mutation.word in found.words)
            say(f"{name}: {'noticed' if noticed[-1] else 'NOT NOTICED'}, {mutation.word} is to be found: {found}")
    return all(noticed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, help="of events and faults; without it a random one, which is printed")
    parser.add_argument("--short", action="store_true", help="each fault once, as in the tests")
    parser.add_argument("--prove", action="store_true", help="break the services on purpose: the suite must notice")
    return parser.parse_args()


if __name__ == "__main__":
    main()
