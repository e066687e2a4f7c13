"""Identity tokens of the company's own application."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from services.roadmap.people.identity import NotTrusted, usable_key, verify
from services.roadmap.settings import RoadmapSettings
from shared.contract.events import FeatureVoted
from tests.roadmap.events import add_idea, supporters
from tests.roadmap.people import sign_in, vote
from tests.support.service import START, ServiceUnderTest, service_under_test

SECRET = "the-company-and-the-board-share-this-secret"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
KEYS = {"app": SECRET, "shop": PUBLIC}


def token(key: Any = SECRET, kid: str = "app", algorithm: str = "HS256", **claims: Any) -> str:
    """A token that would be accepted, but for what the test changes; a claim of None is left out."""
    every = {
        "sub": "customer-7",
        "aud": "earshot-board",
        "iat": int(START.timestamp()),
        "exp": int((START + timedelta(minutes=5)).timestamp()),
        "jti": "visit-1",
        **claims,
    }
    told = {name: value for name, value in every.items() if value is not None}
    return jwt.encode(told, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
async def roadmap(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    """A roadmap that trusts two keys of the company, with two ideas."""
    async with service_under_test("roadmap", tmp_path, told={"board_keys": KEYS}) as service:
        await add_idea(service, "export")
        await add_idea(service, "search")
        yield service


def test_both_kinds_of_keys_vouch() -> None:
    """A shared secret by HS256, a public key by EdDSA; the claims come out as they were given."""
    for given in (token(), token(PRIVATE, "shop", "EdDSA")):
        identity = verify(given, KEYS, audience="earshot-board", now=START)
        assert (identity.person.sub, identity.person.kind, identity.person.name) == ("customer-7", "customer", None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (token(key="another-secret-of-thirty-two-bytes-or-more"), "Signature verification failed"),
        (token(kid="stranger"), "none of ours"),
        (token(aud="another"), "Audience doesn't match"),
        (token(iat=int(START.timestamp()) - 3600, exp=int(START.timestamp()) - 3000), "not valid now"),
        (token(iat=int(START.timestamp()) + 60), "not valid now"),
        (token(exp=int(START.timestamp()) + 601), "longer than ten minutes"),
        (token(jti=None), 'missing the "jti" claim'),
        (token(sub=None), 'missing the "sub" claim'),
        (token(exp=None), 'missing the "exp" claim'),
        (token(exp=10**20), "is no time"),
        (token(sub="a/b"), "sub"),
        (token(kind="team"), "kind"),
        (token(email="nowhere"), "e-mail"),
        ("", "Not enough segments"),
    ],
)
def test_a_wrong_token_vouches_for_nobody(given: str, says: str) -> None:
    """Whatever is wrong is named."""
    with pytest.raises(NotTrusted, match=says):
        verify(given, KEYS, audience="earshot-board", now=START)


def at(seconds: int) -> int:
    """So many seconds after the start, as tokens say it."""
    return int(START.timestamp()) + seconds


@pytest.mark.parametrize(
    ("begun", "ends", "taken"),
    [
        (30, 300, True),
        (31, 300, False),
        (-300, -29, True),
        (-300, -30, False),
        (0, 600, True),
        (0, 601, False),
    ],
)
def test_the_ends_of_a_tokens_life(begun: int, ends: int, taken: bool) -> None:  # noqa: FBT001 - a column of the table
    """Clocks may differ by half a minute to either side, and ten minutes is the longest life."""
    given = token(iat=at(begun), exp=at(ends))
    if not taken:
        with pytest.raises(NotTrusted):
            verify(given, KEYS, audience="earshot-board", now=START)
        return
    identity = verify(given, KEYS, audience="earshot-board", now=START)
    assert identity.expires_at == START + timedelta(seconds=ends + 30)


def test_the_boards_clock_alone_says_when_it_is() -> None:
    """A token of the year 2100 is valid in the year 2100, whatever the machine's clock says."""
    now = datetime(2100, 1, 1, tzinfo=UTC)
    given = token(iat=int(now.timestamp()), exp=int(now.timestamp()) + 60)
    assert verify(given, KEYS, audience="earshot-board", now=now).person.sub == "customer-7"


def test_a_secret_has_32_bytes() -> None:
    """As many as its digest; letters beyond ASCII are more than one."""
    for secret in ("s" * 32, "ü" * 16):
        assert usable_key(secret) == secret
    with pytest.raises(ValueError, match="32 bytes or more"):
        usable_key("s" * 31)


def test_a_public_key_of_another_kind_is_refused() -> None:
    """EdDSA is the only way by which public keys vouch; a key of an elliptic curve by NIST stops the start."""
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(ValueError, match="Ed25519"):
        usable_key(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def test_a_public_key_is_no_shared_secret() -> None:
    """A token signed with the public key's text as an HMAC secret, or not signed at all, is refused."""
    head, body = (
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (b'{"alg":"none","kid":"shop"}', b'{"sub":"x"}')
    )
    forged = jwt.encode({"sub": "x"}, SECRET, algorithm="HS256", headers={"kid": "shop"})
    for given in (f"{head}.{body}.", forged):
        with pytest.raises(NotTrusted, match="alg"):
            verify(given, KEYS, audience="earshot-board", now=START)


@pytest.mark.parametrize("key", ["too short", "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----"])
def test_a_weak_key_stops_the_start(key: str) -> None:
    """The settings name the variable, and do not repeat the key."""
    with pytest.raises(ValidationError) as wrong:
        RoadmapSettings(kafka_bootstrap="k:1", jwks="x", database_dsn="postgresql://r:p@h/d", board_keys={"app": key})
    assert "board_keys" in str(wrong.value)
    assert "nonsense" not in str(wrong.value)
    assert "too short" not in str(wrong.value)


async def test_the_apps_customer_votes_under_their_own_id(roadmap: ServiceUnderTest) -> None:
    """The person is the one that other channels know, with the segment the company gave."""
    given = token(segment={"plan": "pro", "region": "eu"}, name="Ana")
    answer = await roadmap.client.get("/identity", params={"token": given})
    assert (answer.status_code, answer.headers["location"]) == (303, "/board")
    await vote(roadmap, "export")
    [told] = await roadmap.published(FeatureVoted)
    assert (told.voter_id, told.voter_kind, told.segment.plan, told.segment.region) == (
        "customer-7",
        "customer",
        "pro",
        "eu",
    )
    assert await supporters(roadmap, "export") == 1


async def test_the_app_sends_people_to_a_page_of_the_board(roadmap: ServiceUnderTest) -> None:
    """`to` names it; what is no page of ours is the board."""
    for visit, (to, there) in enumerate([("/board/export", "/board/export"), ("//evil.example/", "/board")]):
        answer = await roadmap.client.get("/identity", params={"token": token(jti=f"visit-{visit}"), "to": to})
        assert (answer.status_code, answer.headers["location"]) == (303, there)


async def test_a_token_works_once(roadmap: ServiceUnderTest) -> None:
    """The second use is refused with the reason, and signs nobody in."""
    given = token()
    await roadmap.client.get("/identity", params={"token": given})
    roadmap.client.cookies.clear()
    answer = await roadmap.client.get("/identity", params={"token": given})
    assert answer.status_code == 401
    assert "it was used before" in answer.json()["detail"]
    assert (await roadmap.client.get("/me")).headers["location"] == "/sign-in?to=%2Fme"


async def test_one_address_is_one_person(roadmap: ServiceUnderTest) -> None:
    """Whoever voted by mail first and then comes with the app's token is counted once, under the app's id."""
    member = await sign_in(roadmap, "ana@example.com")
    await vote(roadmap, "export")
    await vote(roadmap, "search")
    roadmap.client.cookies.clear()
    await roadmap.client.get("/identity", params={"token": token(email="Ana@example.com")})
    await vote(roadmap, "export")
    assert [await supporters(roadmap, idea) for idea in ("export", "search")] == [1, 1]
    rows = await roadmap.database.fetch("SELECT voter_id FROM votes WHERE vote = 'up'")
    assert {row["voter_id"] for row in rows} == {"customer-7"}
    assert member != "customer-7"
    assert await sign_in(roadmap, "ana@example.com") == "customer-7"


async def test_who_was_forgotten_does_not_come_back(roadmap: ServiceUnderTest) -> None:
    """The app goes on vouching for somebody who was removed: they are told so, and nothing of them is kept."""
    await roadmap.client.get("/identity", params={"token": token(email="ana@example.com")})
    assert (await roadmap.client.post("/me/erase")).headers["location"] == "/board"
    answer = await roadmap.client.get("/identity", params={"token": token(email="ana@example.com", jti="visit-2")})
    assert answer.status_code == 409
    assert "as you asked" in answer.json()["detail"]
    assert await roadmap.database.fetch("SELECT * FROM contacts") == []
    assert await roadmap.database.fetch("SELECT * FROM board_sessions") == []


async def test_without_keys_no_token_is_accepted(tmp_path: Path) -> None:
    """A board that trusts nobody refuses every token."""
    async with service_under_test("roadmap", tmp_path) as service:
        service.now = datetime.now(UTC)
        assert (await service.client.get("/identity", params={"token": token()})).status_code == 401
