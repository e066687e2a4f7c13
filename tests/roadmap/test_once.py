"""One vote per person and idea, however often and however many at once it is sent."""

import asyncio
import itertools
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from shared.contract.events import EventData
from shared.runtime.serve import load
from tests.flow.story import publish
from tests.roadmap.events import add_idea, drift, supporters, voted
from tests.support.catching_up import ask, run_through
from tests.support.running import stage, until
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]

PAIRS = [(f"person-{number % 50}", f"idea-{number // 50}") for number in range(500)]
"""Fifty people, each of whom wants ten ideas."""


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[str]:
    """The application at an address of its own."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False))
        serving = asyncio.create_task(server.serve(sockets=[bound]))

        async def started() -> bool:
            return server.started

        await until(started, what="the server to start")
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_votes_sent_again_and_again_over_http_are_one(start_service: Start) -> None:
    """500 votes, each sent 4 times over 32 connections at once: 500 are stored, and each idea counts its 50 people."""
    roadmap = await start_service("roadmap")
    for number in range(10):
        await add_idea(roadmap, f"idea-{number}")
    todo = PAIRS * 4
    random.Random(5).shuffle(todo)
    waiting = iter(todo)
    headers = roadmap.headers("service")

    async def send(client: httpx.AsyncClient) -> list[int]:
        return [
            (await client.post(f"/api/v1/ideas/{idea}/votes", json={"voter_id": person})).status_code
            for person, idea in waiting
        ]

    limits = httpx.Limits(max_connections=32)
    async with (
        listening(roadmap.app) as url,
        httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=120) as client,
    ):
        answers = list(itertools.chain(*await asyncio.gather(*(send(client) for _ in range(32)))))
    assert answers == [200] * 2_000
    rows = await roadmap.database.fetch("SELECT voter_id, feature_id FROM votes WHERE vote = 'up'")
    assert sorted((row["voter_id"], row["feature_id"]) for row in rows) == sorted(PAIRS)
    assert [await supporters(roadmap, f"idea-{number}") for number in range(10)] == [50] * 10
    assert await drift(roadmap) == []


async def test_votes_sent_again_and_again_over_kafka_are_one(tmp_path: Path) -> None:
    """The same 2,000 as events with ids of their own, in any order: 500 are stored and counted."""
    events: list[EventData] = [voted(idea, person, hours=again) for again in range(4) for person, idea in PAIRS]
    random.Random(5).shuffle(events)
    async with stage(load("roadmap"), tmp_path) as staged:
        publish(staged.settings, events, seed=5)
        await run_through(staged)
        assert await ask(staged, "SELECT count(*) FROM votes WHERE vote = 'up'") == 500
        assert await ask(staged, "SELECT array_agg(DISTINCT supporters) FROM ideas") == [50]
        assert await ask(staged, "SELECT count(*) FROM dead_letters") == 0
