"""The webhooks with a database of their own and a receiver to send to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from deploy.webhooks.delivering import Deliverer
from deploy.webhooks.metrics import WebhookMetrics
from deploy.webhooks.settings import WebhookSettings
from shared.contract.events import FeatureVoted
from tests.support.running import until
from tests.support.service import START, ServiceUnderTest, service_under_test
from tests.webhooks.receiver import Receiver, receiving

KEY = "0" * 43
VOTED = "earshot.FeatureVoted.v1"


def vote(feature: str = "export", **fields: Any) -> FeatureVoted:
    return FeatureVoted(**({"feature_id": feature, "voter_id": "v1", "voted_at": START} | fields))


@dataclass
class Webhooks:
    """The adapter: subscribe, deliver events to it, let it send."""

    service: ServiceUnderTest
    receiver: Receiver
    deliverers: list[Deliverer] = field(default_factory=list)

    @property
    def settings(self) -> WebhookSettings:
        settings: WebhookSettings = self.service.app.state.settings
        return settings

    def deliverer(self, **changes: Any) -> Deliverer:
        """One instance's deliverer."""
        settings = self.settings.model_copy(update=changes)
        made = Deliverer(self.service.database, settings, WebhookMetrics(CollectorRegistry()))
        self.deliverers.append(made)
        return made

    async def ask(self, method: str, path: str, body: object = None, role: str = "admin") -> Any:
        """The answer to an endpoint's call, which must succeed."""
        answer = await self.service.client.request(
            method, f"/api/v1{path}", json=body, headers=self.service.headers(role)
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def subscribe(self, path: str = "/", types: tuple[str, ...] = (VOTED,), **fields: Any) -> dict[str, Any]:
        """A new subscription to the receiver's path, as it was answered."""
        body = {"url": self.receiver.url(path), "event_types": types, "subscription_id": str(uuid4())} | fields
        answer: dict[str, Any] = await self.ask("POST", "/subscriptions", body)
        return answer

    async def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        """The deliveries, the newest first."""
        found: list[dict[str, Any]] = await self.ask("GET", f"/deliveries{query}")
        return found

    async def delivery(self, identifier: int) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("GET", f"/deliveries/{identifier}")
        return found

    async def send_due(self, deliverer: Deliverer | None = None) -> int:
        """Attempt what is due now, and what becomes due by that; how many attempts that were."""
        used, made = deliverer or self.deliverer(), 0
        while (begun := await used.start_due()) or used.busy:
            made += begun
            await used.rest()
        return made

    async def until_came(self, number: int, path: str = "/") -> None:
        async def enough() -> bool:
            return len(self.receiver.of(path)) >= number

        await until(enough, what=f"{number} requests at {path}")


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with receiving(tmp_path) as made:
        yield made


def told(receiver: Receiver) -> dict[str, Any]:
    """The settings by which webhooks may reach the receiver."""
    return {
        "webhook_key": KEY,
        "webhook_allowed_networks": "127.0.0.0/8",
        "webhook_ports": str(receiver.port),
        "webhook_ca": receiver.authority,
    }


@pytest.fixture
async def webhooks(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Webhooks]:
    async with service_under_test("webhooks", tmp_path, told=told(receiver)) as service:
        made = Webhooks(service, receiver)
        yield made
        for deliverer in made.deliverers:
            await deliverer.stop()
