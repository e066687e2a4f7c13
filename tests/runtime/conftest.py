"""The smallest service there can be, running or yet to be run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runtime.tiny import tiny_service
from tests.support.running import Stage, stage


@pytest.fixture
async def staged(tmp_path: Path) -> AsyncIterator[Stage]:
    """Its database and topics; the test runs it, as often as it likes."""
    async with stage(tiny_service(), tmp_path) as made:
        yield made
