"""Scheduling with an empty database, and with a study that can be booked."""

from collections.abc import Awaitable, Callable

import pytest

from tests.scheduling.support import MIA, STUDY, post
from tests.support.service import ServiceUnderTest


@pytest.fixture
async def empty(start_service: Callable[[str], Awaitable[ServiceUnderTest]]) -> ServiceUnderTest:
    return await start_service("scheduling")


@pytest.fixture
async def scheduling(empty: ServiceUnderTest) -> ServiceUnderTest:
    """One open study of 45 minutes with a gap of 15; Mia is in on weekdays, 09:00 to 12:00 in Berlin."""
    await post(empty, "/studies", STUDY)
    await post(empty, "/hosts", MIA)
    return empty
