"""Identity tokens: a company's own application says who its visitor is, signed with a key of the company.

A JSON Web Token, HS256 or EdDSA, named by `kid`: `sub` the person's id as in events, `aud`, `exp` at most ten minutes
after `iat`, `jti` used once; and, where known, `kind`, `name`, `email`, `account`, `segment`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import ConfigDict, ValidationError

from shared.contract.envelope import in_words
from shared.contract.types import Email, Id, Line, Schema, Segment

LONGEST_LIFE = timedelta(minutes=10)
LEEWAY = timedelta(seconds=30)
"""By how much the company's clock and ours may differ."""
SHORTEST_SECRET = 32
"""Bytes; RFC 7518, section 3.2."""


class NotTrusted(Exception):  # noqa: N818 - named for what the token is
    """The token vouches for nobody; the message says why."""


class Person(Schema):
    """Whom the company vouches for."""

    model_config = ConfigDict(extra="ignore")

    sub: Id
    kind: Literal["customer", "prospect"] = "customer"
    name: Line | None = None
    email: Email | None = None
    account: Id | None = None
    segment: Segment = Segment()


class Claims(Person):
    """The same, and the number of a token that works once."""

    jti: Line


class Identity(Schema):
    """Somebody the company vouches for, the digest of the token that may be used once, and its end."""

    person: Claims
    digest: bytes
    expires_at: datetime


def usable_key(text: str) -> "str | Ed25519PublicKey":
    """The secret itself, or the public key that PEM holds.

    Raises:
        ValueError: it is neither.
    """
    if "-----BEGIN" in text:
        key = load_pem_public_key(text.encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("must be an Ed25519 public key")
        return key
    if len(text.encode()) < SHORTEST_SECRET:
        raise ValueError("must have 32 bytes or more (openssl rand -base64 32)")
    return text


def verify(token: str, keys: Mapping[str, str], *, audience: str, now: datetime) -> Identity:
    """Whom the token vouches for.

    Raises:
        NotTrusted: it vouches for nobody.
    """
    try:
        name = str(jwt.get_unverified_header(token).get("kid"))
        if name not in keys:
            raise NotTrusted(f"it is signed by key {name[:60]!r}, which is none of ours")
        key = usable_key(keys[name])
        claims = jwt.decode(
            token,
            key,
            # The key decides, not the token: a public key never serves as a shared secret.
            algorithms=["HS256" if isinstance(key, str) else "EdDSA"],
            audience=audience,
            options={"require": ["sub", "aud", "iat", "exp", "jti"], "verify_exp": False, "verify_iat": False},
        )
        begun, ends = (datetime.fromtimestamp(claims[claim], UTC) for claim in ("iat", "exp"))
    except jwt.PyJWTError as wrong:
        raise NotTrusted(str(wrong)) from None
    except (TypeError, ValueError, OverflowError, OSError):
        raise NotTrusted("its iat or exp is no time") from None
    if not begun - LEEWAY <= now < ends + LEEWAY:
        raise NotTrusted("it is not valid now; make a new one for every visit")
    if ends - begun > LONGEST_LIFE:
        raise NotTrusted("it lives longer than ten minutes")
    try:
        person = Claims.model_validate(claims)
    except ValidationError as wrong:
        raise NotTrusted(in_words(wrong.errors())) from None
    digest = sha256(f"{name}\n{person.jti}".encode()).digest()
    return Identity(person=person, digest=digest, expires_at=ends + LEEWAY)
