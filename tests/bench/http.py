"""The board over HTTP: votes a second over sixteen connections, beside a plain endpoint, and its page of many ideas."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

from tests.support.databases import dsn_of
from tests.support.running import until

from . import scale
from .figures import median, percentile
from .meters import cpu_of, cpu_of_tree
from .place import Place, Program, rival, service, signed
from .visible import is_ready

Request = Callable[[Mapping[str, str], int], Iterator[bytes]]
"""Makes the requests of one connection, given the headers of somebody signed in and the connection's number."""

CONNECTIONS = 16
WARM_UP_SECONDS = 1.0


@dataclass(slots=True)
class Load:
    """What came of a number of requests: how long each waited, how long it all took, and the CPU seconds it cost."""

    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    python: float = 0.0
    postgres: float = 0.0

    @property
    def summary(self) -> dict[str, float]:
        return {
            "requests per second": len(self.waits) / self.seconds,
            "p50 ms": percentile(self.waits, 50),
            "p99 ms": percentile(self.waits, 99),
            "python us": self.python / len(self.waits) * 1e6,
            "postgres us": self.postgres / len(self.waits) * 1e6,
        }


async def votes(place: Place, sizes: tuple[int, ...], seconds: float) -> dict[str, Any]:
    """Votes of many people on many ideas, when this many are stored already."""
    return {f"{size:,} votes": (await _measure(place, size, scale.IDEAS, seconds, _vote)).summary for size in sizes}


async def beside_an_endpoint(place: Place, rounds: int, seconds: float) -> dict[str, Any]:
    """Medians over the rounds, in each of which both take their turn on an empty board."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ("service", "endpoint")}
    for _ in range(rounds):
        for name, summaries in found.items():
            load = await _measure(place, 0, scale.IDEAS, seconds, _vote, program=name)
            summaries.append(load.summary)
    rates = {name: [summary["requests per second"] for summary in of_name] for name, of_name in found.items()}
    return {
        "rounds": rounds,
        **{name: _medians(summaries) for name, summaries in found.items()},
        "times the endpoint": median(a / b for a, b in zip(rates["service"], rates["endpoint"], strict=True)),
    }


async def board(place: Place, ideas: int, seconds: float) -> dict[str, float]:
    """The board's page, one reader after the other."""
    found = await _measure(place, ideas, ideas, seconds, _page, connections=1)
    return found.summary


def _medians(summaries: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {what: median(summary[what] for summary in summaries) for what in summaries[0]}


async def _measure(
    place: Place,
    size: int,
    ideas: int,
    seconds: float,
    request: Request,
    *,
    connections: int = CONNECTIONS,
    program: str = "service",
) -> Load:
    prefix = await place.topics()
    jwks, headers = signed(place)
    async with place.database() as name:
        connection = await asyncpg.connect(dsn_of(name), server_settings={"search_path": "roadmap"})
        await scale.store(connection, size, ideas=ideas)
        await connection.close()
        with _started(place, program, name, prefix, jwks) as started:
            async with httpx.AsyncClient(base_url=started.url) as client:
                await until(lambda: is_ready(client), what=f"the {program} to be ready")
            await _load(started.url, request, headers, connections, WARM_UP_SECONDS)
            before = cpu_of(started.process), cpu_of_tree(place.postmaster)
            load = await _load(started.url, request, headers, connections, seconds)
            load.python = cpu_of(started.process) - before[0]
            load.postgres = cpu_of_tree(place.postmaster) - before[1]
            return load


def _started(place: Place, name: str, database: str, prefix: str, jwks: str) -> AbstractContextManager[Program]:
    if name == "service":
        return service(place, "roadmap", database, prefix, EARSHOT_JWKS=jwks)
    return rival(place, name, database, prefix)


async def _load(url: str, request: Request, headers: Mapping[str, str], connections: int, seconds: float) -> Load:
    load = Load()
    began = time.perf_counter()
    await asyncio.gather(
        *(_one_after_the_other(url, request(headers, number), began + seconds, load) for number in range(connections))
    )
    load.seconds = time.perf_counter() - began
    return load


async def _one_after_the_other(url: str, requests: Iterator[bytes], until: float, load: Load) -> None:
    """One connection that is kept; by hand, since a client library would cost more than the service."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    while (began := time.perf_counter()) < until:
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:-2])
        body = await reader.readexactly(int(fields["content-length"]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head.decode()}{body.decode()}")
        load.waits.append((time.perf_counter() - began) * 1000)
    writer.close()


def _vote(headers: Mapping[str, str], number: int) -> Iterator[bytes]:
    chance = Random(f"{number} {time.time()}")
    while True:
        vote = {"voter_id": f"customer-{chance.randrange(100_000)}", "segment": {"plan": "pro", "region": "eu"}}
        path = f"/api/v1/ideas/idea-{chance.randrange(scale.IDEAS)}/votes"
        yield _request("POST", path, {**headers, "Content-Type": "application/json"}, json.dumps(vote).encode())


def _page(_headers: Mapping[str, str], _number: int) -> Iterator[bytes]:
    while True:
        yield _request("GET", "/board", {"Accept-Encoding": "gzip"}, b"")


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    fields = {"Host": "bench", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
