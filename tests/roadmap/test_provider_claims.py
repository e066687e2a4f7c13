"""What the board is told of its customers' identity provider, and who the provider's claims say somebody is."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.roadmap.people.provider import person_id, person_of
from services.roadmap.settings import RoadmapSettings
from shared.runtime.auth.oidc.failures import SignInFailed
from shared.runtime.settings import complaints

NEEDED: dict[str, Any] = {"kafka_bootstrap": "k:1", "jwks": "x", "database_dsn": "postgresql://r:p@h/d"}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"issuer": "https://id.example"}, "EARSHOT_BOARD_OIDC_CLIENT_ID is missing"),
        ({"client_id": "board"}, "EARSHOT_BOARD_OIDC_ISSUER is missing"),
        ({"client_secret": "a-secret-word"}, "EARSHOT_BOARD_OIDC_ISSUER is missing"),
        ({"issuer": "http://id.example", "client_id": "board"}, "must be an https address"),
        ({"issuer": "id.example", "client_id": "board"}, "EARSHOT_BOARD_OIDC_ISSUER"),
        ({"issuer": "https://id.example", "client_id": "board", "scopes": "profile"}, "EARSHOT_BOARD_OIDC_SCOPES"),
        (
            {"issuer": "https://id.example", "client_id": "board", "segment_claims": {"shoe": "size"}},
            "EARSHOT_BOARD_OIDC_SEGMENT_CLAIMS",
        ),
    ],
)
def test_half_a_provider_stops_the_start(told: dict[str, Any], says: str) -> None:
    """What is missing or cannot be is named by its variable, and no secret is repeated."""
    with pytest.raises(ValidationError) as wrong:
        settings(public_url="https://earshot.example", **{f"board_oidc_{name}": given for name, given in told.items()})
    said = "\n".join(complaints(wrong.value))
    assert says in said
    assert "a-secret-word" not in said + str(wrong.value)


def settings(**told: Any) -> RoadmapSettings:
    return RoadmapSettings(**(NEEDED | told))


def test_the_claims_make_a_person() -> None:
    """By default as an identity token's; elsewhere by the names configured, and what is of no use is left out."""
    said = {"sub": "7", "kind": "prospect", "segment": {"plan": "pro", "shoe": 43}, "account": "acme", "name": "A"}
    person = person_of(said, settings())
    assert (person.sub, person.kind, person.account, person.name) == ("7", "prospect", "acme", "A")
    assert person.segment.model_dump(exclude_none=True) == {"plan": "pro"}
    own = settings(
        board_oidc_subject_claim="https://example.com/id",
        board_oidc_kind_claim="app.stage",
        board_oidc_account_claim="org",
        board_oidc_segment_claims={"region": "address.country"},
    )
    said = {
        "sub": "7",
        "https://example.com/id": "customer-7",
        "app": {"stage": "vip"},
        "org": "no account / at all",
        "address": {"country": "DE"},
        "email": "cara@customer.example",
        "name": "x" * 301,
    }
    person = person_of(said, own)
    assert (person.sub, person.kind, person.account, person.name, person.email) == (
        "customer-7",
        "customer",
        None,
        None,
        None,
    )
    assert person.segment.model_dump(exclude_none=True) == {"region": "DE"}
    assert person_of({**said, "email_verified": True}, own).email == "cara@customer.example"
    with pytest.raises(SignInFailed, match=r"its claim https://example\.com/id is missing"):
        person_of({"sub": "7"}, own)


def test_a_subject_that_is_no_id_becomes_one() -> None:
    """The same for the same issuer and subject, another for any other; an id stays as it is."""
    assert person_id("https://id.example", "customer-7") == "customer-7"
    ids = {
        person_id(*pair)
        for pair in (("https://id.example", "auth0|7"), ("https://id.example", "auth0|8"), ("https://b", "auth0|7"))
    }
    assert len(ids) == 3
    assert person_id("https://id.example", "auth0|7") == "oidc-73bf79822961309c6b0be2584478e723"
