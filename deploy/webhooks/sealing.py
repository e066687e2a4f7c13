"""Secrets of receivers as they lie in the database: sealed with a key that only the environment holds."""

import secrets

from cryptography.fernet import InvalidToken, MultiFernet
from pydantic import SecretStr

from .settings import fernet
from .signing import SECRET_BYTES, secret_of


class Unreadable(Exception):  # noqa: N818 - named for what the secret is
    """None of the keys opens the secret."""


class Sealer:
    """Seals with the first of the keys and opens with any."""

    def __init__(self, keys: SecretStr) -> None:
        ciphers = [fernet(key) for key in keys.get_secret_value().split(",")]
        self._first, self._all = MultiFernet(ciphers[:1]), MultiFernet(ciphers)

    def seal(self, secret: str) -> str:
        return self._first.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret.

        Raises:
            Unreadable: it was sealed with a key that is no longer given.
        """
        try:
            return self._all.decrypt(sealed).decode()
        except InvalidToken:
            raise Unreadable("no key in EARSHOT_WEBHOOK_KEY opens the secret; give the former one too") from None

    def renewed(self, sealed: str) -> str | None:
        """The same secret sealed with the first key; None where it is already."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None


def new_secret() -> str:
    return secret_of(secrets.token_bytes(SECRET_BYTES))
