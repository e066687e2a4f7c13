"""Bearer tokens: issuing them with a private key, checking them against a JSON Web Key Set that rotates."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

log = structlog.get_logger(__name__)

ISSUER = "earshot"
ALGORITHMS = ("EdDSA", "ES256", "RS256")
LEEWAY_SECONDS = 30.0
MOST_REMEMBERED = 1000
"""By how much the clocks of whoever signs and whoever checks may differ."""

REFRESH_SECONDS = 300.0
"""After this time a key that was withdrawn is trusted no longer."""

MINIMUM_BETWEEN_LOADS_SECONDS = 5.0
"""Tokens of unknown keys, which anybody can make up, lead to no more requests than this."""

STALE_SECONDS = 86_400.0
"""For this long the last known keys stay good while the key set cannot be read."""

LOAD_SECONDS = 5.0
MAX_KEY_SET_BYTES = 1_000_000
PUBLIC_MEMBERS = frozenset({"kty", "use", "alg", "kid", "crv", "x", "y", "n", "e"})


class TokenError(Exception):
    """The token is not to be trusted; the message says why."""


class KeysUnavailableError(Exception):
    """The key set cannot be read, so nobody knows whether the token is good."""


def key_id(key: "Ed25519PrivateKey | EllipticCurvePrivateKey") -> str:
    """A name for the key that anyone who knows the public half can compute."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:16]


def issue(
    key_pem: bytes,
    *,
    subject: str,
    role: str,
    name: str | None = None,
    audience: str = "earshot",
    lifetime: timedelta,
    now: datetime,
) -> str:
    """A signed token for the subject in the role."""
    key, kid = _signing_key(key_pem)
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": subject,
        "aud": audience,
        "role": role,
        "iat": now,
        "exp": now + lifetime,
        "jti": str(uuid4()),
    } | ({"name": name} if name else {})
    algorithm = "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


@lru_cache(maxsize=4)  # the gateway signs a token for every request
def _signing_key(pem: bytes) -> tuple["Ed25519PrivateKey | EllipticCurvePrivateKey", str]:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey):
        raise TokenError("the signing key must be Ed25519 or an elliptic curve key")
    return key, key_id(key)


class KeySet:
    """The public keys at a path or URL: read again every five minutes, and when a token names an unknown key.

    A token need not name its key where the set has one alone (OpenID Connect Core 1.0, section 10.1).
    """

    def __init__(self, location: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.location, self._clock = location, clock
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._entries: list[dict[str, str]] = []
        # A system shows the same token with every call, and checking a signature costs more than all else of it.
        self._verified: dict[tuple[str, str, str], tuple[str | None, dict[str, Any]]] = {}
        self._tried_at = self._read_at = float("-inf")
        self._loading = asyncio.Lock()

    async def verify(self, token: str, *, audience: str, issuer: str) -> dict[str, Any]:
        """The token's claims.

        Raises:
            TokenError: signature, key, audience, issuer or time is wrong.
            KeysUnavailableError: there are no keys to check it with.
        """
        this = token, audience, issuer
        if (known := self._verified.get(this)) is not None:
            name, claims = known
            if claims["exp"] > time.time() - LEEWAY_SECONDS:
                await self._key(name)  # which may have been withdrawn meanwhile
                if this in self._verified:
                    return claims
        try:
            name = jwt.get_unverified_header(token).get("kid")
            # The key decides about the algorithm, not the token: a public key never serves as an HMAC secret.
            claims = jwt.decode(
                token,
                await self._key(name),
                algorithms=list(ALGORITHMS),
                audience=audience,
                issuer=issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud", "iss"]},
            )
        except jwt.PyJWTError as wrong:
            raise TokenError(str(wrong)) from None
        if len(self._verified) >= MOST_REMEMBERED:
            self._verified.clear()
        self._verified[this] = name, claims
        return claims

    async def published(self) -> list[dict[str, str]]:
        """The keys as others may read them: public members only."""
        await self._refresh(REFRESH_SECONDS)
        return self._entries

    async def _key(self, name: str | None) -> jwt.PyJWK:
        # Whoever has a known key does not wait for the loading that a stranger's token sets off.
        if name not in self._keys:
            await self._refresh(MINIMUM_BETWEEN_LOADS_SECONDS)
        elif not self._loading.locked():
            await self._refresh(REFRESH_SECONDS)
        if self._clock() - self._read_at > STALE_SECONDS:
            raise KeysUnavailableError("the keys that tokens are checked with cannot be read")
        if name not in self._keys:
            if name is None:
                raise TokenError("the token does not name its key (kid), and there is not one trusted key alone")
            raise TokenError(f"the token is signed by key {name!r}, which is not among the trusted ones")
        return self._keys[name]

    async def _refresh(self, after_seconds: float) -> None:
        """Read the key set again if that was not tried for so long; who comes meanwhile waits for the same reading."""
        if self._clock() - self._tried_at <= after_seconds:
            return
        async with self._loading:
            if self._clock() - self._tried_at > after_seconds:
                await self._load()

    async def _load(self) -> None:
        try:
            found = json.loads(await asyncio.to_thread(_read, self.location))["keys"]
            entries = [{name: said for name, said in entry.items() if name in PUBLIC_MEMBERS} for entry in found]
            keys = _by_name(entries)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            log.warning("key set cannot be read", because=repr(fault), keys_known=len(self._keys))
            return
        finally:
            self._tried_at = self._clock()
        self._keys, self._read_at = keys, self._clock()
        self._verified.clear()
        self._entries = [entry for entry in entries if entry.get("kid") in keys]


def _by_name(entries: Sequence[Mapping[str, Any]]) -> dict[str | None, jwt.PyJWK]:
    """The usable keys; one alone is also what a token without a name means."""
    usable = [(entry.get("kid"), key) for entry in entries if (key := _usable(entry)) is not None]
    named: dict[str | None, jwt.PyJWK] = {name: key for name, key in usable if name}
    return named | {None: usable[0][1]} if len(usable) == 1 else named


def _usable(entry: Mapping[str, Any]) -> jwt.PyJWK | None:
    """The public key of an entry; none for a secret, a key for encryption, and what we cannot check with."""
    if entry.get("kty") not in {"EC", "OKP", "RSA"} or entry.get("use", "sig") != "sig":
        return None
    with contextlib.suppress(jwt.PyJWTError):
        return jwt.PyJWK(dict(entry))
    return None


def _read(location: str) -> bytes:
    if location.startswith(("http://", "https://")):
        with urlopen(location, timeout=LOAD_SECONDS) as answer:  # noqa: S310 - http or https, the operator's setting
            content: bytes = answer.read(MAX_KEY_SET_BYTES)
            return content
    return Path(location).read_bytes()
