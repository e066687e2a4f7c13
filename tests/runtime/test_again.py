"""Requests whose transaction PostgreSQL undid for what another one did at the same time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from fastapi import APIRouter

from shared.runtime import Body, Researcher, Tx, conflict, inbox
from tests.runtime.tiny import tiny_service
from tests.support.service import ServiceUnderTest, service_under_test


class Locks:
    """Endpoints that get in each other's way, and what was asked of them."""

    def __init__(self) -> None:
        self.router = APIRouter(prefix="/api/v1")
        self.asked: list[tuple[int, int]] = []
        both_have_one = asyncio.Barrier(2)

        class Order(Body):
            first: int
            second: int

        @self.router.post("/locks")
        async def take(tx: Tx, _who: Researcher, body: Order) -> Order:
            is_new = (body.first, body.second) not in self.asked
            self.asked.append((body.first, body.second))
            await inbox.admit(tx.connection, [(str(uuid4()), f"{body.first} {body.second}")])
            await tx.connection.execute("SELECT pg_advisory_xact_lock($1)", body.first)
            if is_new:
                await both_have_one.wait()
            await tx.connection.execute("SELECT pg_advisory_xact_lock($1)", body.second)
            return body

        @self.router.post("/names/{name}")
        async def name(tx: Tx, _who: Researcher, name: str) -> str:
            if await tx.connection.fetch("SELECT FROM inbox WHERE source = $1", name):
                raise conflict("This name is taken.")
            if len(self.asked) < 2:
                self.asked.append((0, 0))
                await both_have_one.wait()
            await tx.connection.execute(
                "INSERT INTO inbox (id, source) VALUES ('00000000-0000-0000-0000-000000000000', $1)", name
            )
            return name

        @self.router.post("/never")
        async def never(_tx: Tx, _who: Researcher) -> None:
            self.asked.append((0, 0))
            raise asyncpg.DeadlockDetectedError("deadlock detected")


@pytest.fixture
def locks() -> Locks:
    return Locks()


@pytest.fixture
async def tiny(tmp_path: Path, locks: Locks) -> AsyncIterator[ServiceUnderTest]:
    service = replace(tiny_service(), routers=(locks.router,))
    async with service_under_test("kpi", tmp_path, service=service) as tested:
        yield tested


async def test_of_two_deadlocked_requests_both_are_answered(tiny: ServiceUnderTest, locks: Locks) -> None:
    """One is undone and done again, with the body that was sent once, and leaves its effect once."""
    orders = [{"first": 1, "second": 2}, {"first": 2, "second": 1}]
    answers = await asyncio.gather(
        *(tiny.client.post("/api/v1/locks", json=order, headers=tiny.headers()) for order in orders)
    )
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, order) for order in orders]
    assert len(locks.asked) == 3
    rows = await tiny.database.fetch("SELECT source FROM inbox ORDER BY source")
    assert [row["source"] for row in rows] == ["1 2", "2 1"]


async def test_whoever_was_a_moment_late_learns_why(tiny: ServiceUnderTest) -> None:
    """Both looked before either wrote: the second looks again, and is told of the rule instead of a constraint."""
    answers = await asyncio.gather(*(tiny.client.post("/api/v1/names/ana", headers=tiny.headers()) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_what_deadlocks_again_and_again_is_given_up(tiny: ServiceUnderTest, locks: Locks) -> None:
    """After three times the answer is to try again shortly."""
    answer = await tiny.client.post("/api/v1/never", headers=tiny.headers())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert len(locks.asked) == 3
