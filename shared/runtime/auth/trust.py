"""Whose tokens are trusted: our gateway's, and those of the identity providers a company names."""

from functools import lru_cache

import jwt

from shared.runtime.settings import HttpSettings, TrustedIssuer

from .roles import role_of, values_at
from .tokens import KeySet, TokenError


class Trust:
    """Every trusted issuer with its keys; a token is checked by the keys of the issuer it names, and no others."""

    def __init__(self, settings: HttpSettings) -> None:
        ours = TrustedIssuer(
            issuer=settings.jwt_issuer, jwks=settings.jwks, audience=settings.jwt_audience, role_claim="role"
        )
        self.our_keys = KeySet(ours.jwks)
        self._issuers = {each.issuer: (each, KeySet(each.jwks)) for each in settings.trusted_issuers}
        self._issuers[ours.issuer] = (ours, self.our_keys)

    async def identify(self, token: str) -> tuple[str, str, str | None]:
        """The token's subject, role and, where it says one, the person's name.

        Raises:
            TokenError: the token is not accepted.
            KeysUnavailableError: it cannot be checked right now.
        """
        try:
            named = _issuer_named_in(token)
        except jwt.PyJWTError as wrong:
            raise TokenError(str(wrong)) from None
        if not isinstance(named, str) or named not in self._issuers:
            raise TokenError("its issuer is none that is trusted here")
        issuer, keys = self._issuers[named]
        claims = await keys.verify(token, audience=issuer.audience, issuer=issuer.issuer)
        if "nonce" in claims:
            raise TokenError("it tells an application who signed in (an ID token); send an access token")
        values = values_at(claims, issuer.role_claim)
        role = role_of(values, issuer.role_map)
        if role is None:
            said = ", ".join(values) or "empty"
            raise TokenError(f"its claim {issuer.role_claim} is {said}, which stands for no role")
        name = claims.get("name")
        return str(claims["sub"]), role, name if isinstance(name, str) else None


@lru_cache(maxsize=1000)
def _issuer_named_in(token: str) -> object:
    return jwt.decode(token, options={"verify_signature": False}).get("iss")
