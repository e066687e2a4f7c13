"""The doors of the platform as another system uses them: HTTP through the gateway, and Kafka."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.local.errors import Fault
from shared.contract.catalogue import EVENTS
from shared.contract.envelope import Envelope, encode
from shared.runtime.kafka import producer, why
from shared.runtime.settings import KafkaSettings

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.1


class Doors:
    """One visitor of the platform; remembers the session the demo is about."""

    session_id: str

    def __init__(self, gateway_url: str, token: str, kafka: KafkaSettings) -> None:
        self._http = httpx.AsyncClient(
            base_url=gateway_url, headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False
        )
        self._public = httpx.AsyncClient(base_url=gateway_url, timeout=20, trust_env=False)
        self._settings = kafka
        self._kafka: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        self._kafka = producer(self._settings)
        try:
            await self._kafka.start()
        except (KafkaError, OSError) as fault:
            await self._kafka.stop()
            said = why(fault, self._settings)
            raise Fault(f"The demo cannot reach Kafka at {self._settings.kafka_bootstrap}: {said}") from fault
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kafka is not None:
            await self._kafka.stop()
        await self._http.aclose()
        await self._public.aclose()

    async def publish(self, name: str, data: dict[str, Any], *, event_id: str) -> None:
        """Publish an event of version 1 as a system outside would."""
        assert self._kafka is not None
        event_type = EVENTS[f"earshot.{name}.v1"]
        headers, value = encode(
            Envelope(
                id=event_id,
                source="/demo",
                type=event_type.type,
                time=datetime.now(UTC).isoformat(),
                data=json.dumps(data).encode(),
            )
        )
        key = event_type.key_of(event_type.model.model_validate(data)).encode()
        await self._kafka.send_and_wait(
            f"{self._settings.topic_prefix}{event_type.topic}", value=value, key=key, headers=headers
        )

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return _content(await self._http.get(path))

    async def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        return _content(await self._http.post(path, json=body))

    async def upload(self, path: str, content: bytes, media_type: str) -> None:
        _content(await self._http.put(path, content=content, headers={"Content-Type": media_type}))

    async def vote_on_the_board(self, feature_id: str) -> None:
        """Vote as a visitor does who is not signed in."""
        answer = await self._public.post(
            f"/roadmap/board/{feature_id}/vote", data={"vote": "up"}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise Fault(f"The board refused the vote: {answer.status_code} {answer.text[:300]}")

    async def wait(self, path: str, enough: Callable[[Any], Any], *, what: str) -> Any:  # noqa: ANN401 - JSON
        """Ask again until the answer is enough; gives the answer.

        Raises:
            Fault: it is not within a minute.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self._http.get(path)
            if answer.is_success and enough(answer.json()):
                return answer.json()
            if time.monotonic() > deadline:
                raise Fault(
                    f"The demo waited {PATIENCE_SECONDS:.0f} s in vain for {what}; last answer of {path}: "
                    f"{answer.status_code} {answer.text[:300]}"
                )
            await asyncio.sleep(PAUSE_SECONDS)


def _content(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    if not answer.is_success:
        raise Fault(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}")
    return answer.json()
