"""Signing in with the company's identity provider: what its claims mean at the gateway, and how failures are told."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from shared.runtime.auth.oidc.attempts import Attempt
from shared.runtime.auth.oidc.failures import SignInFailed, Why
from shared.runtime.auth.oidc.provider import LONGEST_SHOWN, Provider
from shared.runtime.auth.oidc.relying_party import RelyingParty
from shared.runtime.auth.roles import role_of, values_at
from shared.runtime.errors import Problem

from .settings import GatewaySettings

log = structlog.get_logger(__name__)

CALLBACK = "/sign-in/callback"
REFUSED = "Sign-in did not work"
TOLD: Mapping[Why, tuple[int, str, str]] = {
    "not_begun": (
        400,
        REFUSED,
        "It was not begun in this browser, took too long, or was finished already. Begin anew.",
    ),
    "other_provider": (400, REFUSED, "Another provider answered than the one that was asked. Begin anew."),
    "used": (
        400,
        REFUSED,
        "The company's sign-in says that it was finished already or took too long. Begin anew.",
    ),
    "denied": (403, "Sign-in was refused", "The company's sign-in did not let you in. {said}"),
    "answered": (502, REFUSED, "The company's sign-in answered {said}."),
    "client": (
        502,
        REFUSED,
        "The company's sign-in does not accept Earshot as its client; the gateway's log says why.",
    ),
    "token": (
        502,
        REFUSED,
        (
            "What the company's sign-in says of you cannot be accepted: {said}. "
            "If this stays so, whoever runs Earshot should compare the clocks and the settings of both."
        ),
    ),
    "away": (
        502,
        "The company's sign-in does not answer",
        "Try again in a moment; nothing is wrong with your account.",
    ),
}
"""Status, title and words of each failure, with what the provider said."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the provider vouches for."""

    subject: str
    role: str
    name: str | None
    id_token: str


class Company:
    """The provider that the settings name, and what its claims mean here."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._home = f"{settings.public_url.rstrip('/')}/"
        self._site = RelyingParty(
            Provider(settings.oidc_issuer or "", settings.oidc_client_id or "", settings.oidc_client_secret),
            redirect_uri=f"{self._home}{CALLBACK.removeprefix('/')}",
            scopes=settings.oidc_scopes,
            needed=(settings.oidc_role_claim, settings.oidc_subject_claim, settings.oidc_name_claim),
        )

    @property
    def is_there(self) -> bool:
        return bool(self._site.provider.issuer)

    async def begin(self, attempt: Attempt) -> str:
        """Where the browser that holds the attempt goes to sign in."""
        with _told():
            return await self._site.leave(attempt)

    async def finish(self, answer: Mapping[str, str], attempt: Attempt | None) -> Person:
        """Who the browser came back as.

        Raises:
            Problem: this browser did not begin it, the provider refuses, or it vouches for nobody we may let in.
        """
        with _told():
            code = self._site.code_of(answer, attempt)
            assert attempt is not None  # or there is no code of it
            vouched = await self._site.redeem(code, attempt)
        return Person(*self._admitted(vouched.claims), vouched.id_token)

    async def farewell(self, id_token: str) -> str | None:
        """Where the browser goes to sign out of the provider too; None where it offers no such thing."""
        return await self._site.farewell(id_token, self._home)

    def _admitted(self, claims: dict[str, Any]) -> tuple[str, str, str | None]:
        """Subject, role and name of who is described."""
        path = self._settings.oidc_role_claim
        values = values_at(claims, path)
        role = role_of(values, self._settings.oidc_role_map)
        subject = next(iter(values_at(claims, self._settings.oidc_subject_claim)), str(claims["sub"]))
        name = next(iter(values_at(claims, self._settings.oidc_name_claim)), None)
        if role is None:
            log.warning("no role for who signed in", who=subject, claim=path, holds=values)
            said = f"holds {', '.join(values)[:LONGEST_SHOWN]}: none of it is a role here" if values else "is empty"
            raise Problem(
                403,
                "You have no role in Earshot",
                f"The company's sign-in knows you as {name or subject}, but its claim {path} {said}. "
                "Ask whoever looks after your company's accounts for access to Earshot.",
            )
        return subject, role, name


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SignInFailed as failed:
        status, title, words = TOLD[failed.why]
        said = failed.said or ("without a code" if failed.why == "answered" else "")
        raise Problem(status, title, words.format(said=said).strip()) from None
