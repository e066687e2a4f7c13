"""The identity provider of the company's customers (OpenID Connect), and who its claims say somebody is."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import structlog
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import State

from services.roadmap.people import writing
from services.roadmap.people.identity import Person
from services.roadmap.settings import RoadmapSettings
from shared.contract.types import Email, Id, Line, Segment
from shared.runtime import Problem
from shared.runtime.auth.oidc.attempts import inside
from shared.runtime.auth.oidc.failures import SignInFailed
from shared.runtime.auth.oidc.provider import Provider
from shared.runtime.auth.oidc.relying_party import RelyingParty
from shared.runtime.auth.roles import values_at
from shared.ui.words import _

log = structlog.get_logger(__name__)

BEGIN, CALLBACK, HOME = "/sign-in/company", "/sign-in/callback", "/board"

_ID, _LINE, _EMAIL = (TypeAdapter[str](kind) for kind in (Id, Line, Email))


class Offered(NamedTuple):
    """The provider as the sign-in page shows it: what it is called, and the path that leads there."""

    name: str
    path: str


def offered(state: State, to: str) -> Offered | None:
    """The way in by the provider and back to `to`, a path of any origin; None where no provider is configured."""
    settings: RoadmapSettings = state.settings
    if settings.board_oidc_issuer is None:
        return None
    name = settings.board_oidc_name or urlsplit(settings.board_oidc_issuer).hostname or settings.board_oidc_issuer
    return Offered(name, f"{BEGIN}?{urlencode({'to': inside(to, home=HOME)})}")


def relying_party(state: State) -> RelyingParty:
    """The board as the provider's client; one for each application, made when it is first asked for.

    Raises Problem 404 where no provider is configured.
    """
    settings: RoadmapSettings = state.settings
    if settings.board_oidc_issuer is None or settings.board_oidc_client_id is None:
        raise Problem(404, _("No such sign-in"), _("This board has none by OpenID Connect. Sign in by e-mail."))
    if not hasattr(state, "board_provider"):
        state.board_provider = RelyingParty(
            Provider(settings.board_oidc_issuer, settings.board_oidc_client_id, settings.board_oidc_client_secret),
            redirect_uri=f"{writing.base(settings)}{CALLBACK}",
            scopes=settings.board_oidc_scopes,
            needed=(
                settings.board_oidc_subject_claim,
                settings.board_oidc_kind_claim,
                settings.board_oidc_account_claim,
                *settings.board_oidc_segment_claims.values(),
                "name",
                "email",
            ),
        )
    site: RelyingParty = state.board_provider
    return site


def person_of(claims: Mapping[str, Any], settings: RoadmapSettings) -> Person:
    """Whom the claims describe, as an identity token would; what is optional and of no use is left out.

    Raises:
        SignInFailed: the claim that says who it is is missing.
    """
    subjects = [value for value in values_at(claims, settings.board_oidc_subject_claim) if value]
    if not subjects:
        raise SignInFailed("token", f"its claim {settings.board_oidc_subject_claim} is missing")
    dimensions = {name: _fitting(_LINE, claims, path) for name, path in settings.board_oidc_segment_claims.items()}
    return Person(
        sub=person_id(settings.board_oidc_issuer or "", subjects[0]),
        kind="prospect" if values_at(claims, settings.board_oidc_kind_claim)[:1] == ["prospect"] else "customer",
        name=_fitting(_LINE, claims, "name"),
        # An address that the provider did not verify is anybody's, and would take over its owner's votes.
        email=_fitting(_EMAIL, claims, "email") if claims.get("email_verified") is True else None,
        account=_fitting(_ID, claims, settings.board_oidc_account_claim),
        segment=Segment(**dimensions),
    )


def person_id(issuer: str, subject: str) -> str:
    """The subject as it is, the company's id in events too; one that is no id (`auth0|7`) becomes a digest."""
    try:
        return _ID.validate_python(subject)
    except ValidationError:
        digest = sha256(f"{issuer}\n{subject}".encode("utf-8", "surrogatepass"))
        return f"oidc-{digest.hexdigest()[:32]}"


def _fitting(kind: TypeAdapter[str], claims: Mapping[str, Any], path: str) -> str | None:
    """What the claim holds, if it is such a value."""
    for value in values_at(claims, path):
        try:
            return kind.validate_python(value)
        except ValidationError:
            log.info("claim of the identity provider is not used", claim=path)
    return None
