"""Endpoints that many call at once: what is plain is read and answered directly, all else takes FastAPI's own way."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect

from .auth.principals import authenticate

Handle = Callable[[Request], Coroutine[Any, Any, Response]]

JSON = "application/json"


class Direct(APIRoute):
    """What an `APIRouter` takes as its `route_class`: an endpoint of path parameters, a JSON body, and dependencies.

    Each dependency is a coroutine function of the request. FastAPI documents the endpoint, and answers where something
    is wrong with the request, so that answers are the same; its solver costs more than all else an endpoint does.
    """

    def get_route_handler(self) -> Handle:
        """The handler of plain requests, which hands on to FastAPI's what is not plain.

        Raises:
            TypeError: the endpoint asks for more than what is read here.
        """
        usual = super().get_route_handler()
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

        async def handle(request: Request) -> Response:
            if request.headers.get("content-type") != JSON:
                return await usual(request)
            values: dict[str, Any] = {}
            try:
                values[body_name] = body.validate_json(await request.body())
            except (ValidationError, ClientDisconnect):
                return await usual(request)
            for field in asked.path_params:
                values[field.name], wrong = field.validate(request.path_params[field.alias], values, loc=("path",))
                if wrong:
                    return await usual(request)
            await authenticate(request)
            for name, parameter, call in depends:
                values[name] = await call(**{parameter: request})
            found = await self.endpoint(**values)
            return Response(answer.dump_json(found), status, media_type=JSON)

        return handle
