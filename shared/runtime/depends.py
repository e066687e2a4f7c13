"""What endpoints ask for: the open transaction and the time."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from .database import Database, Transaction


async def _transaction(request: Request) -> AsyncIterator[Transaction]:
    database: Database = request.app.state.database
    async with database.transaction() as tx:
        yield tx


async def _now(request: Request) -> datetime:
    database: Database = request.app.state.database
    return database.clock()


# "function": the commit happens before the answer is sent, so a failed commit is never reported as a success.
Tx = Annotated[Transaction, Depends(_transaction, scope="function")]
Now = Annotated[datetime, Depends(_now)]
