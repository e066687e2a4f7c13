"""Endpoints that many call at once: what is plain is answered before FastAPI's way begins, all else takes that way."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import problems
from .auth.principals import authenticate

Handle = Callable[[Request], Coroutine[Any, Any, Response | None]]

JSON = "application/json"
PLAIN = (b"content-type", JSON.encode())


class Direct(APIRoute):
    """What an `APIRouter` takes as its `route_class`: an endpoint of path parameters, a JSON body, and dependencies.

    Each dependency is a coroutine function of the request. FastAPI documents the endpoint, and answers where something
    is wrong with the request, so that answers are the same; its way costs several times what an endpoint does.

    Raises:
        TypeError: the endpoint asks for more than what is read here.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(path, endpoint, **options)
        self.handle_plain = self._plainly()

    def _plainly(self) -> Handle:
        """Answers what is plain; gives None, without having done anything, where FastAPI must look at the request."""
        asked = self.dependant
        if asked.query_params or asked.header_params or asked.cookie_params or self.body_field is None:
            raise TypeError(f"{self.path} takes more than path parameters and a body")
        depends: list[tuple[str, str, Callable[..., Any]]] = []
        for each in asked.dependencies:
            if not (each.name and each.request_param_name and each.call) or each.dependencies or each.query_params:
                raise TypeError(f"a dependency of {self.path} takes more than the request")
            depends.append((each.name, each.request_param_name, each.call))
        body, body_name = TypeAdapter[object](self.body_field.field_info.annotation or object), self.body_field.name
        answer, status = TypeAdapter[object](self.endpoint.__annotations__["return"]), self.status_code or 200

        async def handle(request: Request) -> Response | None:
            values: dict[str, Any] = {}
            try:
                values[body_name] = body.validate_json(await request.body())
            except (ValidationError, ClientDisconnect):
                return None
            for field in asked.path_params:
                values[field.name], wrong = field.validate(request.path_params[field.alias], values, loc=("path",))
                if wrong:
                    return None
            await authenticate(request)
            for name, parameter, call in depends:
                values[name] = await call(**{parameter: request})
            found = await self.endpoint(**values)
            return Response(answer.dump_json(found), status, media_type=JSON)

        return handle


class Directly:
    """Answers plain requests to `Direct` endpoints of the routers; hands on all others, their bodies unread again."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self._app = app
        self._routes = [route for router in routers for route in router.routes if isinstance(route, Direct)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or PLAIN not in scope["headers"] or not self._find(scope):
            await self._app(scope, receive, send)
            return
        read: list[Message] = []

        async def remembered() -> Message:
            read.append(await receive())
            return read[-1]

        async def again() -> Message:
            return read.pop(0) if read else await receive()

        request = Request(scope, remembered)
        try:
            response = await scope["route"].handle_plain(request)
        except Exception as fault:  # noqa: BLE001 - raised again where the application has no answer to it
            response = await problems.answer_to(request, fault)
        if response is None:
            await self._app(scope, again, send)
        else:
            await response(scope, receive, send)

    def _find(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        for route in self._routes:
            if scope["method"] in (route.methods or ()) and (found := route.path_regex.match(path)):
                scope["route"], scope["path_params"] = route, found.groupdict()
                return True
        return False
