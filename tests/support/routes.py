"""The routes of an application, for tests that ask every one of them."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.routing import APIRoute


def every_route(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """Every endpoint, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from every_route(route.original_router.routes)


def filled(path: str) -> str:
    """The path with something in place of its parameters."""
    return "/".join(
        "00000000-0000-4000-8000-000000000000" if part.startswith("{") else part for part in path.split("/")
    )
