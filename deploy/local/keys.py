"""The local installation's secrets: database passwords and the key that signs tokens, made on first use."""

import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from deploy.local.paths import Home


def password(home: Home, role: str) -> str:
    """The password of a database role."""
    file = home.secrets / f"{role}.password"
    if not file.exists():
        _write(file, secrets.token_urlsafe(32).encode())
    return file.read_text()


def signing_key(home: Home) -> Path:
    """The PEM file of the private key (EC P-256, PKCS8)."""
    file = home.secrets / "signing-key.pem"
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        encoding, layout = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        _write(file, key.private_bytes(encoding, layout, serialization.NoEncryption()))
    return file


def jwks(home: Home) -> Path:
    """The JSON Web Key Set with the public half of the signing key."""
    file = home.secrets / "jwks.json"
    if not file.exists():
        from shared.runtime.tokens import key_id  # noqa: PLC0415 - slow to import, and needed once

        key = serialization.load_pem_private_key(signing_key(home).read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        published = {**public, "kid": key_id(key), "use": "sig", "alg": "ES256"}
        _write(file, json.dumps({"keys": [published]}).encode())
    return file


def _write(file: Path, content: bytes) -> None:
    """Write whole or not at all, readable by the owner alone."""
    draft = file.with_suffix(f".{os.getpid()}.new")
    with open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as target:
        target.write(content)
    draft.replace(file)
