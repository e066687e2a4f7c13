"""Who votes on the public board: a signed-in colleague, or a visitor known by a cookie alone."""

import re
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from fastapi import Request, Response

from shared.contract.parts import VoterKind
from shared.runtime import Principal

COOKIE = "earshot_visitor"
LIFETIME = 365 * 24 * 3600
"""Seconds."""

_SECRET = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A voter's id and kind; `secret` is what the visitor's browser keeps."""

    voter_id: str
    kind: VoterKind
    secret: str | None = None

    def remember(self, request: Request, response: Response) -> None:
        """Let the browser come back as the same visitor."""
        if self.secret is not None:
            response.set_cookie(
                COOKIE,
                self.secret,
                max_age=LIFETIME,
                path=request.scope.get("root_path", "") or "/",
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )


def known_visitor(request: Request) -> Visitor | None:
    """Who is at the board, if they signed in or voted before."""
    principal: Principal | None = request.state.principal
    if principal is not None:
        return Visitor(f"team-{_digest(principal.subject)}", "team")
    secret = request.cookies.get(COOKIE, "")
    return _visitor(secret) if _SECRET.fullmatch(secret) else None


def new_visitor() -> Visitor:
    return _visitor(uuid4().hex)


def _visitor(secret: str) -> Visitor:
    # Voter ids travel in events that others read; from a digest nobody can vote in the visitor's place.
    return Visitor(f"visitor-{_digest(secret)}", "anonymous", secret)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
