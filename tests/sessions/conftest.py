"""The sessions service and somebody who works with it."""

from collections.abc import Awaitable, Callable

import pytest

from tests.sessions.examples import Desk
from tests.support.service import ServiceUnderTest


@pytest.fixture
async def sessions(start_service: Callable[[str], Awaitable[ServiceUnderTest]]) -> ServiceUnderTest:
    return await start_service("sessions")


@pytest.fixture
def desk(sessions: ServiceUnderTest) -> Desk:
    """A researcher's."""
    return Desk(sessions)
