"""Signing in: a one-time link turns into a session cookie. A company's own sign-in (OIDC) takes the same last step.

Each gateway remembers for itself which links were used: one that starts anew refuses all links made before, but where
several gateways run, a link works once at each of them until it expires.
"""

import time
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from shared.runtime.auth import ROLES, SESSION_COOKIE, refuse_foreign_origin
from shared.runtime.errors import Problem
from shared.runtime.tokens import TokenError, issue
from shared.ui import shared_pages

from .settings import GatewaySettings

LINK_AUDIENCE = "earshot-signin"
router = APIRouter(include_in_schema=False)


class UsedLinks:
    """Which one-time links were used; a link from before this process started counts as used."""

    def __init__(self) -> None:
        self._started = int(time.time())
        self._used: dict[str, int] = {}

    def use(self, claims: dict[str, object]) -> bool:
        """Whether this is the link's first use."""
        now, identifier = int(time.time()), str(claims.get("jti"))
        self._used = {link: until for link, until in self._used.items() if until > now}
        if identifier in self._used or int(str(claims.get("iat", 0))) < self._started:
            return False
        self._used[identifier] = int(str(claims["exp"]))
        return True


@router.get("/sign-in")
async def sign_in(request: Request, token: str | None = None) -> Response:
    if token is None:
        how = "On a local installation, earshot signin prints a one-time link."
        return shared_pages().render(request, "signin.html", oidc_url=None, how=how)
    settings: GatewaySettings = request.app.state.settings
    try:
        claims = await request.app.state.keys.verify(token, audience=LINK_AUDIENCE, issuer=settings.jwt_issuer)
    except TokenError as wrong:
        raise Problem(401, "This link does not work", f"{wrong}. Ask for a new one: earshot signin.") from None
    if claims.get("role") not in ROLES or not request.app.state.used_links.use(claims):
        raise Problem(
            401,
            "This link was used already",
            "A sign-in link works once, and not after the gateway was started anew. Ask for a new one: earshot signin.",
        )
    return start_session(request, str(claims["sub"]), str(claims["role"]))


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    refuse_foreign_origin(request)
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


def start_session(request: Request, subject: str, role: str) -> Response:
    """Home, with the cookie that every service accepts."""
    settings: GatewaySettings = request.app.state.settings
    lifetime = timedelta(hours=settings.session_hours)
    token = issue(request.app.state.signing_key, subject=subject, role=role, lifetime=lifetime, now=datetime.now(UTC))
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(lifetime.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https://"),
    )
    return response
