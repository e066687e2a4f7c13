"""The connection that statements run on."""

from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    Row = asyncpg.Record
    Connection = asyncpg.Connection[Row] | asyncpg.pool.PoolConnectionProxy[Row]
else:
    Row = asyncpg.Record
    Connection = Any
