"""What an OpenID provider is asked over HTTP: its metadata, its keys, tokens for a code, and more about a person."""

import ssl
import time
from functools import cache
from typing import Any, NoReturn
from urllib.parse import quote_plus

import httpx
import structlog
from pydantic import BaseModel, SecretStr, ValidationError

from shared.runtime.auth.tokens import KeySet, KeysUnavailableError

from .failures import SignInFailed

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 10.0
METADATA_SECONDS = 3600.0
LONGEST_SHOWN = 200
"""Characters of what a provider says."""
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
            raise ValueError(f"it calls itself {self.issuer!r}; the configured issuer must be the same to the letter")
        used = [self.authorization_endpoint, self.token_endpoint, self.jwks_uri]
        used += [url for url in (self.userinfo_endpoint, self.end_session_endpoint) if url]
        if not all(as_safe_as(issuer, url) for url in used):
            raise ValueError("one of its endpoints is no https address")


def as_safe_as(ours: str, url: str) -> bool:
    """Whether the address leads over https, or need not since ours does not either."""
    return url.startswith(("https://",) if ours.startswith("https://") else ("https://", "http://"))


class Tokens(BaseModel):
    """What the provider gives for a code."""

    id_token: str
    access_token: str | None = None


class Provider:
    """The provider at an issuer's address, and us as its client; asked when first needed.

    Every method raises SignInFailed, `away`, where the provider does not answer as it should.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: SecretStr | None) -> None:
        self.issuer, self.client_id, self._secret = issuer, client_id, client_secret
        self._metadata: Metadata | None = None
        self._keys: KeySet | None = None
        self._read_at = float("-inf")

    async def metadata(self) -> Metadata:
        """Read again every hour; the last known serve while the provider is away."""
        if self._metadata is None or time.monotonic() - self._read_at > METADATA_SECONDS:
            try:
                async with _client() as client:
                    answer = await client.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
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
            SignInFailed: `used` for a code that was used or is too old, `client` where we are not accepted as one.
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
            async with _client() as client:
                answer = await client.post(metadata.token_endpoint, data=form, auth=proof)
            if answer.is_success:
                return Tokens.model_validate_json(answer.content)
            if answer.is_server_error:
                answer.raise_for_status()
            error = str(answer.json()["error"])[:LONGEST_SHOWN]
        except FAULTS as fault:
            self._does_not_answer("token endpoint", fault)
        log.warning("code was not accepted", issuer=self.issuer, status=answer.status_code, error=error)
        raise SignInFailed("used" if error == "invalid_grant" else "client")

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
            async with _client() as client:
                answer = await client.get(url, headers={"Authorization": f"Bearer {access_token}"})
            told: dict[str, Any] = answer.raise_for_status().json()
            if told["sub"] != subject:
                raise ValueError("it tells of somebody else")
        except FAULTS as fault:
            self._does_not_answer("userinfo", fault)
        return told

    def _does_not_answer(self, asked: str, fault: Exception) -> NoReturn:
        log.warning("identity provider cannot be used", issuer=self.issuer, asked=asked, because=_in_words(fault))
        raise SignInFailed("away") from None


def _client() -> httpx.AsyncClient:
    """For one question: sign-ins are far apart, and nothing has to be closed in the end."""
    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, headers={"Accept": "application/json"}, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    """Read once, when first needed: that takes its time."""
    return httpx.create_ssl_context()


def _in_words(fault: Exception) -> str:
    """The fault without what was received, which may be a token."""
    if isinstance(fault, ValidationError):
        return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in fault.errors())
    return f"{type(fault).__name__}: {fault}"
