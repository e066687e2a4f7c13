"""Signing in, by the company's identity provider or a one-time link, and signing out."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from shared.runtime.auth.oidc.attempts import LIFETIME, Attempt, inside
from shared.runtime.auth.roles import ROLES
from shared.runtime.auth.tokens import LEEWAY_SECONDS, KeysUnavailableError, TokenError
from shared.runtime.errors import Problem
from shared.ui import Pages, shared_pages

from . import store
from .company import CALLBACK, Company
from .sessions import BEGUN, Sessions

log = structlog.get_logger(__name__)

LINK_AUDIENCE = "earshot-signin"
router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def show_sign_in(request: Request, token: str | None = None, to: str = "/") -> Response:
    """The ways in. A link only shows whom it signs in: what mail programs look up for a preview uses nothing up."""
    if token is None:
        company: Company = request.app.state.company_sign_in
        start = f"/sign-in/company?{urlencode({'to': inside(to)})}" if company.is_there else None
        how = None if start else "On a local installation, earshot signin prints a one-time link."
        return shared_pages().render(request, "signin.html", oidc_url=start, how=how)
    claims = await _link(request, token)
    async with request.app.state.database.transaction() as tx:
        if await store.link_was_used(tx.connection, str(claims.get("jti"))):
            raise _used(request)
    pages: Pages = request.app.state.pages
    return pages.render(request, "confirm.html", token=token, subject=claims["sub"], role=claims["role"])


@router.post("/sign-in")
async def use_link(request: Request, token: Annotated[str, Form()]) -> Response:
    claims = await _link(request, token)
    # Tokens are accepted a little past their time, so the use is remembered for longer than that.
    forgotten_at = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=2 * LEEWAY_SECONDS)
    async with request.app.state.database.transaction() as tx:
        if not await store.use_link(tx.connection, str(claims.get("jti")), now=tx.now, expires_at=forgotten_at):
            raise _used(request)
    response = RedirectResponse("/", status_code=303)
    await _sessions(request).start(request, response, subject=str(claims["sub"]), role=str(claims["role"]))
    log.info("signed in", who=claims["sub"], role=claims["role"], by="link")
    return response


@router.get("/sign-in/company")
async def begin(request: Request, to: str = "/") -> Response:
    company = _company(request)
    request.app.state.attempts.check(_address(request))
    attempt = Attempt.begin(request.app.state.database.clock(), inside(to))
    response = RedirectResponse(await company.begin(attempt), status_code=303)
    settings = request.app.state.settings
    settings.set_cookie(response, settings.cookie(BEGUN), attempt.cookie, LIFETIME)
    return response


@router.get(CALLBACK)
async def finish(request: Request) -> Response:
    company, attempts, settings = _company(request), request.app.state.attempts, request.app.state.settings
    attempts.check(_address(request))
    attempt = Attempt.read(request.cookies.get(settings.cookie(BEGUN)), request.app.state.database.clock())
    try:
        person = await company.finish(dict(request.query_params), attempt)
    except Problem:
        attempts.failed(_address(request))
        raise
    response = RedirectResponse(inside(attempt.to if attempt else "/"), status_code=303)
    settings.delete_cookie(response, settings.cookie(BEGUN))
    await _sessions(request).start(
        request,
        response,
        subject=person.subject,
        role=person.role,
        name=person.name,
        id_token=person.id_token,
    )
    log.info("signed in", who=person.subject, role=person.role, by="company")
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """Ends the session here, and at the company's provider where it began there and the provider offers it."""
    id_token = await _sessions(request).end(request)
    log.info("signed out", who=request.state.principal.subject if request.state.principal else None)
    company: Company = request.app.state.company_sign_in
    farewell = await company.farewell(id_token) if id_token and company.is_there else None
    response: Response = RedirectResponse("/", status_code=303)
    if farewell:
        # No redirect: the policy of our pages lets a form lead nowhere but to us.
        request.state.principal = None
        response = request.app.state.pages.render(request, "signed_out.html", farewell=farewell)
        response.headers["Cache-Control"] = "no-store"
    _sessions(request).forget(response)
    return response


async def _link(request: Request, token: str) -> dict[str, Any]:
    """What a sign-in link says, if it is one."""
    attempts, address = request.app.state.attempts, _address(request)
    attempts.check(address)
    issuer = request.app.state.settings.jwt_issuer
    try:
        claims: dict[str, Any] = await request.app.state.trust.our_keys.verify(
            token, audience=LINK_AUDIENCE, issuer=issuer
        )
        if claims.get("role") not in ROLES or "jti" not in claims:
            raise TokenError("it names no role or has no number")
    except TokenError as wrong:
        attempts.failed(address)
        raise Problem(401, "This link does not work", f"{wrong}. Ask for a new one: earshot signin.") from None
    except KeysUnavailableError as fault:
        raise Problem(503, "Try again shortly", f"The link cannot be checked right now: {fault}.") from None
    return claims


def _used(request: Request) -> Problem:
    request.app.state.attempts.failed(_address(request))
    return Problem(401, "This link was used already", "A sign-in link works once. Ask for a new one: earshot signin.")


def _company(request: Request) -> Company:
    company: Company = request.app.state.company_sign_in
    if not company.is_there:
        raise Problem(404, "No company sign-in", "It is not set up here; EARSHOT_OIDC_ISSUER names the provider.")
    return company


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
