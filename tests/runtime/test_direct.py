"""What is read directly is answered as FastAPI answers it, and what is not plain is answered by FastAPI."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Query, Request

from shared.contract.types import Id
from shared.runtime import Answer, Now, Researcher, conflict
from shared.runtime.direct import Direct
from tests.support.service import ServiceUnderTest, service_under_test

from .tiny import Thing, tiny_service


class Kept(Answer):
    """What became of a thing."""

    id: str
    thing: Thing
    by: str
    at: str
    way: str


async def way_of(request: Request) -> str:
    """Starlette notes the endpoint that its router found."""
    return "usual" if "endpoint" in request.scope else "direct"


async def keep(thing_id: Id, body: Thing, now: Now, who: Researcher, way: Annotated[str, Depends(way_of)]) -> Kept:
    if body.count == 13:
        raise conflict("Thirteen is taken.")
    return Kept(id=thing_id, thing=body, by=who.subject, at=now.isoformat(), way=way)


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    """The same endpoint twice: once as FastAPI has it, once directly."""
    usual, direct = APIRouter(prefix="/api/v1/usual"), APIRouter(prefix="/api/v1/direct", route_class=Direct)
    for router in (usual, direct):
        router.post("/{thing_id}", status_code=201)(keep)
    service = replace(tiny_service(), routers=(usual, direct))
    async with service_under_test("kpi", tmp_path, service=service) as started:
        yield started


PLAIN = {"count": 3, "name": "Ünü", "seen_at": "2026-03-02T10:00:00+01:00", "parts": [{"count": 1}]}
KEPT = {
    "id": "thing-1",
    "thing": {
        "count": 3,
        "share": 0.5,
        "is_big": False,
        "name": "Ünü",
        "seen_at": "2026-03-02T09:00:00Z",
        "bought_on": None,
        "identifier": None,
        "parts": [
            {
                "count": 1,
                "share": 0.5,
                "is_big": False,
                "name": "thing",
                "seen_at": None,
                "bought_on": None,
                "identifier": None,
                "parts": [],
            }
        ],
    },
    "by": "ana",
    "at": "2026-03-02T09:00:00+00:00",
}


async def ask(service: ServiceUnderTest, way: str, name: str, content: bytes, **headers: str) -> tuple[int, Any, str]:
    sent = service.headers("researcher") | {"Content-Type": "application/json"} | headers
    answer = await service.client.post(f"/api/v1/{way}/{name}", content=content, headers=sent)
    said = answer.json()
    for varying in ("instance", "trace_id", "way"):
        said.pop(varying, None)
    return answer.status_code, said, answer.headers["content-type"]


@pytest.mark.parametrize("way", ["usual", "direct"])
async def test_a_plain_request_is_answered_alike(both: ServiceUnderTest, way: str) -> None:
    """Status, fields, their forms and the media type are the same both ways."""
    found = await ask(both, way, "thing-1", json.dumps(PLAIN).encode())
    assert found == (201, KEPT, "application/json")


@pytest.mark.parametrize(("media_type", "way"), [("application/json", "direct"), ("application/json; v=1", "usual")])
async def test_what_is_plain_goes_past_fastapi(both: ServiceUnderTest, media_type: str, way: str) -> None:
    """Only a request that FastAPI must look at is handed to it."""
    headers = both.headers("researcher") | {"Content-Type": media_type}
    answer = await both.client.post("/api/v1/direct/thing-1", content=b"{}", headers=headers)
    assert answer.json()["way"] == way


LARGE = b'{"name": "' + b"a" * 7_000_000 + b'"}'


@pytest.mark.parametrize(
    ("status", "name", "content", "headers"),
    [
        pytest.param(201, "thing-1", b"{}", {"Content-Type": "application/json; charset=utf-8"}, id="parameter"),
        pytest.param(201, "thing-1", b'{"count": 3, "count": 4}', {}, id="twice"),
        pytest.param(409, "thing-1", b'{"count": 13}', {}, id="refused"),
        pytest.param(422, "thing-1", b'{"count": "3"}', {}, id="text for a number"),
        pytest.param(422, "thing-1", b'{"count": 3, "colour": "red"}', {}, id="unknown field"),
        pytest.param(422, "thing-1", b'{"seen_at": "yesterday"}', {}, id="no time"),
        pytest.param(422, "thing-1", b"{", {}, id="no JSON"),
        pytest.param(422, "thing-1", b"[]", {}, id="a list"),
        pytest.param(422, "thing-1", b"", {}, id="nothing"),
        pytest.param(400, "thing-1", b'{"name": "\xff"}', {}, id="no UTF-8"),
        pytest.param(422, "no spaces", b"{}", {}, id="no id"),
        pytest.param(422, "thing-1", b"{}", {"Content-Type": "text/plain"}, id="text"),
        pytest.param(401, "thing-1", b"{}", {"Authorization": ""}, id="nobody"),
        pytest.param(401, "thing-1", b'{"count": "3"}', {"Authorization": "Bearer nonsense"}, id="no token"),
        pytest.param(403, "thing-1", b"{}", {"Authorization": "viewer"}, id="viewer"),
        pytest.param(413, "thing-1", LARGE, {}, id="large"),
    ],
)
async def test_an_odd_request_is_answered_alike(
    both: ServiceUnderTest, status: int, name: str, content: bytes, headers: dict[str, str]
) -> None:
    """Whoever asks directly hears the same of what is wrong as over FastAPI's own way."""
    if headers.get("Authorization") == "viewer":
        headers = headers | both.headers("viewer")
    direct = await ask(both, "direct", name, content, **headers)
    assert direct[0] == status
    assert direct == await ask(both, "usual", name, content, **headers)


async def test_what_cannot_be_read_directly_is_refused_at_the_start() -> None:
    """A query parameter, a missing body or a dependency with wishes of its own would be overlooked in silence."""

    async def queried(body: Thing, most: int = Query(3)) -> None: ...
    async def empty() -> None: ...
    async def limit(most: int = Query(3)) -> int:
        return most

    async def dependent(body: Thing, most: int = Depends(limit)) -> None: ...

    router = APIRouter(route_class=Direct)
    for endpoint in (queried, empty, dependent):
        with pytest.raises(TypeError, match="takes more than"):
            router.post("/things")(endpoint)
