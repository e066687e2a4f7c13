"""Errors as RFC 9457 problem details for programs, and as a page for people."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry import trace
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from shared.contract.envelope import in_words
from shared.ui import Pages
from shared.ui.forms import sentence
from shared.ui.sentences import Sentence
from shared.ui.words import marked

from .again import is_done_again
from .errors import Problem, Rejected, is_bad_data, is_transient

log = structlog.get_logger(__name__)

PHRASES = (
    marked("Bad Request"),
    marked("Unauthorized"),
    marked("Forbidden"),
    marked("Not Found"),
    marked("Method Not Allowed"),
    marked("Conflict"),
    marked("Request Entity Too Large"),
    marked("Unprocessable Entity"),
    marked("Too Many Requests"),
    marked("Internal Server Error"),
    marked("Service Unavailable"),
)
"""What HTTP calls its refusals, for the catalogue."""

CLIENT_CLOSED_REQUEST = 499
"""Nobody reads it; nginx's number, for the metrics."""

MOST_TOLD = 5
"""Faults of one address; whoever mends these is told the next ones."""


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


def route_of(scope: Scope) -> str:
    """The route's template for logs and metrics: the address itself may hold a visitor's token."""
    return getattr(scope.get("route"), "path", "unmatched")


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
    handle(HTTPException, refusal)
    handle(ClientDisconnect, _gone)
    handle(RequestValidationError, _invalid)
    handle(Rejected, lambda request, error: answer(request, 422, Sentence("Cannot be processed"), error.args[0]))
    handle(asyncpg.PostgresError, _database)
    handle(OSError, _database)
    handle(asyncpg.InterfaceError, _database)


async def answer_to(request: Request, error: Exception) -> Response:
    """What the application answers to the error; raises it where that is nothing."""
    handlers = request.app.exception_handlers
    for kind in type(error).__mro__:
        if kind in handlers:
            answered: Response = await handlers[kind](request, error)
            return answered
    raise error


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(request, error.status, error.title, error.detail, kind=error.kind)


def refusal(request: Request, error: Exception) -> Response:
    """The answer to what Starlette and FastAPI refuse by themselves."""
    assert isinstance(error, HTTPException)
    title = Sentence(HTTPStatus(error.status_code).phrase)
    detail = error.detail
    if detail == title:
        detail = Sentence("%(method)s %(path)s: %(title)s.", method=request.method, path=request.url.path, title=title)
    response = answer(request, error.status_code, title, detail)
    response.headers.update(error.headers or {})
    return response


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if wants_page(request):
        said = [f"{one['loc'][-1]}: {sentence(one)}" for one in error.errors()[:MOST_TOLD]]
        return answer(request, 422, Sentence("Invalid input"), " ".join(said))
    return answer(request, 422, "Invalid input", in_words(error.errors()))


def _gone(request: Request, _error: Exception) -> Response:
    log.info("the client went away while it sent", method=request.method, route=route_of(request.scope))
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def _database(request: Request, error: Exception) -> Response:
    if is_done_again(request.scope, error):
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
    if is_bad_data(error):
        detail = Sentence("The database refused the values: %(why)s", why=error.args[0])
        return answer(request, 422, Sentence("Invalid input"), detail)
    if is_transient(error):
        log.warning("request failed for want of the database", because=repr(error))
        response = answer(
            request, 503, Sentence("Try again shortly"), Sentence("The database cannot be reached right now.")
        )
        response.headers["Retry-After"] = "2"
        return response
    return unexpected(request, error)


def unexpected(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours, which is logged once."""
    log.error("request failed", route=route_of(request.scope), exc_info=error)
    detail = Sentence("Something broke on our side; it has been logged under this trace id.")
    return answer(request, 500, Sentence("Our fault"), detail)
