"""What services do by themselves, as they do it: on a database, until they are stopped."""

import asyncio
from pathlib import Path

import pytest

from services import DEPLOYABLE
from shared.runtime.jobs import name_of
from shared.runtime.serve import load
from shared.runtime.service import Work
from shared.runtime.telemetry import Metrics
from tests.support.service import service_under_test

JOBS = [(name, index) for name in DEPLOYABLE for index, _ in enumerate(load(name).jobs)]


@pytest.mark.parametrize(
    ("name", "index"), JOBS, ids=[f"{name}: {name_of(load(name).jobs[index])}" for name, index in JOBS]
)
async def test_a_job_goes_on_until_it_is_stopped(name: str, index: int, tmp_path: Path) -> None:
    """No job ends or fails by itself: what fails is begun anew for ever, and nobody but a log line tells."""
    async with service_under_test(name, tmp_path) as service:
        job = service.app.state.service.jobs[index]
        work = Work(service.database, service.app.state.settings, Metrics())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await job(work)
