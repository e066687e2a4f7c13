"""ID tokens that nobody may be signed in by: each forger makes one of the provider's own."""

import base64
import hmac
import json
from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.gateway.provider import Provider


def changed(**claims: object) -> Callable[[Provider], Callable[[str], str]]:
    """The provider's own token with other claims, well signed."""

    def forger(provider: Provider) -> Callable[[str], str]:
        def forge(token: str) -> str:
            said = jwt.decode(token, options={"verify_signature": False}) | claims
            return jwt.encode(said, provider.key.private_key(), "RS256", headers={"kid": provider.key.kid})

        return forge

    return forger


def unsigned(provider: Provider) -> Callable[[str], str]:
    header = {"kid": provider.key.kid}
    return lambda token: jwt.encode(jwt.decode(token, options={"verify_signature": False}), "", "none", header)


def signed_with_the_public_key(provider: Provider) -> Callable[[str], str]:
    """Taken as an HMAC secret, the public key is one that everybody knows."""
    spki = provider.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def forge(token: str) -> str:
        part = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": provider.key.kid}).encode()).rstrip(b"=")
        signed = part + b"." + token.split(".")[1].encode()
        digest = base64.urlsafe_b64encode(hmac.digest(spki, signed, "sha256")).rstrip(b"=")
        return (signed + b"." + digest).decode()

    return forge


def broken(_provider: Provider) -> Callable[[str], str]:
    return lambda token: token[:-8] + "AAAAAAAA"


def signed_by_a_stranger(_provider: Provider) -> Callable[[str], str]:
    """A key of the forger's own, under a name that the provider's key set does not have."""
    key = generate_private_key(65537, 2048)
    return lambda token: jwt.encode(
        jwt.decode(token, options={"verify_signature": False}), key, "RS256", headers={"kid": "stranger"}
    )


def without(claim: str) -> Callable[[Provider], Callable[[str], str]]:
    """The provider's own token, well signed, but without the claim."""

    def forger(provider: Provider) -> Callable[[str], str]:
        def forge(token: str) -> str:
            said = jwt.decode(token, options={"verify_signature": False})
            del said[claim]
            return jwt.encode(said, provider.key.private_key(), "RS256", headers={"kid": provider.key.kid})

        return forge

    return forger
