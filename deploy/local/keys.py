"""The local installation's secrets: database passwords and the keys that sign tokens, made on first use."""

import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from deploy.local.paths import Home

SIGNING, NEXT = "signing-key.pem", "next-signing-key.pem"


def password(home: Home, role: str) -> str:
    """The password of a database role."""
    file = home.secrets / f"{role}.password"
    if not file.exists():
        _write(file, secrets.token_urlsafe(32).encode())
    return file.read_text()


def signing_key(home: Home) -> Path:
    """The PEM file of the private key (EC P-256, PKCS8)."""
    return _key(home, SIGNING)


def jwks(home: Home) -> Path:
    """The JSON Web Key Set: the public halves of the key that signs, the one that will, and the one that did."""
    file = home.secrets / "jwks.json"
    if not file.exists():
        _publish(file, [_public(_key(home, SIGNING)), _public(_key(home, NEXT))])
    return file


def rotate(home: Home, *, forget_old: bool = False) -> str:
    """Sign with the next key from now on; gives its id.

    It was published before it signs, so nobody meets a key unknown to them. What the last key signed is good until the
    next rotation; with `forget_old` it is refused as soon as the services read the key set again (five minutes).
    """
    file = jwks(home)
    last, current = _public(_key(home, SIGNING)), _public(_key(home, NEXT))
    _publish(file, [last, current])
    (home.secrets / NEXT).replace(home.secrets / SIGNING)
    _publish(file, [current, _public(_key(home, NEXT)), *([] if forget_old else [last])])
    return current["kid"]


def _key(home: Home, name: str) -> Path:
    file = home.secrets / name
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        encoding, layout = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        _write(file, key.private_bytes(encoding, layout, serialization.NoEncryption()))
    return file


def _public(file: Path) -> dict[str, str]:
    from shared.runtime.auth.tokens import key_id  # noqa: PLC0415 - slow to import, and needed once

    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    public: dict[str, str] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": key_id(key), "use": "sig", "alg": "ES256"}


def _publish(file: Path, keys: list[dict[str, str]]) -> None:
    _write(file, json.dumps({"keys": keys}).encode())


def _write(file: Path, content: bytes) -> None:
    """Write whole or not at all, readable by the owner alone."""
    draft = file.with_suffix(f".{os.getpid()}.new")
    with open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as target:
        target.write(content)
    draft.replace(file)
