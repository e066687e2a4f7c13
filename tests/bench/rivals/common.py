"""Where a rival finds Kafka, its topic and the database."""

import asyncio
import os
from collections.abc import Coroutine

import asyncpg
import uvloop

BOOTSTRAP = os.environ["EARSHOT_KAFKA_BOOTSTRAP"]
TOPIC = os.environ["EARSHOT_TOPIC_PREFIX"] + "earshot.feature-voted.v1"
BATCH = int(os.environ.get("EARSHOT_BATCH_RECORDS", "1250"))


async def connect() -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(os.environ["EARSHOT_DATABASE_DSN"], server_settings={"search_path": "roadmap, public"})


def run(main: Coroutine[object, object, None]) -> None:
    """On uvloop, as the service."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
