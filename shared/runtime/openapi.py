"""The OpenAPI document of a service: who may call what, and with which statuses it may be refused."""

from typing import Any

from fastapi import FastAPI

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in (
        (400, "Cannot be read"),
        (401, "Not signed in"),
        (403, "Not allowed for this role"),
        (404, "Does not exist"),
        (409, "In conflict with what is stored"),
        (413, "Too large"),
        (415, "Another media type is needed"),
        (422, "Invalid input"),
        (502, "The gateway does not reach the service; try again"),
        (503, "The database or another service is away; try again"),
    )
}

PROBLEM = {
    "title": "Problem",
    "description": "What was wrong and what to do, by RFC 9457.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "trace_id": {"type": "string", "description": "under which our logs tell more"},
    },
    "required": ["type", "title", "status", "detail", "instance", "trace_id"],
}

BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class Application(FastAPI):
    """FastAPI, with a document that tells public endpoints (`state.public`) from closed ones."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        components = document.setdefault("components", {})
        components["securitySchemes"] = {"bearer": BEARER}
        components.setdefault("schemas", {})["Problem"] = PROBLEM
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if f"{method.upper()} {path}" in self.state.public:
                    operation["security"] = []
                    del operation["responses"]["401"], operation["responses"]["403"]
                else:
                    operation["security"] = [{"bearer": []}]
        return document
