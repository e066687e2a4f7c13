"""The endpoint as tutorials show it: FastAPI, one pydantic model, one transaction and one answer per vote.

It ends with the same rows as the service; it asks nobody who they are, tells no other system and writes no log.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from tests.bench.rivals.handler import Segment, Vote, count


class Asked(BaseModel):
    voter_id: str
    segment: Segment = Segment()


class Answer(BaseModel):
    feature_id: str
    supporters: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["EARSHOT_DATABASE_DSN"], max_size=10, server_settings={"search_path": "roadmap, public"}
    ) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    return {}


@app.post("/api/v1/ideas/{feature_id}/votes")
async def vote(feature_id: str, asked: Asked) -> Answer:
    cast = Vote(feature_id=feature_id, voter_id=asked.voter_id, voted_at=datetime.now(UTC), segment=asked.segment)
    async with app.state.pool.acquire() as connection, connection.transaction():
        await count(connection, cast)
        supporters = await connection.fetchval("SELECT supporters FROM ideas WHERE feature_id = $1", feature_id)
    return Answer(feature_id=feature_id, supporters=supporters)


if __name__ == "__main__":
    port = int(os.environ["EARSHOT_HTTP_PORT"])
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False)
