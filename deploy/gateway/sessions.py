"""Sessions: a cookie that says nothing by itself, and the short-lived token that services get in its place."""

import hashlib
import secrets
from datetime import datetime, timedelta

from fastapi import Request
from starlette.responses import Response

from shared.runtime.auth.principals import Principal, bearer, recognise, refuse_stranger
from shared.runtime.auth.tokens import issue
from shared.runtime.database import Database

from . import store
from .settings import GatewaySettings

BEGUN = "earshot_sign_in"
"""The cookie of a sign-in on its way."""

ACCESS_LIFETIME = timedelta(minutes=5)
"""For so long a service goes on with what the gateway told it; long enough for a slow upload."""


class Sessions:
    """Who is signed in at this installation, however many gateways it has."""

    def __init__(self, settings: GatewaySettings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._lifetime = timedelta(hours=settings.session_hours)
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self.cookie = settings.cookie("earshot_session")

    @property
    def now(self) -> datetime:
        return self._database.clock()

    async def start(
        self,
        request: Request,
        response: Response,
        *,
        subject: str,
        role: str,
        name: str | None = None,
        id_token: str | None = None,
    ) -> None:
        """Give the browser a new session in place of the one it may have."""
        secret = secrets.token_urlsafe(32)
        async with self._database.transaction() as tx:
            if old := self._digest(request):
                await store.end_session(tx.connection, old)
            await store.add_session(
                tx.connection,
                _digest(secret),
                subject=subject,
                role=role,
                name=name,
                id_token=id_token,
                now=tx.now,
                expires_at=tx.now + self._lifetime,
            )
        self._settings.set_cookie(response, self.cookie, secret, self._lifetime)

    async def find(self, request: Request) -> store.Session | None:
        """The browser's session, if it goes on."""
        digest = self._digest(request)
        if digest is None:
            return None
        return await store.find_session(self._database.pool, digest, now=self.now, idle=self._idle)

    async def touch(self, session: store.Session) -> None:
        """Somebody is there."""
        await store.touch_session(self._database.pool, session, now=self.now)

    def forget(self, response: Response) -> None:
        """Have the browser throw its cookie away."""
        self._settings.delete_cookie(response, self.cookie)

    async def end(self, request: Request) -> str | None:
        """End the browser's session, whoever else has its cookie; gives the provider's ID token if there is one."""
        digest = self._digest(request)
        return await store.end_session(self._database.pool, digest) if digest else None

    def access_token(self, session: store.Session) -> str:
        """What a service gets in place of the cookie."""
        return self.token(session.subject, session.role, ACCESS_LIFETIME, name=session.name)

    def token(self, subject: str, role: str, lifetime: timedelta, *, name: str | None = None) -> str:
        # Read for every token: the key may be rotated while the gateway runs.
        key = self._settings.signing_key.read_bytes()
        return issue(key, subject=subject, role=role, name=name, lifetime=lifetime, now=self.now)

    def _digest(self, request: Request) -> bytes | None:
        secret = request.cookies.get(self.cookie)
        return _digest(secret) if secret else None


async def authenticate(request: Request) -> None:
    """As in the services, and by the session's cookie; a dependency of the whole gateway."""
    await recognise(request)
    request.state.session = None
    sessions: Sessions = request.app.state.sessions
    if bearer(request) is None and (session := await sessions.find(request)) is not None:
        request.state.session, request.state.principal = session, Principal(session.subject, session.role, session.name)
        # A page that is left open keeps its event stream going by itself; that is nobody's activity.
        if "text/event-stream" not in request.headers.get("accept", ""):
            await sessions.touch(session)
    refuse_stranger(request)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
