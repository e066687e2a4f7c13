"""The suite is itself on trial: it must notice the promise being broken on purpose."""

import sys
from pathlib import Path

import pytest

from tests.faults.ground import Ground
from tests.faults.proof import MUTATIONS, prove

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_broken_promise_is_noticed(shaky_ground: Ground, tmp_path: Path, mutation: str) -> None:
    """Without the inbox effects come twice; with the position or the delete committed first, they are lost."""
    found = await prove(shaky_ground, tmp_path, mutation, seed=7, say=lambda line: print(line, file=sys.stderr))  # noqa: T201
    assert MUTATIONS[mutation].word in found.words, f"{mutation}: {found}"
