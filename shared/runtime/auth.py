"""Who is calling: a bearer token or the session cookie of a signed-in person, checked on everything not public."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError

from shared.contract.types import Id

from .errors import Problem
from .tokens import TokenError

Role = Literal["admin", "manager", "researcher", "note_taker", "viewer", "service"]
ROLES: tuple[str, ...] = get_args(Role)
SESSION_COOKIE = "earshot_session"
_id = TypeAdapter[str](Id)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person or another system."""

    subject: str
    role: str

    @property
    def id(self) -> str:
        """The subject as events carry it; one that is no valid Id (auth0|42) becomes one that stays the same for it."""
        try:
            return _id.validate_python(self.subject)
        except ValidationError:
            return str(uuid5(NAMESPACE_URL, self.subject))


async def authenticate(request: Request) -> None:
    """Put the caller into `request.state.principal`; refuse a stranger where the route is not public.

    A dependency of the whole application, so that a route is closed unless it is listed as public.
    """
    request.state.principal = None
    route = request.scope.get("route")
    public = f"{_listed_method(request.method)} {getattr(route, 'path', '')}" in request.app.state.public
    bearer, cookie = _credentials(request)
    token = bearer or cookie
    if token is None:
        if public:
            return
        raise Problem(401, "Sign in", "This needs a bearer token in the Authorization header, or a signed-in session.")
    settings = request.app.state.settings
    try:
        claims = await request.app.state.keys.verify(token, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
        role = str(claims.get("role"))
        if role not in ROLES:
            raise TokenError(f"role {role!r} is none of {', '.join(ROLES)}")
    except TokenError as wrong:
        if public:
            return
        raise Problem(401, "Sign in again", f"The token is not accepted: {wrong}.") from None
    if bearer is None:
        refuse_foreign_origin(request)
    request.state.principal = Principal(str(claims["sub"]), role)


def refuse_foreign_origin(request: Request) -> None:
    """A browser sends cookies along with other sites' forms too; it also says where the form was."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in {"same-origin", "none"} or (site is None and origin is None):
        return
    if site is None and origin is not None and urlsplit(origin).netloc == request.headers.get("host"):
        return
    raise Problem(403, "Another site's request", "This form was sent from another site; open Earshot and try there.")


def allow(*roles: Role) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that gives the caller if it has one of the roles; admins may do everything."""
    accepted = {"admin", *roles}

    async def check(request: Request) -> Principal:
        principal: Principal | None = request.state.principal
        if principal is None:
            raise Problem(401, "Sign in", "This needs somebody who is signed in.")
        if principal.role not in accepted:
            needed = ", ".join(sorted(accepted))
            raise Problem(
                403, "Not allowed", f"This needs the role {needed}; {principal.subject} has {principal.role}."
            )
        return principal

    return check


def _listed_method(method: str) -> str:
    return "GET" if method == "HEAD" else method


def _credentials(request: Request) -> tuple[str | None, str | None]:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return (bearer.strip() if scheme.lower() == "bearer" and bearer else None), request.cookies.get(SESSION_COOKIE)


Viewer = Annotated[Principal, Depends(allow("manager", "researcher", "note_taker", "viewer", "service"))]
NoteTaker = Annotated[Principal, Depends(allow("manager", "researcher", "note_taker", "service"))]
Researcher = Annotated[Principal, Depends(allow("manager", "researcher", "service"))]
Manager = Annotated[Principal, Depends(allow("manager", "service"))]
Admin = Annotated[Principal, Depends(allow())]
