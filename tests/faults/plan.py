"""Which faults strike whom, and in which order: a seed's dice."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from random import Random

from services import SERVICES
from tests.faults import faults_networks as networks
from tests.faults import faults_operations as operations
from tests.faults import faults_processes as processes
from tests.faults.ground import Ground
from tests.faults.sides import BROKER, DATABASE
from tests.faults.world import World

Hit = Callable[[World, str, float], AbstractAsyncContextManager[str]]
RELAYING = ("roadmap", "kpi", "insights", "scheduling")
"""Who has something to publish in the suite's traffic: what follows from events, or at least rejections."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, for how long it stays in the short and in the long run, and whom it may hit."""

    name: str
    hit: Hit
    short_seconds: float
    long_seconds: float
    services: tuple[str, ...] = SERVICES


@dataclass(frozen=True, slots=True)
class Step:
    """One fault about to strike."""

    fault: Fault
    service: str
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.fault.name} ({self.service})"


KILLED = Fault("service killed", processes.service_killed, 0, 3)
FULL = Fault("disk full", networks.disk_full, 3, 35, ("roadmap", "kpi"))
BEFORE_ACK = Fault("relay killed before ack", processes.relay_killed_before_ack, 0, 1, ("roadmap",))
FAULTS = (
    BEFORE_ACK,
    Fault("service frozen", processes.service_frozen, 11, 30, RELAYING),
    Fault("relay killed after ack", processes.relay_killed_after_ack, 0, 1, ("roadmap",)),
    Fault("second instance joins and leaves", processes.instance_joins_and_leaves, 1, 5),
    Fault("database backend killed", processes.backend_killed, 0, 1),
    Fault("database killed", partial(processes.server_killed, DATABASE), 1, 8),
    Fault("database frozen", partial(processes.server_frozen, DATABASE), 1, 30),
    Fault("broker killed", partial(processes.server_killed, BROKER), 0, 8),
    Fault("broker frozen", partial(processes.server_frozen, BROKER), 1, 30),
    Fault("broker cut off", partial(networks.cut_off, BROKER), 1, 20),
    Fault("broker silent", partial(networks.silent, BROKER), 1, 20),
    Fault("broker deaf", partial(networks.deaf, BROKER), 1, 20),
    Fault("broker slow", partial(networks.slow, BROKER), 2, 20),
    Fault("broker reset", partial(networks.reset, BROKER), 0, 1),
    Fault("database cut off", partial(networks.cut_off, DATABASE), 1, 20),
    Fault("database silent", partial(networks.silent, DATABASE), 1, 20),
    Fault("database slow", partial(networks.slow, DATABASE), 2, 20),
    Fault("database reset", partial(networks.reset, DATABASE), 0, 1),
    Fault("commit unanswered", networks.commit_unanswered, 0, 1, ("roadmap", "kpi", "insights")),
    FULL,
)
SCALED = Fault("scaled out and in", operations.scaled_out_and_in, 1, 20, ("roadmap",))
ROLLED = Fault("rolling restart", operations.rolling_restart, 0, 5, ("kpi",))
AHEAD = Fault("schema ahead", operations.schema_ahead, 1, 5)
AWAY = Fault("service away", operations.service_away, 5, 60)
OPERATIONS = (SCALED, ROLLED, AHEAD, AWAY)


def each_once(random: Random) -> list[Step]:
    """Every service killed and every other fault once, in a random order, for a short time."""
    steps = [Step(KILLED, service, KILLED.short_seconds) for service in SERVICES]
    steps += [Step(fault, random.choice(fault.services), fault.short_seconds) for fault in FAULTS]
    random.shuffle(steps)
    return steps


def again_and_again(random: Random) -> Iterator[Step]:
    """Without end, every fault at random, for a random part of its long time."""
    while True:
        fault = random.choice((*FAULTS, *[KILLED] * 5, *OPERATIONS))
        yield Step(fault, random.choice(fault.services), fault.long_seconds * random.uniform(0.3, 1.0))


def possible_on(ground: Ground, steps: Iterable[Step]) -> Iterator[Step]:
    """The disk can be filled only where it is one of our own."""
    return (step for step in steps if step.fault is not FULL or not ground.disk.missing)
