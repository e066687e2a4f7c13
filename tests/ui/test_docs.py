"""The reference of an API as a page."""

from __future__ import annotations

import httpx
import pytest

from shared.ui.docs import Kind, kind, operations, schemas


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "uuid"}, Kind("string (uuid)")),
        ({"$ref": "#/components/schemas/Idea"}, Kind("Idea", "Idea")),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Idea"}}, Kind("list of Idea", "Idea")),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Kind("integer or null")),
        ({"enum": ["up", "down"], "type": "string"}, Kind("up | down")),
        ({"const": "v1"}, Kind("v1")),
        ({}, Kind("any")),
    ],
)
def test_types_are_words(schema: dict[str, object], expected: Kind) -> None:
    """A JSON Schema is said in words, with the name to look it up under."""
    assert kind(schema) == expected


def test_an_operation_without_a_tag_is_listed_too() -> None:
    """Endpoints are grouped by tag; one without is found under "Endpoints", and its own security wins."""
    paths = {"/a": {"get": {"responses": {}}, "post": {"responses": {}, "security": [], "tags": ["Write"]}}}
    groups = operations({"paths": paths, "security": [{"bearer": []}]})
    assert {tag: [(each.method, each.path, each.needs) for each in group] for tag, group in groups.items()} == {
        "Endpoints": [("GET", "/a", ["bearer"])],
        "Write": [("POST", "/a", [])],
    }


def test_schemas_need_not_be_there() -> None:
    """A document without components has no types."""
    assert schemas({}) == {}


async def test_the_page_shows_endpoints_types_and_who_may(client: httpx.AsyncClient) -> None:
    """The page holds endpoints, parameters, answers, needed scopes and types, all escaped."""
    text = (await client.get("/docs-page")).text
    for part in (
        '<code class="path">/ideas/{idea_id}</code>',
        "<code>idea_id</code>",
        "Needs bearer (roadmap:read)",
        "Open to everyone",
        '<a href="#schema-Idea">Idea</a>',
        "What people &lt;ask&gt; for.",
        "A sentence; at most 120 characters",
        '<a href="#schema-Tag">list of Tag</a>',
        "export, sharing",
        "deprecated",
    ):
        assert part in text
    assert "<script" not in text.partition("<body")[2]
