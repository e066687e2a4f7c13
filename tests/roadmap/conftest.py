"""A board and the identity provider of its customers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.conftest import listening
from tests.gateway.provider import Provider
from tests.roadmap.provided import CLAIMS, SCOPES, SITE, Board, board_of
from tests.support.infra import free_port


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """The customers' identity provider."""
    port = free_port()
    provider = Provider(f"http://127.0.0.1:{port}", in_id_token=CLAIMS)
    provider.register(SITE, scopes_to_claims=SCOPES)
    async with listening(provider.app, port):
        yield provider


@pytest.fixture
async def board(provider: Provider, tmp_path: Path) -> AsyncIterator[Board]:
    async with board_of(provider, tmp_path) as board:
        yield board
