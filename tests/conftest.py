"""Starts the infrastructure once for all workers and gives every test services of its own."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser

from shared.runtime.serve import look_for_cycles_seldom
from tests.support.browser import CHROMIUM, launched
from tests.support.infra import Infrastructure
from tests.support.platform import Platform, free_block
from tests.support.service import ServiceUnderTest, service_under_test

_infrastructure = Infrastructure()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        _infrastructure.start()


def pytest_collection_finish() -> None:
    """What the collection made stays to the end: looking for cycles among it took a fifth of all tests' time."""
    look_for_cycles_seldom()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        _infrastructure.stop()


@pytest.fixture
async def start_service(tmp_path: Path) -> AsyncIterator[Callable[[str], Awaitable[ServiceUnderTest]]]:
    """Starts the named service with an empty database."""
    async with AsyncExitStack() as stack:

        async def start(name: str) -> ServiceUnderTest:
            return await stack.enter_async_context(service_under_test(name, tmp_path))

        yield start


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real input no one here wrote; tests that use it say so and skip where it is absent."""
    folder = Path(os.environ.get("EARSHOT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real data is not here; set EARSHOT_DATA")
    return folder


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform; tests that use it are in the group `platform`, so that one worker starts it, once."""
    folder: Path = tmp_path_factory.mktemp("platform")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # as root the database runs as somebody else, who must get to its folder
    made = Platform(folder / "home", free_block())
    made.earshot("up", "--no-demo")
    yield made
    made.end()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Function, nextitem: pytest.Function | None) -> None:
    """After its last test the platform goes at once: a dozen processes without work still take the others' time."""
    wanted = nextitem is not None and "platform" in nextitem.fixturenames
    if isinstance(made := item.funcargs.get("platform"), Platform) and not wanted:
        made.end()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if shutil.which(CHROMIUM) is None and os.environ.get("CI") != "true":
        pytest.skip(f"there is no browser at {CHROMIUM}; install chromium or set CHROMIUM")
    async with launched() as browser:
        yield browser
