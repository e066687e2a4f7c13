"""What the store's functions work on: one connection with an open transaction."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Connection = Any

T = TypeVar("T")


def made(kind: type[T], row: asyncpg.Record) -> T:
    """A record of this kind; columns of a later release are passed over."""
    return kind(**{field.name: row[field.name] for field in fields(kind)})  # type: ignore[arg-type] # a dataclass
