"""A service in the test's own process: ask it over HTTP, deliver records to it, read what it would publish."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from jwt.algorithms import OKPAlgorithm
from starlette.routing import BaseRoute

from shared.contract import envelope
from shared.contract.catalogue import BY_MODEL, EVENTS
from shared.contract.events import EventData
from shared.runtime.auth.tokens import issue, key_id
from shared.runtime.batches import Batches, Outcome
from shared.runtime.database import Database
from shared.runtime.http import create_app
from shared.runtime.jobs import Repeated
from shared.runtime.serve import load
from shared.runtime.service import Service
from shared.runtime.telemetry import Metrics
from tests.support.databases import create_database, drop_database, dsn_of

E = TypeVar("E", bound=EventData)

OWN_SETTINGS: Mapping[str, Mapping[str, Any]] = {"webhooks": {"webhook_key": "0" * 43}}
"""What a deployable must be told besides what every service is."""

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday; the clock of every service under test stands here until a test moves it."""


_routes: dict[str, list[BaseRoute]] = {}
"""Of each service, as FastAPI made them for its first application: to make them again takes a quarter of a test."""


@dataclass
class FakeRecord:
    """A Kafka record that never was in Kafka."""

    topic: str
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    key: bytes | None = None
    partition: int = 0
    offset: int = 0


@dataclass
class ServiceUnderTest:
    """One service with its own database; no broker: `deliver` takes the consumer's way from the record on."""

    name: str
    app: FastAPI
    client: httpx.AsyncClient
    database: Database
    batches: Batches
    signing_key: bytes
    now: datetime = START
    _offset: int = field(default=0)

    def headers(self, role: str = "admin", subject: str = "ana") -> dict[str, str]:
        """What a signed-in person's or system's requests carry."""
        token = issue(self.signing_key, subject=subject, role=role, lifetime=timedelta(hours=1), now=datetime.now(UTC))
        return {"Authorization": f"Bearer {token}"}

    def record(self, event: EventData, *, event_id: str | None = None, source: str = "/test") -> FakeRecord:
        """The event as another system would publish it."""
        self._offset += 1
        event_type = BY_MODEL[type(event)]
        headers, value = envelope.encode(
            envelope.Envelope(
                id=event_id or f"event-{self._offset}",
                source=source,
                type=event_type.type,
                data=event.model_dump_json().encode(),
            )
        )
        return FakeRecord(event_type.topic, value, headers, key=event_type.key_of(event).encode(), offset=self._offset)

    async def deliver(self, *events: EventData | FakeRecord) -> Outcome:
        """One batch, as the consumer would apply it, and what is due afterwards."""
        outcome = await self.batches.apply([e if isinstance(e, FakeRecord) else self.record(e) for e in events])
        await self.catch_up()
        return outcome

    async def catch_up(self) -> None:
        """Do what the service's jobs would do by themselves within a second; after every batch and every request."""
        for job in self.app.state.service.jobs:
            if isinstance(job, Repeated):
                async with self.database.transaction() as tx:
                    await job.once(tx)

    async def published(self, model: type[E]) -> list[E]:
        """The events of this type that wait in the outbox, in order."""
        rows = await self.database.fetch(
            "SELECT payload FROM outbox WHERE type = $1 ORDER BY seq", BY_MODEL[model].type
        )
        return [model.model_validate_json(row["payload"]) for row in rows]

    async def published_types(self) -> list[str]:
        """Names of all events in the outbox, in order."""
        rows = await self.database.fetch("SELECT type FROM outbox ORDER BY seq")
        return [EVENTS[row["type"]].model.__name__ for row in rows]


@asynccontextmanager
async def service_under_test(
    name: str, folder: Path, *, service: Service | None = None, told: Mapping[str, Any] | None = None
) -> AsyncIterator[ServiceUnderTest]:
    """The named service, or the given one on the named service's schema; `told` are settings of its own."""
    key = Ed25519PrivateKey.generate()
    jwks = folder / "jwks.json"
    public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id(key), "use": "sig"}
    jwks.write_text(json.dumps({"keys": [public]}))
    database_name = await create_database(name)
    made, service = service, service or load(name)
    settings = service.settings(
        kafka_bootstrap="127.0.0.1:1",
        jwks=str(jwks),
        database_dsn=dsn_of(database_name, name),
        public_url="http://test",
        **(OWN_SETTINGS.get(name, {}) if told is None else told),
    )
    database = Database(name, dsn_of(database_name, name), size=4)
    await database.open()
    app = create_app(service, settings, database=database)
    if made is None and told is None:
        app.router.routes = _routes.setdefault(name, app.router.routes)
    batches = Batches(database, service.handlers, Metrics(), cluster="test")
    app.state.consumer.batches = batches
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        tested = ServiceUnderTest(name, app, client, database, batches, pem)
        database.clock = lambda: tested.now
        client.event_hooks = {"response": [lambda _: tested.catch_up()]}
        try:
            yield tested
        finally:
            await database.close()
            await drop_database(database_name)


__all__ = ["START", "FakeRecord", "ServiceUnderTest", "service_under_test"]
