"""The scan for secrets finds what it is there for."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.audit import secrets_in


def test_a_private_key_is_found_even_after_it_was_deleted(tmp_path: Path) -> None:
    """A key that was committed once is found in the history, though the file is gone."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "key.pem").write_bytes(key)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "a key"], check=True)
    subprocess.run([*git, "rm", "-q", "key.pem"], check=True)
    subprocess.run([*git, "commit", "-qm", "no key"], check=True)
    assert "key.pem" in secrets_in(tmp_path)


def test_a_folder_without_secrets_passes(tmp_path: Path) -> None:
    """Ordinary code and placeholders are no secrets."""
    (tmp_path / "settings.py").write_text('password = os.environ["PASSWORD"]\nexample = "change-me"\n')
    assert secrets_in(tmp_path) == ""
