"""Who is calling: a bearer token, checked on everything that is not public; and that no other site's form calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError

from shared.contract.types import Id
from shared.runtime.errors import Problem
from shared.ui.sentences import Sentence

from .roles import Role
from .tokens import KeysUnavailableError, TokenError

_id = TypeAdapter[str](Id)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person or another system."""

    subject: str
    role: str
    name: str | None = None

    @property
    def shown(self) -> str:
        """What people call them; many identity providers give subjects that nobody can read."""
        return self.name or self.subject

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
    await recognise(request)
    refuse_stranger(request)


async def recognise(request: Request) -> None:
    """Put who shows a good bearer token into `request.state.principal`, and why a bad one is refused beside it.

    Raises:
        Problem: 403 for another site's form.
    """
    request.state.principal = request.state.refusal = None
    token = bearer(request)
    if token is None:
        # A browser adds no bearer token by itself, but it adds cookies, and to be in the company's network.
        refuse_foreign_origin(request)
        return
    try:
        request.state.principal = Principal(*await request.app.state.trust.identify(token))
    except TokenError as wrong:
        request.state.refusal = Problem(
            401, Sentence("Sign in again"), Sentence("The token is not accepted: %(why)s.", why=str(wrong))
        )
    except KeysUnavailableError as fault:
        request.state.refusal = Problem(
            503,
            Sentence("Try again shortly"),
            Sentence("The token cannot be checked right now: %(why)s.", why=str(fault)),
        )


def refuse_stranger(request: Request) -> None:
    """Let through who is known, and everybody where the route is listed as public."""
    route = request.scope.get("route")
    listed = f"{_listed_method(request.method)} {getattr(route, 'path', '')}" in request.app.state.public
    if request.state.principal is None and not listed:
        raise request.state.refusal or Problem(
            401,
            Sentence("Sign in"),
            Sentence("This needs a bearer token in the Authorization header, or a session at the gateway."),
        )


def refuse_foreign_origin(request: Request) -> None:
    """A browser sends cookies along with other sites' forms too; it also says where the form was."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in {"same-origin", "none"} or (site is None and origin is None):
        return
    if site is None and origin is not None and urlsplit(origin).netloc == request.headers.get("host"):
        return
    raise Problem(
        403,
        Sentence("Another site's request"),
        Sentence("This form was sent from another site; open Earshot and try there."),
    )


def allow(*roles: Role) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that gives the caller if it has one of the roles; admins may do everything."""
    accepted = {"admin", *roles}

    async def check(request: Request) -> Principal:
        principal: Principal | None = request.state.principal
        if principal is None:
            raise Problem(401, Sentence("Sign in"), Sentence("This needs somebody who is signed in."))
        if principal.role not in accepted:
            needed = ", ".join(sorted(accepted))
            detail = Sentence(
                "This needs the role %(needed)s; %(who)s has %(role)s.",
                needed=needed,
                who=principal.subject,
                role=principal.role,
            )
            raise Problem(403, Sentence("Not allowed"), detail)
        return principal

    return check


def _listed_method(method: str) -> str:
    return "GET" if method == "HEAD" else method


def bearer(request: Request) -> str | None:
    """The bearer token of the request."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


Viewer = Annotated[Principal, Depends(allow("manager", "researcher", "note_taker", "viewer", "service"))]
NoteTaker = Annotated[Principal, Depends(allow("manager", "researcher", "note_taker", "service"))]
Researcher = Annotated[Principal, Depends(allow("manager", "researcher", "service"))]
Manager = Annotated[Principal, Depends(allow("manager", "service"))]
Admin = Annotated[Principal, Depends(allow())]
