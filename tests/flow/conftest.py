"""One platform for all flow tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.platform import Platform, free_block


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder: Path = tmp_path_factory.mktemp("platform")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)  # as root the database runs as somebody else, who must get to its folder
    made = Platform(folder / "home", free_block())
    made.earshot("up", "--no-demo")
    yield made
    made.earshot("down", "--erase")
