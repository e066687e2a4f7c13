"""Installations of their own: a state folder in a temporary place and ports nobody uses."""

import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.paths import Home
from deploy.local.processes import Processes


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "home")
    place.create()
    return place


@pytest.fixture
def processes(home: Home) -> Iterator[Processes]:
    started = Processes(home)
    yield started
    started.stop([record.stem for record in home.run.glob("*.json")], patience=1)


@pytest.fixture
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return find


@pytest.fixture
def free_block() -> Callable[[], int]:
    """Finds thirteen free ports in a row, below those the system hands out."""

    def find() -> int:
        while True:
            base = random.randrange(10_000, 30_000)
            if all(is_free(port) for port in range(base, base + 13)):
                return base

    return find


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
