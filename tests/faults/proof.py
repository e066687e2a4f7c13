"""Whether the suite notices what it is there for: a small run over mutated services must fail with the right word."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.faults.generator import Load
from tests.faults.ground import Ground
from tests.faults.plan import BEFORE_ACK, KILLED, Step
from tests.faults.run import Say, Verdict, strike, verdict
from tests.faults.world import world

RECORDS, PER_SECOND = 200, 100.0


@dataclass(frozen=True, slots=True)
class Mutation:
    """The word that the checker must say, and what gives it reason to: faults, and how much to publish."""

    word: str
    records: int
    steps: tuple[Step, ...] = ()


MUTATIONS = {
    "inbox-off": Mutation("TWICE", 2_000),  # producers repeat themselves
    "offset-first": Mutation("LOST", 600, (Step(KILLED, "insights", 0), Step(KILLED, "roadmap", 0))),
    "delete-first": Mutation("LOST", 600, (Step(BEFORE_ACK, "roadmap", 0),)),
}


async def prove(ground: Ground, folder: Path, mutation: str, *, seed: int, say: Say) -> Verdict:
    """The verdict over services that all break the promise in the mutation's way, some of them killed under load."""
    command = (sys.executable, "-m", "tests.faults.mutations", mutation, "serve")
    async with world(ground, folder, command=command) as on:
        given = MUTATIONS[mutation]
        load = Load(ground.kafka.address, on.prefix, on.ledger, count=given.records, seed=seed, per_second=PER_SECOND)
        await strike(on, load, given.steps, records=RECORDS, say=say)
        await load.finish()
        return await verdict(on)
