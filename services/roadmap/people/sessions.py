"""Sessions at the board: a secret in a cookie, its digest in the database, replaced by a new one every day.

Within another site's page the cookie is one of its own that the browser keeps apart for each such site (CHIPS).
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from fastapi import Request, Response

from services.roadmap.store import speakers
from shared.runtime import Transaction

COOKIE, EMBEDDED_COOKIE = "earshot_board", "earshot_widget"
LIFETIME = timedelta(days=90)
EMBEDDED_LIFETIME = timedelta(hours=12)
RENEWED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session it is; `secret` is what the browser has to be given, None where it has it."""

    person_id: str
    embedded: bool
    secret: str | None = None

    def remember(self, request: Request, response: Response) -> None:
        """Give the browser its new secret, if there is one."""
        if self.secret is None:
            return
        path = request.scope.get("root_path", "") or "/"
        if self.embedded:
            # Without a library's help: not every version of it knows Partitioned.
            seconds = int(EMBEDDED_LIFETIME.total_seconds())
            attributes = f"Max-Age={seconds}; Path={path}; HttpOnly; SameSite=None; Secure; Partitioned"
            response.headers.append("set-cookie", f"{EMBEDDED_COOKIE}={self.secret}; {attributes}")
            return
        response.set_cookie(
            COOKIE,
            self.secret,
            max_age=int(LIFETIME.total_seconds()),
            path=path,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )


async def begin(tx: Transaction, person_id: str, *, embedded: bool = False) -> Session:
    """A new session, always under a secret of its own."""
    secret = secrets.token_urlsafe(32)
    lifetime = EMBEDDED_LIFETIME if embedded else LIFETIME
    await speakers.begin_session(
        tx.connection, digest(secret), person_id, embedded=embedded, now=tx.now, expires_at=tx.now + lifetime
    )
    return Session(person_id, embedded, secret)


async def session_of(request: Request, tx: Transaction) -> Session | None:
    """The session that the browser shows; the old secret works until the browser has shown the new one."""
    for embedded, name in ((False, COOKIE), (True, EMBEDDED_COOKIE)):
        if not (shown := request.cookies.get(name)):
            continue
        row = await speakers.find_session(tx.connection, digest(shown), tx.now)
        if row is None or row.embedded != embedded:
            continue
        if row.is_next:
            await speakers.renew_session(tx.connection, digest(shown), tx.now)
        elif request.method == "POST" and not embedded and tx.now - row.renewed_at > RENEWED_AFTER:
            secret = secrets.token_urlsafe(32)
            await speakers.offer_secret(tx.connection, digest(shown), digest(secret))
            return Session(row.person_id, embedded, secret)
        return Session(row.person_id, embedded)
    return None


async def end(request: Request, tx: Transaction, response: Response) -> None:
    """End the sessions that the browser shows."""
    path = request.scope.get("root_path", "") or "/"
    for embedded in (False, True):
        await end_shown(request, tx, embedded=embedded)
    response.delete_cookie(COOKIE, path=path, httponly=True, samesite="lax")
    ended = f"{EMBEDDED_COOKIE}=; Max-Age=0; Path={path}; HttpOnly; SameSite=None; Secure; Partitioned"
    response.headers.append("set-cookie", ended)


async def end_shown(request: Request, tx: Transaction, *, embedded: bool) -> None:
    """End the session of one kind that the browser shows, if there is one; its cookie stays."""
    if shown := request.cookies.get(EMBEDDED_COOKIE if embedded else COOKIE):
        await speakers.end_session(tx.connection, digest(shown))


def digest(secret: str) -> bytes:
    """What is stored of a secret."""
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()
