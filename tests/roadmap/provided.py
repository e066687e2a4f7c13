"""A board whose customers sign in by an identity provider, and the way there and back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.provider import CLIENT_ID, CLIENT_SECRET, Provider, fill_in
from tests.roadmap.events import add_idea
from tests.support.service import ServiceUnderTest, service_under_test

SITE = "http://test/roadmap"
CARA, PIA = "cara@customer.example", "pia@prospect.example"
CLAIMS = ("name", "email", "email_verified", "customer_id", "kind", "account", "segment")
SCOPES = {"openid": ["sub"], "profile": list(CLAIMS), "email": ["email"]}


@dataclass
class Board:
    """A board, and what the same browser does at the provider, which is elsewhere."""

    service: ServiceUnderTest
    provider: Provider
    web: httpx.AsyncClient

    async def leave(self, to: str = "/board") -> httpx.Response:
        """The provider's form, as a browser gets there from the board."""
        away = await self.service.client.get("/sign-in/company", params={"to": to})
        assert away.status_code == 303, away.text
        return await self.web.get(away.headers["location"])

    async def fill_in(self, name: str = CARA, to: str = "/board") -> str:
        """Sign in at the provider; gives the board's path that the browser is sent back to."""
        address = await fill_in(self.web, await self.leave(to), name)
        assert address.startswith(f"{SITE}/sign-in/callback?")
        return address.removeprefix(SITE)

    async def come_back(self, name: str = CARA, to: str = "/board") -> httpx.Response:
        """The whole way to the provider and back."""
        back = await self.service.client.get(await self.fill_in(name, to))
        self.web.cookies.clear()  # or the provider would know the browser next time
        return back

    @property
    def is_signed_in(self) -> bool:
        return "earshot_board" in self.service.client.cookies


@asynccontextmanager
async def board_of(provider: Provider, folder: Path, **changed: Any) -> AsyncIterator[Board]:
    """A board with two ideas that the provider knows."""
    told = {
        "board_oidc_issuer": provider.issuer,
        "board_oidc_client_id": CLIENT_ID,
        "board_oidc_client_secret": CLIENT_SECRET,
        "board_oidc_subject_claim": "customer_id",
        "board_oidc_name": "Example",
    }
    async with service_under_test("roadmap", folder, told=told | changed) as service, httpx.AsyncClient() as web:
        await add_idea(service, "export")
        await add_idea(service, "search")
        yield Board(service, provider, web)
