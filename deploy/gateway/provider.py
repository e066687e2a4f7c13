"""What an OpenID provider is asked over HTTP: its metadata, its keys, tokens for a code, and more about a person."""

import time
from typing import Any, NoReturn
from urllib.parse import quote_plus

import httpx
import structlog
from pydantic import BaseModel, SecretStr, ValidationError

from shared.runtime.auth.tokens import KeySet, KeysUnavailableError
from shared.runtime.errors import Problem

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 10.0
METADATA_SECONDS = 3600.0
LONGEST_SHOWN = 200  # characters of what a provider says
REFUSED = "Sign-in did not work"
FAULTS = (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError)
"""Nobody answers, or something other than what was asked for; pydantic's errors are ValueErrors."""


class Metadata(BaseModel):
    """What the provider publishes of itself, as far as we use it (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)

    def require(self, issuer: str) -> None:
        """Raises ValueError for metadata that are another provider's, or lead to less safe addresses than its own."""
        if self.issuer != issuer:
            raise ValueError(f"it calls itself {self.issuer!r}; EARSHOT_OIDC_ISSUER must be the same to the letter")
        used = [self.authorization_endpoint, self.token_endpoint, self.jwks_uri]
        used += [url for url in (self.userinfo_endpoint, self.end_session_endpoint) if url]
        safe = ("https://",) if issuer.startswith("https://") else ("https://", "http://")
        if not all(url.startswith(safe) for url in used):
            raise ValueError("one of its endpoints is no https address")


class Tokens(BaseModel):
    """What the provider gives for a code."""

    id_token: str
    access_token: str | None = None


class Provider:
    """The provider at an issuer's address, and us as its client; asked when first needed.

    Every method raises Problem 502 where the provider does not answer as it should.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: SecretStr | None) -> None:
        self.issuer, self.client_id, self._secret = issuer, client_id, client_secret
        self._http: httpx.AsyncClient | None = None
        self._metadata: Metadata | None = None
        self._keys: KeySet | None = None
        self._read_at = float("-inf")

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def metadata(self) -> Metadata:
        """Read again every hour; the last known serve while the provider is away."""
        if self._metadata is None or time.monotonic() - self._read_at > METADATA_SECONDS:
            try:
                answer = await self._client.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                found = Metadata.model_validate_json(answer.raise_for_status().content)
                found.require(self.issuer)
            except FAULTS as fault:
                if self._metadata is None:
                    self._does_not_answer("metadata", fault)
                log.warning("identity provider's metadata are old", issuer=self.issuer, because=_in_words(fault))
            else:
                if self._keys is None or self._keys.location != found.jwks_uri:
                    self._keys = KeySet(found.jwks_uri)
                self._metadata = found
            self._read_at = time.monotonic()
        return self._metadata

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Tokens:
        """The tokens for a code.

        Raises:
            Problem: 400 for a code that was used or is too old, 502 where we are not accepted as a client.
        """
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        proof: httpx.Auth = httpx.Auth()
        if self._secret is None:
            form["client_id"] = self.client_id
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            # RFC 6749, section 2.3.1: both are form-encoded before they become a user and a password.
            proof = httpx.BasicAuth(quote_plus(self.client_id), quote_plus(self._secret.get_secret_value()))
        else:
            form |= {"client_id": self.client_id, "client_secret": self._secret.get_secret_value()}
        try:
            answer = await self._client.post(metadata.token_endpoint, data=form, auth=proof)
            if answer.is_success:
                return Tokens.model_validate_json(answer.content)
            error = str(answer.json()["error"])[:LONGEST_SHOWN]
        except FAULTS as fault:
            self._does_not_answer("token endpoint", fault)
        log.warning("code was not accepted", issuer=self.issuer, status=answer.status_code, error=error)
        if error == "invalid_grant":
            raise Problem(
                400, REFUSED, "The company's sign-in says that it was finished already or took too long. Begin anew."
            )
        raise Problem(
            502, REFUSED, "The company's sign-in does not accept Earshot as its client; the gateway's log says why."
        )

    async def claims(self, id_token: str) -> dict[str, Any]:
        """What a genuine ID token says.

        Raises:
            TokenError: signature, issuer, audience or time is wrong.
        """
        metadata = await self.metadata()
        assert self._keys is not None
        try:
            return await self._keys.verify(id_token, audience=self.client_id, issuer=metadata.issuer)
        except KeysUnavailableError as fault:
            self._does_not_answer("keys", fault)

    async def more_about(self, subject: str, access_token: str) -> dict[str, Any]:
        """What the provider tells of the person only when asked; nothing where it cannot be asked."""
        url = (await self.metadata()).userinfo_endpoint
        if url is None:
            return {}
        try:
            answer = await self._client.get(url, headers={"Authorization": f"Bearer {access_token}"})
            told: dict[str, Any] = answer.raise_for_status().json()
            if told["sub"] != subject:
                raise ValueError("it tells of somebody else")
        except FAULTS as fault:
            self._does_not_answer("userinfo", fault)
        return told

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._http is None:  # made when first needed: reading the certificate authorities takes its time
            self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, headers={"Accept": "application/json"})
        return self._http

    def _does_not_answer(self, asked: str, fault: Exception) -> NoReturn:
        log.warning("identity provider cannot be used", issuer=self.issuer, asked=asked, because=_in_words(fault))
        raise Problem(
            502, "The company's sign-in does not answer", "Try again in a moment; nothing is wrong with your account."
        ) from None


def _in_words(fault: Exception) -> str:
    """The fault without what was received, which may be a token."""
    if isinstance(fault, ValidationError):
        return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in fault.errors())
    return f"{type(fault).__name__}: {fault}"
