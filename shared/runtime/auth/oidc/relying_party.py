"""A site of ours as the client of one provider: the way there, the way back, and what is checked on it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog

from shared.runtime.auth.roles import values_at
from shared.runtime.auth.tokens import TokenError

from .attempts import Attempt, same
from .failures import SignInFailed
from .provider import LONGEST_SHOWN, Provider

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the provider says of who signed in; `email_verified` is there only as True, for the address beside it."""

    claims: dict[str, Any]
    id_token: str


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """`redirect_uri` and `scopes` as registered; `needed` are the claims to be asked for where the ID token lacks one.

    Every method may raise SignInFailed.
    """

    provider: Provider
    redirect_uri: str
    scopes: str
    needed: Collection[str]

    async def leave(self, attempt: Attempt) -> str:
        """Where the browser that holds the attempt goes to sign in."""
        metadata = await self.provider.metadata()
        return _with_query(
            metadata.authorization_endpoint,
            {
                "response_type": "code",
                "client_id": self.provider.client_id,
                "redirect_uri": self.redirect_uri,
                "scope": self.scopes,
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": attempt.challenge,
                "code_challenge_method": "S256",
            },
        )

    def code_of(self, answer: Mapping[str, str], attempt: Attempt | None) -> str:
        """The code the browser came back with, which the provider gave to this attempt."""
        if attempt is None or not same(answer.get("state"), attempt.state):
            raise SignInFailed("not_begun")
        if answer.get("iss", self.provider.issuer) != self.provider.issuer:
            raise SignInFailed("other_provider")
        if answer.get("code"):
            return answer["code"]
        error, words = (answer.get(name, "")[:LONGEST_SHOWN] for name in ("error", "error_description"))
        log.info("identity provider refused", error=error)
        if error == "access_denied":
            raise SignInFailed("denied", words)
        raise SignInFailed("answered", f"{error}. {words}".strip(". "))

    async def redeem(self, code: str, attempt: Attempt) -> Vouched:
        """Whom the provider vouches for."""
        tokens = await self.provider.redeem(code, verifier=attempt.verifier, redirect_uri=self.redirect_uri)
        claims = await self._checked(tokens.id_token, attempt)
        more: dict[str, Any] = {}
        if tokens.access_token and not all(values_at(claims, path) for path in self.needed):
            more = await self.provider.more_about(claims["sub"], tokens.access_token)
        return Vouched(_together(claims, more), tokens.id_token)

    async def farewell(self, id_token: str, home: str) -> str | None:
        """Where the browser goes to sign out of the provider too; None where it offers no such thing."""
        try:
            endpoint = (await self.provider.metadata()).end_session_endpoint
        except SignInFailed:
            return None  # the session here has ended, whether the provider is there or not
        hint = {
            "id_token_hint": id_token,
            "client_id": self.provider.client_id,
            "post_logout_redirect_uri": home,
        }
        return _with_query(endpoint, hint) if endpoint else None

    async def _checked(self, id_token: str, attempt: Attempt) -> dict[str, Any]:
        """The token's claims, if it was issued to us for this one attempt."""
        us = self.provider.client_id
        try:
            claims = await self.provider.claims(id_token)
            if not same(claims.get("nonce"), attempt.nonce):
                raise TokenError("it belongs to another sign-in")
            if claims.get("azp", us) != us:
                raise TokenError("it was issued to another application")
            if claims["aud"] not in (us, [us]) and "azp" not in claims:
                raise TokenError("it is for several applications and names none that it was issued to")
            if "iat" not in claims:
                raise TokenError("it does not say when it was issued")
        except TokenError as wrong:
            log.warning("ID token was not accepted", issuer=self.provider.issuer, because=str(wrong))
            raise SignInFailed("token", str(wrong)) from None
        return claims


def _together(token: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The ID token's claims, and what it lacks of them; an address is verified only by who names it."""
    claims = {**more, **token}
    address = claims.get("email")
    # Some providers say it as a text.
    verified = any(
        said.get("email") == address and said.get("email_verified") in (True, "true") for said in (token, more)
    )
    claims.pop("email_verified", None)
    return claims | ({"email_verified": True} if address and verified else {})


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
