"""Calls that come at the same time share one transaction, so that what a transaction costs is paid once for all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Generic, TypeVar

from fastapi import Request

from .database import Database, Transaction

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 200
GATHERING_SECONDS = 0.003

Work = Callable[[Transaction, Sequence[T]], Awaitable[Sequence[R | Exception]]]
"""Does what is asked of it in the open transaction and answers in the same order; a refusal is an answer, too."""


class Together(Generic[T, R]):
    """What an endpoint depends on: `Annotated[Callable[[T], Awaitable[R]], Depends(Together(work))]`.

    A call by itself begins at once, and what comes meanwhile goes together into the next transaction. As many as went
    together are waited for, but only for a moment: who is answered together asks again together. An answer is given
    after the commit. When a transaction fails, each call of it gets one of its own, so that nobody bears another's
    fault.
    """

    def __init__(self, work: Work[T, R]) -> None:
        self._work = work

    async def __call__(self, request: Request) -> Callable[[T], Awaitable[R]]:
        state = request.app.state
        running: dict[object, _Running[T, R]] = state.together
        if self not in running:
            running[self] = _Running(state.database, self._work)
        return running[self]


class _Running(Generic[T, R]):
    def __init__(self, database: Database, work: Work[T, R]) -> None:
        self._database, self._work = database, work
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None
        self._expected, self._all_here = 1, asyncio.Event()

    async def __call__(self, item: T) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None or self._task.done():
            # Not in the context of whoever happens to come first: it serves the others, too.
            self._task = asyncio.create_task(self._go_on(), context=Context())
        if len(self._waiting) >= self._expected:
            self._all_here.set()
        return await answer

    async def _go_on(self) -> None:
        while self._waiting:
            await self._gather()
            taken, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._expected = len(taken)
            try:
                await self._do(taken)
            except Exception as fault:  # noqa: BLE001 - whoever asked is told, each on their own
                for pair in taken:
                    await self._do_alone(pair, fault, is_only=len(taken) == 1)

    async def _gather(self) -> None:
        self._all_here.clear()
        if len(self._waiting) < self._expected:
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHERING_SECONDS):
                    await self._all_here.wait()

    async def _do_alone(self, pair: tuple[T, asyncio.Future[R]], fault: Exception, *, is_only: bool) -> None:
        try:
            if is_only:
                raise fault
            await self._do([pair])
        except Exception as own:  # noqa: BLE001 - the caller's to answer
            with suppress(asyncio.InvalidStateError):  # the caller has left
                pair[1].set_exception(own)

    async def _do(self, taken: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        async with self._database.transaction() as tx:
            found = await self._work(tx, [item for item, _ in taken])
        for (_, answer), result in zip(taken, found, strict=True):
            with suppress(asyncio.InvalidStateError):  # the caller has left; it is done all the same
                if isinstance(result, Exception):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)
