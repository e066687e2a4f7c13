"""Errors as RFC 9457 problem details for programs, and as a page for people."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry import trace
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from shared.ui import Pages

from .errors import Problem, Rejected, is_bad_data, is_transient

log = structlog.get_logger(__name__)


def answer(request: Request, status: int, title: str, detail: str, *, kind: str = "about:blank") -> Response:
    """A page where a person reads it, problem+json everywhere else."""
    trace_id = trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    if wants_page(request):
        pages: Pages = request.app.state.pages
        page = pages.render_error(request, status, title, detail, trace_id)
        page.headers.update(headers)
        return page
    body = {"type": kind, "title": title, "status": status, "detail": detail, "instance": request.url.path}
    return JSONResponse(body | {"trace_id": trace_id}, status, media_type="application/problem+json", headers=headers)


def wants_page(request: Request) -> bool:
    return "/api/" not in request.url.path and "text/html" in request.headers.get("accept", "")


def install(app: FastAPI) -> None:
    """Every failure of a request becomes one of these answers."""

    def handle(
        kind: type[Exception], status_of: Callable[[Request, Exception], Response]
    ) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def handler(request: Request, error: Exception) -> Response:
            return status_of(request, error)

        app.add_exception_handler(kind, handler)
        return handler

    handle(Problem, _problem)
    handle(HTTPException, _http)
    handle(RequestValidationError, _invalid)
    handle(Rejected, lambda request, error: answer(request, 422, "Cannot be processed", str(error)))
    handle(asyncpg.PostgresError, _database)
    handle(OSError, _database)
    handle(asyncpg.InterfaceError, _database)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(request, error.status, error.title, error.detail, kind=error.kind)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != title else f"{request.method} {request.url.path}: {title.lower()}."
    response = answer(request, error.status_code, title, str(detail))
    response.headers.update(error.headers or {})
    return response


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | ValidationError)
    found = error.errors()
    places = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in found[:5]]
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""  # noqa: PLR2004 - the five named above
    return answer(request, 422, "Invalid input", "; ".join(places) + more)


def _database(request: Request, error: Exception) -> Response:
    if is_bad_data(error):
        return answer(request, 422, "Invalid input", f"The database refused the values: {error.args[0]}")
    if is_transient(error):
        log.warning("request failed for want of the database", because=repr(error))
        response = answer(request, 503, "Try again shortly", "The database cannot be reached right now.")
        response.headers["Retry-After"] = "2"
        return response
    return unexpected(request, error)


def unexpected(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours, which is logged once."""
    log.error("request failed", path=request.url.path, exc_info=error)
    return answer(request, 500, "Our fault", "Something broke on our side; it has been logged under this trace id.")
