"""A request is done again when PostgreSQL undid its transaction for what another one did at the same time.

Of two transactions that wait for each other one is undone, so that the other can go on. What a look into the database
allowed may be against its constraints when it is written; who looks again sees why, and says so.
"""

import asyncpg
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

AT_THE_SAME_TIME = asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError
TIMES = 3
"""How often a request is done at most."""

_LEFT, _AGAIN = "earshot.times_left", "earshot.again"


def is_done_again(scope: Scope, error: Exception) -> bool:
    """Whether whatever is answered to the error will not be sent, as the request is done again."""
    scope[_AGAIN] = isinstance(error, AT_THE_SAME_TIME) and scope.get(_LEFT, 0) > 0
    if scope[_AGAIN]:
        log.info("request is done again", because=repr(error))
    return bool(scope[_AGAIN])


class DoneAgain:
    """Keeps what was read of a request, and does it once more instead of sending such an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read: list[Message] = []

        def from_the_start() -> Receive:
            before = read.copy()

            async def remembered() -> Message:
                if before:
                    return before.pop(0)
                read.append(await receive())
                return read[-1]

            return remembered

        async def answer(message: Message) -> None:
            if not scope[_AGAIN]:
                await send(message)

        for left in reversed(range(TIMES)):
            scope[_LEFT], scope[_AGAIN] = left, False
            await self._app(scope, from_the_start(), answer)
            if not scope[_AGAIN]:
                return
