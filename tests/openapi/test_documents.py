"""The OpenAPI documents before a linter that is not ours."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from services import DEPLOYABLE
from tests.contract.programs import run_node
from tests.support.service import ServiceUnderTest

REDOCLY = Path("@redocly/cli/bin/cli.js")
StartService = Callable[[str], Awaitable[ServiceUnderTest]]


def problems(document: dict[str, Any], folder: Path) -> list[str]:
    """What Redocly's recommended rules find, warnings included."""
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    said = json.loads(
        run_node(REDOCLY, "lint", str(file), "--extends=recommended", "--format=json", succeeds=False) or "null"
    )
    return [f"{each['ruleId']}: {each['message']}" for each in said["problems"]]


@pytest.mark.parametrize("name", DEPLOYABLE)
async def test_the_document_of_a_service_is_clean(start_service: StartService, name: str, tmp_path: Path) -> None:
    """Redocly's recommended rules find neither an error nor a warning."""
    service = await start_service(name)
    assert problems((await service.client.get("/openapi.json")).json(), tmp_path) == []


async def test_the_linter_sees_what_is_wrong(start_service: StartService, tmp_path: Path) -> None:
    """A document without servers, and with a reference to nothing, is not clean."""
    document = (await (await start_service("kpi")).client.get("/openapi.json")).json()
    del document["servers"], document["components"]["schemas"]["Problem"]
    found = problems(document, tmp_path)
    assert any(line.startswith("no-empty-servers") for line in found)
    assert any(line.startswith("no-unresolved-refs") for line in found)
