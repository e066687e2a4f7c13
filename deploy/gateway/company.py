"""Signing in with the company's identity provider: OpenID Connect, authorization code flow with PKCE.

One random secret in a cookie of the browser binds a sign-in to it: state, nonce and code verifier are derived from it,
so nothing is kept here while somebody is away at the provider, and nobody else can finish what this browser began.
(OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207; OpenID Connect RP-Initiated Logout 1.0.)
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog

from shared.runtime.auth.roles import role_of, values_at
from shared.runtime.auth.tokens import TokenError
from shared.runtime.errors import Problem

from .provider import LONGEST_SHOWN, REFUSED, Provider
from .settings import GatewaySettings

log = structlog.get_logger(__name__)

CALLBACK = "/sign-in/callback"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the provider vouches for."""

    subject: str
    role: str
    name: str | None
    id_token: str


class Company:
    """The provider that the settings name, what its claims mean here, and the way there and back."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._home = f"{settings.public_url.rstrip('/')}/"
        self._redirect_uri = f"{self._home}{CALLBACK.removeprefix('/')}"
        self._provider = Provider(
            settings.oidc_issuer or "", settings.oidc_client_id or "", settings.oidc_client_secret
        )

    @property
    def is_there(self) -> bool:
        return bool(self._provider.issuer)

    async def close(self) -> None:
        await self._provider.close()

    async def begin(self, secret: str) -> str:
        """Where the browser that holds the secret goes to sign in."""
        metadata = await self._provider.metadata()
        challenge = hashlib.sha256(derived(secret, "verifier").encode()).digest()
        return _with_query(
            metadata.authorization_endpoint,
            {
                "response_type": "code",
                "client_id": self._provider.client_id,
                "redirect_uri": self._redirect_uri,
                "scope": self._settings.oidc_scopes,
                "state": derived(secret, "state"),
                "nonce": derived(secret, "nonce"),
                "code_challenge": _text(challenge),
                "code_challenge_method": "S256",
            },
        )

    async def finish(self, answer: Mapping[str, str], secret: str | None) -> Person:
        """Who the browser came back as.

        Raises:
            Problem: this browser did not begin it, the provider refuses, or it vouches for nobody we may let in.
        """
        if secret is None or not _same(answer.get("state"), derived(secret, "state")):
            raise Problem(
                400, REFUSED, "It was not begun in this browser, took too long, or was finished already. Begin anew."
            )
        if answer.get("iss", self._provider.issuer) != self._provider.issuer:
            raise Problem(400, REFUSED, "Another provider answered than the one that was asked. Begin anew.")
        if "code" not in answer:
            raise _refused(answer)
        tokens = await self._provider.redeem(
            answer["code"], verifier=derived(secret, "verifier"), redirect_uri=self._redirect_uri
        )
        claims = await self._checked(tokens.id_token, nonce=derived(secret, "nonce"))
        said = self._settings
        needed = (said.oidc_role_claim, said.oidc_subject_claim, said.oidc_name_claim)
        if tokens.access_token and not all(values_at(claims, path) for path in needed):
            claims = await self._provider.more_about(claims["sub"], tokens.access_token) | claims
        return Person(*self._admitted(claims), tokens.id_token)

    async def farewell(self, id_token: str) -> str | None:
        """Where the browser goes to sign out of the provider too; None where it offers no such thing."""
        try:
            endpoint = (await self._provider.metadata()).end_session_endpoint
        except Problem:
            return None  # the session here has ended, whether the provider is there or not
        hint = {
            "id_token_hint": id_token,
            "client_id": self._provider.client_id,
            "post_logout_redirect_uri": self._home,
        }
        return _with_query(endpoint, hint) if endpoint else None

    async def _checked(self, id_token: str, *, nonce: str) -> dict[str, Any]:
        """The token's claims, if it was issued for this one sign-in."""
        try:
            claims = await self._provider.claims(id_token)
            if not _same(claims.get("nonce"), nonce):
                raise TokenError("it belongs to another sign-in")
            if claims.get("azp", self._provider.client_id) != self._provider.client_id:
                raise TokenError("it was issued to another application")
        except TokenError as wrong:
            log.warning("ID token was not accepted", because=str(wrong))
            raise Problem(
                502,
                REFUSED,
                f"What the company's sign-in says of you cannot be accepted: {wrong}. "
                "If this stays so, whoever runs Earshot should compare the clocks and the settings of both.",
            ) from None
        return claims

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


def derived(secret: str, purpose: str) -> str:
    """43 characters that only who holds the secret can compute, others for every purpose."""
    return _text(hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _refused(answer: Mapping[str, str]) -> Problem:
    error, words = answer.get("error", "")[:LONGEST_SHOWN], answer.get("error_description", "")[:LONGEST_SHOWN]
    log.info("identity provider refused", error=error)
    if error == "access_denied":
        return Problem(403, "Sign-in was refused", f"The company's sign-in did not let you in. {words}".strip())
    return Problem(502, REFUSED, f"The company's sign-in answered {error or 'without a code'}. {words}".strip())
