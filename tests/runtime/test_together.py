"""Calls that share a transaction: each gets its own answer, whatever becomes of the others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.runtime import Transaction, inbox, together
from shared.runtime.errors import Problem, conflict
from shared.runtime.together import Together
from tests.runtime.tiny import tiny_service
from tests.support.running import until
from tests.support.service import ServiceUnderTest, service_under_test


class Squares:
    """Squares numbers in the database; 13 is refused, 7 spoils its transaction."""

    def __init__(self) -> None:
        self.taken: list[list[int]] = []

    async def __call__(self, tx: Transaction, numbers: Sequence[int]) -> list[int | Problem]:
        self.taken.append(list(numbers))
        await inbox.admit(tx.connection, [("00000000-0000-0000-0000-000000000000", str(number)) for number in numbers])
        if 7 in numbers:
            raise ValueError("seven is not squared")
        return [conflict("thirteen") if number == 13 else number * number for number in numbers]


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as service:
        yield service


@pytest.fixture
def squares() -> Squares:
    return Squares()


async def _has(squares: Squares) -> bool:
    return bool(squares.taken)


async def asked(tiny: ServiceUnderTest, work: Squares) -> Callable[[int], Any]:
    state = SimpleNamespace(database=tiny.database, together={})
    request: Any = SimpleNamespace(app=SimpleNamespace(state=state))
    return await Together(work)(request)


async def stored(tiny: ServiceUnderTest) -> list[int]:
    rows = await tiny.database.fetch("SELECT source FROM inbox")
    return sorted(int(row["source"]) for row in rows)


async def test_what_comes_during_a_transaction_shares_the_next(tiny: ServiceUnderTest, squares: Squares) -> None:
    """The first call waits for nobody; the others, who came meanwhile, are done together, each with its own answer."""
    cast = await asked(tiny, squares)
    answers = [asyncio.ensure_future(cast(1))]
    await until(lambda: _has(squares), what="the first call to begin")
    answers += [asyncio.ensure_future(cast(number)) for number in (2, 3, 4)]
    assert await asyncio.gather(*answers) == [1, 4, 9, 16]
    assert squares.taken == [[1], [2, 3, 4]]
    assert await stored(tiny) == [1, 2, 3, 4]


async def test_a_refusal_is_the_answer_of_one(tiny: ServiceUnderTest, squares: Squares) -> None:
    """Who is refused hears why; the others of the same transaction are counted."""
    cast = await asked(tiny, squares)
    found = await asyncio.gather(cast(12), cast(13), cast(14), return_exceptions=True)
    assert (found[0], found[2]) == (144, 196)
    assert isinstance(found[1], Problem)
    assert found[1].detail == "thirteen"


async def test_who_spoils_a_transaction_spoils_only_their_own(tiny: ServiceUnderTest, squares: Squares) -> None:
    """After a fault each call has a transaction of its own: only the one at fault fails, and leaves nothing behind."""
    cast = await asked(tiny, squares)
    found = await asyncio.gather(cast(6), cast(7), cast(8), return_exceptions=True)
    assert (found[0], found[2]) == (36, 64)
    assert isinstance(found[1], ValueError)
    assert await stored(tiny) == [6, 8]


async def test_a_caller_who_leaves_holds_up_nobody(tiny: ServiceUnderTest, squares: Squares) -> None:
    """A request that was given up is done all the same, and those beside it are answered."""
    cast = await asked(tiny, squares)
    leaver, other = asyncio.ensure_future(cast(2)), asyncio.ensure_future(cast(3))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await other == 9
    assert await stored(tiny) == [2, 3]


async def test_those_who_went_together_go_together_again(tiny: ServiceUnderTest, squares: Squares) -> None:
    """Who is answered at the same time asks again at the same time, and is not split by the first to ask."""
    cast = await asked(tiny, squares)
    await asyncio.gather(*(cast(number) for number in (1, 2, 3)))
    late = asyncio.ensure_future(cast(4))
    await asyncio.sleep(0)
    await asyncio.gather(cast(5), cast(6), late)
    assert squares.taken == [[1, 2, 3], [4, 5, 6]]


async def test_nobody_waits_long_for_who_does_not_come(
    tiny: ServiceUnderTest, squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes alone after many is served after a moment, and then at once."""
    monkeypatch.setattr(together, "GATHERING_SECONDS", 0.2)
    cast = await asked(tiny, squares)
    await asyncio.gather(*(cast(number) for number in (1, 2, 3)))
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await cast(4) == 16
    assert loop.time() - began >= 0.2
    monkeypatch.setattr(together, "GATHERING_SECONDS", 3600)
    assert await cast(5) == 25
