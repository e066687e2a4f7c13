"""A small application that shows the gallery, and a browser to look at it with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from shared.ui import redirect, shared_pages
from shared.ui.docs import docs_page
from shared.ui.gallery import router

OPENAPI = {
    "info": {"title": "Roadmap API", "version": "1"},
    "paths": {
        "/ideas/{idea_id}": {
            "get": {
                "tags": ["Ideas"],
                "summary": "One idea",
                "parameters": [{"name": "idea_id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {
                        "description": "The idea",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Idea"}}},
                    }
                },
                "security": [{"bearer": ["roadmap:read"]}],
            },
            "delete": {"responses": {"204": {"description": "Gone"}}, "deprecated": True},
        }
    },
    "components": {
        "schemas": {
            "Idea": {
                "type": "object",
                "description": "What people <ask> for.",
                "required": ["title"],
                "properties": {
                    "title": {"type": "string", "maxLength": 120, "description": "A sentence."},
                    "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
                    "votes": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 0},
                },
            },
            "Tag": {"type": "string", "enum": ["export", "sharing"]},
        }
    },
}


def make_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(GZipMiddleware)
    app.include_router(router)
    app.mount("/assets", shared_pages().assets.app)

    @app.middleware("http")
    async def signed_in(request: Request, call_next: object) -> Response:
        if "role" in request.query_params:
            request.state.principal = SimpleNamespace(subject="Mara", shown="Mara", role=request.query_params["role"])
        return await call_next(request)  # type: ignore[operator,no-any-return]

    @app.get("/refused")
    async def refused(request: Request) -> Response:
        detail = "Only researchers read interviews."
        return shared_pages().render_error(request, 403, "Not for everyone", detail, "4bf92f35", role="researcher")

    @app.get("/sign-in")
    async def sign_in(request: Request, oidc: str | None = None) -> Response:
        return shared_pages().render(request, "signin.html", oidc_url=oidc, how=None)

    @app.get("/docs-page")
    async def docs(request: Request) -> Response:
        return docs_page(request, OPENAPI)

    @app.get("/said")
    async def said(request: Request, text: str, to: str = "/ui/public") -> Response:
        return redirect(request, to, text)

    return app


@pytest.fixture
def app() -> FastAPI:
    return make_app()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://earshot.test") as client:
        yield client


@pytest.fixture(scope="session")
async def site() -> AsyncIterator[str]:
    """The address of the running gallery."""
    listening = socket.create_server(("127.0.0.1", 0))  # open from now on: early visitors wait in its queue
    server = uvicorn.Server(uvicorn.Config(make_app(), log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving
