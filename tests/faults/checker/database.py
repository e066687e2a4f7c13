"""Reads the services' schemas, in one read-only snapshot, as the administrator."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from tests.faults.checker.evidence import Effect, Letter

SERVICES = ("scheduling", "sessions", "insights", "roadmap", "kpi")

ROWS = {
    "roadmap.priorities": "SELECT feature_id, version, score FROM roadmap.priorities",
    "roadmap.ideas": "SELECT feature_id, supporters FROM roadmap.ideas",
    "roadmap.support_counts": (
        "SELECT feature_id, sum(people)::integer AS people FROM roadmap.support_counts GROUP BY feature_id"
    ),
    "kpi.impacts": "SELECT feature_id, kpi_id, version FROM kpi.impacts",
    "roadmap.impacts": "SELECT feature_id, kpi_id, version FROM roadmap.impacts",
    "insights.impacts": "SELECT feature_id, kpi_id, version FROM insights.impacts",
    "scheduling.interviews": "SELECT interview_id, request_id FROM scheduling.interviews",
    "scheduling.requests": "SELECT request_id, state FROM scheduling.requests",
    "scheduling.held_sessions": "SELECT session_id FROM scheduling.held_sessions",
}

Rows = dict[str, Sequence[Mapping[str, Any]]]


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(dsn, server_settings={"default_transaction_read_only": "on", "timezone": "UTC"})


async def rows(connection: "asyncpg.Connection[asyncpg.Record]") -> Rows:
    return {name: [dict(row) for row in await connection.fetch(query)] for name, query in ROWS.items()}


async def effects(connection: "asyncpg.Connection[asyncpg.Record]") -> list[Effect]:
    found = await connection.fetch("SELECT service, relation, entity, mark FROM faults.effects ORDER BY seq")
    return [Effect(*row) for row in found]


async def letters(connection: "asyncpg.Connection[asyncpg.Record]", prefix: str) -> list[Letter]:
    found = []
    for service in SERVICES:
        for row in await connection.fetch(
            f'SELECT id, topic, partition, "offset", key, value, headers, reason FROM {service}.dead_letters'  # noqa: S608
        ):
            headers = tuple(
                (name, None if content is None else base64.b64decode(content))
                for name, content in json.loads(row["headers"])
            )
            found.append(
                Letter(
                    service=service,
                    identifier=str(row["id"]),
                    topic=row["topic"].removeprefix(prefix),
                    partition=row["partition"],
                    offset=row["offset"],
                    key=row["key"],
                    value=row["value"],
                    headers=headers,
                    reason=row["reason"],
                )
            )
    return found


async def waiting(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
    """How many events wait in each service's outbox, and how many ideas for their score."""
    relations = [*(f"{name}.outbox" for name in SERVICES), "roadmap.due"]
    return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in relations}  # noqa: S608


async def positions(connection: "asyncpg.Connection[asyncpg.Record]", prefix: str) -> dict[tuple[str, str, int], int]:
    """The offset each service goes on from, by service, topic and partition."""
    found = {}
    for service in SERVICES:
        query = f"SELECT topic, partition, next_offset FROM {service}.consumer_positions"  # noqa: S608
        for topic, partition, offset in await connection.fetch(query):
            found[service, topic.removeprefix(prefix), partition] = offset
    return found
