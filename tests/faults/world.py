"""The real services on the suite's ground, with topics and a database of their own and somebody to ask how they are."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import httpx

from deploy.local import keys
from deploy.local.paths import HOST, Home
from services import SERVICES
from shared.runtime.auth.tokens import issue
from shared.runtime.migrations import migrate
from shared.runtime.topics import create_topics
from tests.faults.ground import Ground, free_ports
from tests.faults.instance import CHECKOUT, SERVE, Instance, Readiness
from tests.faults.ledger import Writer

PATIENCE_SECONDS = 180.0
EFFECTS = Path(__file__).with_name("effects.sql")
HOSTS = 6
T = TypeVar("T")
Command = Sequence[str]


async def until(found: Callable[[], Awaitable[T]], *, what: str) -> T:
    """The first truthy answer; fails when there is none for three minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := await found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}; last seen: {answer!r}")
        await asyncio.sleep(0.1)
    return answer


@dataclass
class World:
    """Five services, some in several instances."""

    ground: Ground
    prefix: str
    database: str
    folder: Path
    command: Command = SERVE
    instances: list[Instance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger_file = self.folder / "ledger.jsonl"
        self.ledger = Writer(self.ledger_file)

    @property
    def dsn(self) -> str:
        """The administrator's, past the proxies."""
        return self.ground.postgres.dsn(self.database)

    def of(self, service: str) -> list[Instance]:
        return [one for one in self.instances if one.service == service and one.running]

    def add(self, service: str, code: Path = CHECKOUT) -> Instance:
        """One more instance of the service, starting; `code` is the checkout whose release it is."""
        number = 1 + sum(one.service == service for one in self.instances)
        [port] = free_ports(1)
        name = f"{service}-{number}"
        log = self.folder / f"{name}.log"
        made = Instance(service, number, port, self._environment(service), log, self.command, code)
        made.start()
        self.instances.append(made)
        return made

    async def remove(self, instance: Instance) -> int:
        code = await instance.stop()
        self.instances.remove(instance)
        return code

    async def all_ready(self) -> None:
        """Wait until everything that runs says that it is ready."""
        await asyncio.gather(*(self.ready(one) for one in self.instances))

    async def ready(self, instance: Instance) -> None:
        last = Readiness(answered=False)

        async def says_so() -> bool:
            nonlocal last
            assert instance.running, f"{instance.name} ended by itself; its log: {instance.log}"
            last = await instance.readiness()
            return last.ready

        try:
            await until(says_so, what=f"{instance.name} to be ready")
        except AssertionError as waited:
            raise AssertionError(f"{waited}; it says {last}; its log: {instance.log}") from None

    async def not_ready(self, instances: Iterable[Instance], check: str | None) -> None:
        """Each says that this check fails, or, without a check, does not answer at all."""
        for instance in instances:
            await self._not_ready(instance, check)

    async def _not_ready(self, instance: Instance, check: str | None) -> None:
        async def fails() -> bool:
            found = await instance.readiness()
            return not found.answered if check is None else check in found.failing

        await until(fails, what=f"/readyz of {instance.name} to say that {check or 'it is not there'}")

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    def description(self) -> dict[str, str]:
        """Where the checker finds everything; it is told nothing else."""
        return {
            "bootstrap": self.ground.kafka.address,
            "prefix": self.prefix,
            "dsn": self.dsn,
            "ledger": str(self.ledger_file),
        }

    def _environment(self, service: str) -> dict[str, str]:
        inherited = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}
        home = Home(self.ground.folder / "home")
        port = self.ground.postgres_proxies[service].port
        return {
            **inherited,
            "EARSHOT_KAFKA_BOOTSTRAP": f"{HOST}:{self.ground.kafka_proxies[service].port}",
            "EARSHOT_TOPIC_PREFIX": self.prefix,
            "EARSHOT_DATABASE_DSN": f"postgresql://earshot_{service}:secret@{HOST}:{port}/{self.database}",
            "EARSHOT_DATABASE_POOL": "4",
            "EARSHOT_HTTP_HOST": HOST,
            "EARSHOT_JWKS": str(keys.jwks(home)),
        }


@asynccontextmanager
async def world(ground: Ground, folder: Path, *, command: Command = SERVE) -> AsyncIterator[World]:
    """Fresh topics and a fresh database, one instance of each service, ready and with a study to book interviews in."""
    made = World(ground, f"f{uuid4().hex[:8]}.", f"faults_{uuid4().hex[:8]}", folder, command)
    await create_topics(ground.kafka.address, prefix=made.prefix)
    await _create_database(made)
    try:
        for service in SERVICES:
            made.add(service)
        await made.all_ready()
        await _set_the_scene(made)
        yield made
    finally:
        for instance in made.instances:
            if instance.running:
                instance.thaw()
                await instance.kill()
        made.ledger.close()


async def _create_database(made: World) -> None:
    admin = await asyncpg.connect(made.ground.postgres.dsn())
    try:
        await admin.execute(f'CREATE DATABASE "{made.database}"')
    finally:
        await admin.close()
    for service in SERVICES:
        role = made._environment(service)["EARSHOT_DATABASE_DSN"]
        await migrate(service, migration_dsn=made.dsn, service_dsn=role)
    owner = await asyncpg.connect(made.dsn)
    try:
        await owner.execute(EFFECTS.read_text())
    finally:
        await owner.close()


async def _set_the_scene(made: World) -> None:
    """A study with hosts who have time for everybody who asks, made as the team would make them."""
    signing_key = keys.signing_key(Home(made.ground.folder / "home")).read_bytes()
    token = issue(signing_key, subject="suite", role="admin", lifetime=timedelta(hours=12), now=datetime.now(UTC))
    [scheduling] = made.of("scheduling")
    base = f"http://{HOST}:{scheduling.port}/api/v1"
    study = {
        "study_id": "study",
        "title": "Faults",
        "length_minutes": 15,
        "buffer_after_minutes": 0,
        "horizon_days": 14,
    }
    week = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        await _post(client, f"{base}/studies", study)
        for number in range(HOSTS):
            host = {"host_id": f"h-{number}", "name": f"Host {number}", "email": f"h{number}@example.org"}
            await _post(
                client,
                f"{base}/hosts",
                host | {"timezone": "UTC", "weekly": week, "studies": [{"study_id": "study", "role": "moderator"}]},
            )


async def _post(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> None:
    answer = await client.post(url, json=body)
    assert answer.status_code == httpx.codes.CREATED, f"{url}: {answer.text}"
