"""What answers without signing in is exactly what the one list says."""

from collections.abc import Awaitable, Callable

import pytest

from services import DEPLOYABLE, PUBLIC, PUBLIC_EVERYWHERE
from tests.support.routes import every_route, filled
from tests.support.service import ServiceUnderTest

StartService = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.mark.parametrize("name", DEPLOYABLE)
async def test_every_route_is_closed_but_those_listed(start_service: StartService, name: str) -> None:
    """Called without a token, a listed route does not ask to sign in and every other one does."""
    service = await start_service(name)
    routes = {
        f"{method} {route.path}"
        for route in every_route(service.app.routes)
        for method in route.methods or ()
        if method != "HEAD"
    }
    listed = PUBLIC_EVERYWHERE | PUBLIC.get(name, frozenset())
    assert listed - routes <= {"GET /openapi.json"}, "a listed route does not exist"
    for route in sorted(routes):
        method, path = route.split(" ")
        answer = await service.client.request(method, filled(path))
        assert (answer.status_code == 401) == (route not in listed), f"{route} answered {answer.status_code}"
