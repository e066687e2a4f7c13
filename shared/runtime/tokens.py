"""Bearer tokens: issuing them with a private key, checking them against a JSON Web Key Set that may rotate."""

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

ISSUER = "earshot"
ALGORITHMS = ("EdDSA", "ES256", "RS256")
REFRESH_SECONDS = 300.0
MINIMUM_BETWEEN_LOADS_SECONDS = 5.0
MAX_KEY_SET_BYTES = 1_000_000


class TokenError(Exception):
    """The token is not to be trusted; the message says why."""


def key_id(key: "Ed25519PrivateKey | EllipticCurvePrivateKey") -> str:
    """A name for the key that anyone who knows the public half can compute."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:16]


def issue(
    key_pem: bytes,
    *,
    subject: str,
    role: str,
    audience: str = "earshot",
    lifetime: timedelta,
    now: datetime,
) -> str:
    """A signed token for the subject in the role."""
    key = load_pem_private_key(key_pem, None)
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey):
        raise TokenError("the signing key must be Ed25519 or an elliptic curve key")
    claims = {
        "iss": ISSUER,
        "sub": subject,
        "aud": audience,
        "role": role,
        "iat": now,
        "exp": now + lifetime,
        "jti": str(uuid4()),
    }
    algorithm = "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id(key)})


def _read(location: str) -> bytes:
    if location.startswith(("http://", "https://")):
        with urlopen(location, timeout=5) as answer:  # noqa: S310 - http or https, and the operator's own setting
            content: bytes = answer.read(MAX_KEY_SET_BYTES)
            return content
    return Path(location).read_bytes()


class KeySet:
    """The public keys at a path or URL, loaded again when a token names a key that is not among them."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._loaded_at = float("-inf")
        self._loading = asyncio.Lock()

    async def verify(self, token: str, *, audience: str, issuer: str) -> dict[str, Any]:
        """The token's claims.

        Raises:
            TokenError: signature, key, audience, issuer or time is wrong.
        """
        try:
            name = jwt.get_unverified_header(token).get("kid")
            key = await self._key(name)
            return jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=audience,
                issuer=issuer,
                options={"require": ["exp", "sub", "aud", "iss"]},
            )
        except jwt.PyJWTError as wrong:
            raise TokenError(str(wrong)) from None

    async def _key(self, name: str | None) -> jwt.PyJWK:
        if self._age() > REFRESH_SECONDS or name not in self._keys:
            # Whoever has a known key does not wait for the loading that a stranger's token sets off.
            if name is not None and name in self._keys and self._loading.locked():
                return self._keys[name]
            async with self._loading:
                if self._age() > (REFRESH_SECONDS if name in self._keys else MINIMUM_BETWEEN_LOADS_SECONDS):
                    await self._load()
        if name is None or name not in self._keys:
            raise TokenError(f"the token is signed by key {name!r}, which is not among the trusted ones")
        return self._keys[name]

    def _age(self) -> float:
        return time.monotonic() - self._loaded_at

    async def _load(self) -> None:
        try:
            keys = jwt.PyJWKSet.from_dict(json.loads(await asyncio.to_thread(_read, self._location))).keys
        except (OSError, ValueError, AttributeError, jwt.PyJWTError) as fault:
            if not self._keys:
                raise TokenError(f"the key set cannot be read: {fault}") from None
            return  # the keys known so far stay good until the set is back
        finally:
            self._loaded_at = time.monotonic()
        self._keys = {key.key_id: key for key in keys if key.key_id}
