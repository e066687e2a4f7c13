"""Who is at the public board: a colleague, somebody who signed in there, or a visitor known by a cookie alone."""

import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import Request, Response

from services.roadmap.people.sessions import Session, session_of
from services.roadmap.store import speakers
from shared.contract.parts import VoterKind
from shared.contract.types import Segment
from shared.runtime import Principal, Tx

COOKIE = "earshot_visitor"
LIFETIME = 365 * 24 * 3600
"""Seconds."""

UNKNOWN = Segment()
Trust = Literal["new", "trusted", "blocked"]

_SECRET = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the board; `secret` is what the browser of a visitor whom nobody knows keeps.

    `name` is what comments call them, `segment` what the company said of them, `trust` whether what they write waits
    for a moderator.
    """

    voter_id: str
    kind: VoterKind
    secret: str | None = None
    name: str | None = None
    segment: Segment = UNKNOWN
    trust: Trust = "new"
    session: Session | None = None

    @property
    def is_known(self) -> bool:
        """Whether it is a person, so that what they say counts."""
        return self.kind != "anonymous"

    @property
    def publishes(self) -> bool:
        """Whether what they write is shown at once."""
        return self.kind == "team" or self.trust == "trusted"

    def remember(self, request: Request, response: Response) -> None:
        """Let the browser come back as the same visitor."""
        if self.session is not None:
            self.session.remember(request, response)
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


async def recognise(request: Request, tx: Tx) -> None:
    """Find out who is at the board, for `known_visitor`; a dependency of every page of the board."""
    request.state.visitor = await _recognised(request, tx)


def known_visitor(request: Request) -> Visitor | None:
    """Who is at the board, if they signed in or voted before."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    return found


def new_visitor() -> Visitor:
    return _visitor(uuid4().hex)


def cookie_visitor(request: Request) -> Visitor | None:
    """The visitor whom the browser's cookie names, whoever signed in since."""
    secret = request.cookies.get(COOKIE, "")
    return _visitor(secret) if _SECRET.fullmatch(secret) else None


def sign_in_for(page: str) -> str:
    """Where whoever wants this page of the board and did not sign in goes first."""
    return f"/sign-in?{urlencode({'to': page})}"


async def _recognised(request: Request, tx: Tx) -> Visitor | None:
    principal: Principal | None = request.state.principal
    if principal is not None:
        return Visitor(f"team-{_digest(principal.subject)}", "team", name=principal.shown, trust="trusted")
    if (session := await session_of(request, tx)) is not None:
        speaker = await speakers.find_speaker(tx.connection, session.person_id)
        if speaker is not None:
            return Visitor(
                speaker.person_id,
                speaker.kind,
                name=speaker.name,
                segment=Segment.model_validate(speaker.segment),
                trust=speaker.trust,
                session=session,
            )
    visitor = cookie_visitor(request)
    if visitor is None:
        return None
    speaker = await speakers.find_speaker(tx.connection, visitor.voter_id)
    return replace(visitor, trust=speaker.trust) if speaker else visitor


def _visitor(secret: str) -> Visitor:
    # Voter ids travel in events that others read; from a digest nobody can vote in the visitor's place.
    return Visitor(f"visitor-{_digest(secret)}", "anonymous", secret)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
