"""A service's reference for other systems: its OpenAPI document as one page, without a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.ui.pages import Pages, shared_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request
    from starlette.responses import HTMLResponse

Json = dict[str, Any]
METHODS = {"get": "info", "post": "good", "put": "warn", "patch": "warn", "delete": "bad"}


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value in words, and the schema to look it up under, if it has a name."""

    text: str
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter of an endpoint or one property of a schema."""

    name: str
    place: str
    kind: Kind
    required: bool
    note: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint: what it takes, what it answers, whom it lets in (empty: everyone)."""

    method: str
    tone: str
    path: str
    summary: str
    description: str
    parameters: list[Row]
    body: list[tuple[str, Kind]]
    answers: list[tuple[str, str, Kind | None]]
    needs: list[str]
    deprecated: bool


def docs_page(request: Request, openapi: Json, pages: Pages | None = None) -> HTMLResponse:
    """Return the reference page of an OpenAPI 3 document; `pages` of a service marks it in the navigation."""
    context = {"info": openapi["info"], "groups": operations(openapi), "schemas": schemas(openapi)}
    return (pages or shared_pages()).render(request, "docs.html", **context)


def operations(openapi: Json) -> dict[str, list[Operation]]:
    """Return the endpoints by tag, in the document's order; those without one under "Endpoints"."""
    groups: dict[str, list[Operation]] = {}
    for path, item in openapi.get("paths", {}).items():
        for method in METHODS.keys() & item.keys():
            operation = item[method]
            tag = str((operation.get("tags") or ["Endpoints"])[0])
            security = operation.get("security", openapi.get("security", []))
            groups.setdefault(tag, []).append(_operation(path, method, item, security))
    return {tag: sorted(group, key=lambda each: (each.path, each.method)) for tag, group in groups.items()}


def schemas(openapi: Json) -> dict[str, tuple[str, list[Row]]]:
    """Return each named schema's description and properties, by name."""
    named = openapi.get("components", {}).get("schemas", {})
    return {name: (schema.get("description", ""), list(_properties(schema))) for name, schema in sorted(named.items())}


def _operation(path: str, method: str, item: Json, security: list[Mapping[str, list[str]]]) -> Operation:
    operation = item[method]
    parameters = [
        Row(each["name"], each["in"], kind(each.get("schema", {})), each.get("required", False), _note(each))
        for each in [*item.get("parameters", []), *operation.get("parameters", [])]
        if "name" in each
    ]
    body = operation.get("requestBody", {}).get("content", {})
    return Operation(
        method=method.upper(),
        tone=METHODS[method],
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        parameters=parameters,
        body=[(media, kind(content.get("schema", {}))) for media, content in body.items()],
        answers=list(_answers(operation.get("responses", {}))),
        needs=[" and ".join(_needed(each)) for each in security if each],
        deprecated=operation.get("deprecated", False),
    )


def _answers(responses: Json) -> Iterator[tuple[str, str, Kind | None]]:
    for status, response in responses.items():
        described = [content["schema"] for content in response.get("content", {}).values() if content.get("schema")]
        yield status, response.get("description", ""), kind(described[0]) if described else None


def _needed(requirement: Mapping[str, list[str]]) -> Iterator[str]:
    for scheme, scopes in requirement.items():
        yield f"{scheme} ({', '.join(scopes)})" if scopes else scheme


def _properties(schema: Json) -> Iterator[Row]:
    required = schema.get("required", [])
    for name, each in schema.get("properties", {}).items():
        yield Row(name, "", kind(each), name in required, _note(each))
    if "enum" in schema:
        yield Row("one of", "", Kind(", ".join(map(str, schema["enum"]))), required=True, note="")


def _note(described: Json) -> str:
    """Join what is said about a value: its description, default and bounds."""
    schema = described.get("schema", described)
    notes = [described.get("description", "")]
    notes += [f"default {schema['default']}"] if schema.get("default") is not None else []
    bounds = {"minimum": "at least", "maximum": "at most", "minLength": "at least", "maxLength": "at most"}
    for key, words in bounds.items():
        if key in schema:
            notes.append(f"{words} {schema[key]}{' characters' if 'Length' in key else ''}")
    return "; ".join(note.removesuffix(".") for note in notes if note)


def kind(schema: Json) -> Kind:
    """Return a schema's type in words: "string (uuid)", "list of Idea", "integer or null"."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Kind(name, name)
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        kinds = [kind(choice) for choice in choices]
        named = [each.schema for each in kinds if each.schema]
        return Kind(" or ".join(each.text for each in kinds), named[0] if named else None)
    if schema.get("type") == "array":
        items = kind(schema.get("items", {}))
        return Kind(f"list of {items.text}", items.schema)
    if "enum" in schema or "const" in schema:
        return Kind(" | ".join(map(str, schema.get("enum", [schema.get("const")]))))
    detail = f" ({schema['format']})" if "format" in schema else ""
    return Kind(f"{schema.get('type', 'any')}{detail}")
