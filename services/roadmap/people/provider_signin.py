"""Signing in at the board by the customers' identity provider: away to it, and back to the page one came from."""

from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from services.roadmap.people.abuse import address_of, limit, neighbourhood
from services.roadmap.people.provider import BEGIN, CALLBACK, HOME, offered, person_of, relying_party
from services.roadmap.people.signin import ways_in
from services.roadmap.people.welcoming import received, welcome
from services.roadmap.store import speakers
from services.roadmap.templates import templates
from shared.runtime import Now
from shared.runtime.auth.oidc.attempts import LIFETIME, Attempt, inside
from shared.runtime.auth.oidc.failures import SignInFailed, Why
from shared.runtime.auth.oidc.relying_party import Vouched
from shared.runtime.database import Database
from shared.ui import redirect
from shared.ui.words import _, marked

log = structlog.get_logger(__name__)

COOKIE = "earshot_board_sign_in"
TOLD: Mapping[Why, tuple[int, str]] = {
    "not_begun": (
        400,
        marked("It was not begun in this browser, took more than ten minutes, or was finished already. Begin again."),
    ),
    "other_provider": (400, marked("Another provider answered than the one that was asked. Begin again.")),
    "used": (400, marked("%(provider)s says that it was finished already or took too long. Begin again.")),
    "denied": (403, marked("%(provider)s did not let you in. Try another account there, or sign in by e-mail.")),
    "answered": (502, marked("%(provider)s could not sign you in. Try again in a moment, or sign in by e-mail.")),
    "away": (502, marked("%(provider)s does not answer. Try again in a moment, or sign in by e-mail.")),
    "client": (
        502,
        marked("%(provider)s does not accept this board; its operator finds the reason in its log. Sign in by e-mail."),
    ),
    "token": (
        502,
        marked(
            "What %(provider)s says of you cannot be accepted. Sign in by e-mail, and tell whoever runs this board to "
            "compare its clock and settings with the provider's."
        ),
    ),
}
"""Status and words of each failure; they stand above the ways in."""

# Neither needs to know who is there, and no transaction is open while the provider is asked.
router = APIRouter(include_in_schema=False)


@router.get(BEGIN)
async def begin(request: Request, now: Now, to: str = HOME) -> Response:
    site = relying_party(request.app.state)
    attempt = Attempt.begin(now, inside(to, home=HOME))
    try:
        response = RedirectResponse(await site.leave(attempt), status_code=303)
    except SignInFailed as failed:
        return _told(request, failed, attempt.to)
    response.set_cookie(
        COOKIE,
        attempt.cookie,
        max_age=int(LIFETIME.total_seconds()),
        path=_path(request),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.get(CALLBACK)
async def finish(request: Request, now: Now) -> Response:
    limit(request, neighbourhood(address_of(request)))
    attempt = Attempt.read(request.cookies.get(COOKIE), now)
    to = inside(attempt.to, home=HOME) if attempt else HOME
    try:
        vouched = await _vouched(request, attempt)
        person = person_of(vouched.claims, request.app.state.settings)
    except SignInFailed as failed:
        return _told(request, failed, to)
    response = redirect(request, to, _("You are signed in. Your votes count from now on."))
    response.delete_cookie(COOKIE, path=_path(request), httponly=True, samesite="lax")
    database: Database = request.app.state.database
    async with database.transaction() as tx:
        await received(tx, person, templates.language_of(request))
        await welcome(request, tx, response, person.sub)
    return response


async def _vouched(request: Request, attempt: Attempt | None) -> Vouched:
    """Whom the provider vouches for; whatever it says, the attempt is used up."""
    site, database = relying_party(request.app.state), request.app.state.database
    code = site.code_of(dict(request.query_params), attempt)
    assert attempt is not None  # or there is no code of it
    async with database.transaction() as tx:
        is_first = await speakers.use_token(tx.connection, attempt.digest, attempt.expires_at)
    if not is_first:
        raise SignInFailed("not_begun")
    return await site.redeem(code, attempt)


def _told(request: Request, failed: SignInFailed, to: str) -> Response:
    """The ways in again, and what was wrong with this one."""
    status, words = TOLD[failed.why]
    log.info("customer was not signed in", because=failed.why)
    found = offered(request.app.state, to)
    return ways_in(request, to=to, status=status, failed=(_(words, provider=found.name if found else ""), failed.said))


def _path(request: Request) -> str:
    return request.scope.get("root_path", "") or "/"
