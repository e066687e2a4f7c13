"""How the tests ask the service over HTTP, and what it announced."""

from typing import Any

import httpx

from shared.contract.events import InsightTagged
from tests.support.service import ServiceUnderTest

API = "/api/v1"


async def post(service: ServiceUnderTest, path: str, body: Any = None, role: str = "researcher") -> httpx.Response:
    return await service.client.post(f"{API}/{path}", json=body, headers=service.headers(role))


async def put(service: ServiceUnderTest, insight_id: str, body: Any) -> httpx.Response:
    return await service.client.put(
        f"{API}/insights/{insight_id}", json=body, headers=service.headers("researcher", "ben")
    )


async def get(service: ServiceUnderTest, path: str, role: str = "viewer") -> httpx.Response:
    return await service.client.get(f"{API}/{path}", headers=service.headers(role))


async def announced(service: ServiceUnderTest) -> list[tuple[int, bool, str | None]]:
    return [(event.version, event.withdrawn, event.feature_id) for event in await service.published(InsightTagged)]
