"""What the OpenAPI documents of the services promise."""

from collections.abc import Awaitable, Callable

import pytest

from services import DEPLOYABLE, PUBLIC, PUBLIC_EVERYWHERE
from tests.support.service import ServiceUnderTest

StartService = Callable[[str], Awaitable[ServiceUnderTest]]


@pytest.mark.parametrize("name", DEPLOYABLE)
async def test_the_document_asks_for_a_token_where_the_service_does(start_service: StartService, name: str) -> None:
    """Every endpoint in the document needs a bearer token, but those that are listed as public."""
    service = await start_service(name)
    paths = (await service.client.get("/openapi.json")).json()["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            public = f"{method.upper()} {path}" in PUBLIC_EVERYWHERE | PUBLIC.get(name, frozenset())
            assert operation["security"] == ([] if public else [{"bearer": []}]), f"{method} {path}"


@pytest.mark.parametrize("name", DEPLOYABLE)
async def test_what_creates_may_be_repeated(start_service: StartService, name: str) -> None:
    """What answers 201 answers 200 in the same form when the same content is sent again, and says so."""
    service = await start_service(name)
    paths = (await service.client.get("/openapi.json")).json()["paths"]
    posts = [methods["post"]["responses"] for methods in paths.values() if "post" in methods]
    creating = [responses for responses in posts if "201" in responses]
    assert creating
    for responses in creating:
        assert responses["200"]["content"] == responses["201"]["content"]
