"""Waits until nothing goes on any more: all is consumed, all is published, and nothing changes."""

import asyncio
import time

import asyncpg

from tests.faults.checker import database
from tests.faults.checker.findings import Finding
from tests.faults.checker.log import Log

STILL_SECONDS = 5.0
CONSUMERS = {
    "earshot.demo-requested.v1": ("scheduling",),
    "earshot.interview-scheduled.v1": ("sessions",),
    "earshot.session-completed.v1": ("insights", "scheduling"),
    "earshot.insight-tagged.v1": ("roadmap", "kpi"),
    "earshot.feature-voted.v1": ("roadmap",),
    "earshot.feature-status-changed.v1": ("kpi", "insights", "scheduling"),
    "earshot.kpi-measured.v1": ("kpi", "roadmap"),
    "earshot.kpi-impact-assessed.v1": ("roadmap", "insights"),
}
Left = dict[str, int]


async def until_quiet(
    connection: "asyncpg.Connection[asyncpg.Record]", log: Log, prefix: str, patience: float
) -> list[Finding]:
    """Nothing, or what is still left after `patience` seconds."""
    deadline, last, since = time.monotonic() + patience, None, 0.0
    while time.monotonic() < deadline:
        ends = await asyncio.to_thread(log.ends)
        left = await _left(connection, ends, prefix)
        written = await connection.fetchval("SELECT coalesce(max(seq), 0) FROM faults.effects")
        now = (ends, left, written)
        if now != last:
            last, since = now, time.monotonic()
        if not left and time.monotonic() - since > STILL_SECONDS:
            return []
        await asyncio.sleep(0.5)
    left = last[1] if last else {}
    if not left:
        return [Finding("LEFT", "everywhere", f"it is not quiet after {patience:.0f} s, something still changes")]
    return [Finding("LEFT", where, f"{count} are still there after {patience:.0f} s") for where, count in left.items()]


async def _left(
    connection: "asyncpg.Connection[asyncpg.Record]", ends: dict[tuple[str, int], int], prefix: str
) -> Left:
    """Records that are not handled, scores that are due and events that are not published, by where they wait."""
    reached = await database.positions(connection, prefix)
    left = {
        f"{service} on {topic}/{partition}": end - reached.get((service, topic, partition), 0)
        for (topic, partition), end in ends.items()
        for service in CONSUMERS.get(topic, ())
    }
    left |= await database.waiting(connection)
    return {where: count for where, count in left.items() if count > 0}
