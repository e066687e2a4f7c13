"""Dead letters over HTTP: look at them, replay them, discard them with a reason."""

import base64
from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from shared.contract.types import Paragraph

from . import dead_letters
from .auth import Admin
from .batches import Batches
from .bodies import Body, Limit
from .depends import Tx
from .errors import Rejected, conflict, not_found, unprocessable

router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"])


class DeadLetter(BaseModel):
    """A record that could not be handled, and what became of it."""

    id: UUID
    topic: str
    partition: int
    offset: int
    event_id: str | None
    event_type: str | None
    reason: str
    received_at: datetime
    state: Literal["open", "replayed", "discarded"]
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


class WholeDeadLetter(DeadLetter):
    """With the record as it came; key and value in base64, header values too."""

    key: str | None
    value: str | None
    headers: list[tuple[str, str | None]]


class Discard(Body):
    reason: Paragraph


@router.get("", summary="Dead letters, oldest first")
async def dead_letter_list(
    tx: Tx,
    _who: Admin,
    state: Literal["open", "replayed", "discarded"] = "open",
    limit: Limit = 100,
) -> list[DeadLetter]:
    return [DeadLetter.model_validate(row) for row in await dead_letters.page(tx.connection, state=state, limit=limit)]


@router.get("/{identifier}", summary="One dead letter with its record")
async def dead_letter(identifier: UUID, tx: Tx, _who: Admin) -> WholeDeadLetter:
    row = await dead_letters.find(tx.connection, identifier)
    if row is None:
        raise not_found("dead letter", str(identifier))
    return WholeDeadLetter.model_validate(row | {"key": _base64(row["key"]), "value": _base64(row["value"])})


@router.post("/{identifier}/replay", summary="Handle the record again, once")
async def replay(identifier: UUID, request: Request, tx: Tx, who: Admin) -> DeadLetter:
    row = await _open_letter(tx, identifier)
    batches: Batches = request.app.state.consumer.batches
    try:
        await batches.replay(tx, dead_letters.record_of(row))
    except Rejected as still:
        raise unprocessable(f"It still cannot be handled: {still}") from None
    await dead_letters.close(tx.connection, identifier, state="replayed", by=who.subject, note=None, now=tx.now)
    return DeadLetter.model_validate(await dead_letters.find(tx.connection, identifier))


@router.post("/{identifier}/discard", summary="Put the record away for good, saying why")
async def discard(identifier: UUID, body: Discard, tx: Tx, who: Admin) -> DeadLetter:
    await _open_letter(tx, identifier)
    await dead_letters.close(tx.connection, identifier, state="discarded", by=who.subject, note=body.reason, now=tx.now)
    return DeadLetter.model_validate(await dead_letters.find(tx.connection, identifier))


async def _open_letter(tx: Tx, identifier: UUID) -> dict[str, object]:
    row = await dead_letters.find(tx.connection, identifier)
    if row is None:
        raise not_found("dead letter", str(identifier))
    if row["state"] != "open":
        raise conflict(f"This dead letter was {row['state']} by {row['closed_by']} already.")
    return row


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
