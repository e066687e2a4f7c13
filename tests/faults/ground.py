"""What services stand on in the suite: a Kafka and a PostgreSQL of its own, each reached through proxies."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.kafka import Kafka
from deploy.local.paths import HOST, Home, cache_from
from deploy.local.postgres import Postgres
from services import SERVICES
from tests.faults.proxy import Proxy
from tests.faults.small_disk import SmallDisk


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


class ListeningTwice(Kafka):
    """A broker with one more listener for each service, which it advertises at that service's proxy.

    Otherwise clients would leave the proxy after the broker's first answer.
    """

    def __init__(self, *arguments: Any, listeners: dict[str, tuple[int, int]]) -> None:
        super().__init__(*arguments)
        self._listeners = listeners

    def _properties(self, data: Path) -> Path:
        file = super()._properties(data)
        given = dict(line.split("=", 1) for line in file.read_text().splitlines())
        for name, (port, advertised) in self._listeners.items():
            given["listeners"] += f",{name}://{HOST}:{port}"
            given["advertised.listeners"] += f",{name}://{HOST}:{advertised}"
            given["listener.security.protocol.map"] += f",{name}:PLAINTEXT"
        given |= {"inter.broker.listener.name": "PLAINTEXT", "num.network.threads": "1"}
        file.write_text("".join(f"{name}={text}\n" for name, text in given.items()))
        return file


@dataclass
class Ground:
    """Broker and database, and for each service a proxy to either."""

    folder: Path
    kafka: Kafka
    postgres: Postgres
    kafka_proxies: dict[str, Proxy]
    postgres_proxies: dict[str, Proxy]
    disk: SmallDisk

    @property
    def proxies(self) -> list[Proxy]:
        return [*self.kafka_proxies.values(), *self.postgres_proxies.values()]


async def started(server: Kafka | Postgres) -> None:
    """Start it; whoever is cancelled meanwhile waits all the same: what the thread goes on to start must be stopped."""
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting])
        raise


@asynccontextmanager
async def ground(*, disk_megabytes: int = 400) -> AsyncIterator[Ground]:
    """Start both, side by side; stop and remove everything at the end."""
    home = _home()
    folder = home.root.parent
    count = len(SERVICES)
    postgres_port, kafka_port, controller, *rest = free_ports(3 + 3 * count)
    inner, outer, to_database = rest[:count], rest[count : 2 * count], rest[2 * count :]
    listeners = {name.upper(): (port, at) for name, port, at in zip(SERVICES, inner, outer, strict=True)}
    made = Ground(
        folder,
        ListeningTwice(home, kafka_port, controller, cache_from(os.environ), listeners=listeners),
        Postgres(home, postgres_port, durable=False),
        {name: Proxy(at, to) for name, to, at in zip(SERVICES, inner, outer, strict=True)},
        {name: Proxy(at, postgres_port) for name, at in zip(SERVICES, to_database, strict=True)},
        SmallDisk(home.postgres, disk_megabytes),
    )
    try:
        made.disk.mount()
        await asyncio.gather(started(made.kafka), started(made.postgres))
        for proxy in made.proxies:
            await proxy.start()
        yield made
    finally:
        for proxy in made.proxies:
            await proxy.stop()
        await asyncio.to_thread(_remove, made)


def _home() -> Home:
    folder = Path(tempfile.mkdtemp(prefix="earshot-faults-"))
    folder.chmod(0o755)  # as root the database runs as somebody else
    home = Home(folder / "home")
    home.create()
    return home


def _remove(made: Ground) -> None:
    made.kafka.stop()
    made.postgres.stop()
    made.disk.unmount()
    shutil.rmtree(made.folder, ignore_errors=True)
