"""One broker and one database of the suite's own, since its tests kill them."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.ground import Ground, ground


@pytest.fixture(scope="session")
async def shaky_ground() -> AsyncIterator[Ground]:
    async with ground() as made:
        yield made
