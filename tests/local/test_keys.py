import json
import stat
from datetime import UTC, datetime, timedelta

from deploy.local import keys
from deploy.local.paths import Home
from shared.runtime.auth.tokens import KeySet, TokenError, issue


async def test_services_accept_what_the_signing_key_signed(home: Home) -> None:
    """A token signed with the local key is verified against the local key set."""
    key = keys.signing_key(home).read_bytes()
    token = issue(key, subject="ada", role="manager", lifetime=timedelta(hours=1), now=datetime.now(UTC))
    claims = await KeySet(str(keys.jwks(home))).verify(token, audience="earshot", issuer="earshot")
    assert (claims["sub"], claims["role"]) == ("ada", "manager")


def test_the_key_set_holds_no_private_part(home: Home) -> None:
    """What services and others may read has only the public half of the key."""
    assert '"d"' not in keys.jwks(home).read_text()


def test_secrets_are_made_once_and_private(home: Home) -> None:
    """Every secret stays the same from start to start, and only its owner can read it."""
    first = keys.password(home, "postgres"), keys.signing_key(home).read_bytes(), keys.jwks(home).read_bytes()
    second = keys.password(home, "postgres"), keys.signing_key(home).read_bytes(), keys.jwks(home).read_bytes()
    assert first == second
    assert {stat.S_IMODE(file.stat().st_mode) for file in home.secrets.iterdir()} == {0o600}
    assert len(first[0]) >= 40


def test_every_role_has_its_own_password(home: Home) -> None:
    """No two database roles share a password."""
    assert keys.password(home, "earshot_kpi") != keys.password(home, "earshot_roadmap")


async def accepted(home: Home, token: str) -> bool:
    try:
        await KeySet(str(keys.jwks(home))).verify(token, audience="earshot", issuer="earshot")
    except TokenError:
        return False
    return True


def signed(home: Home) -> str:
    pem = keys.signing_key(home).read_bytes()
    return issue(pem, subject="ada", role="manager", lifetime=timedelta(hours=1), now=datetime.now(UTC))


async def test_a_rotated_key_was_known_before_it_signs(home: Home) -> None:
    """Whoever read the key set before a rotation accepts what is signed after it, without reading again."""
    before = KeySet(str(keys.jwks(home)))
    await before.verify(signed(home), audience="earshot", issuer="earshot")
    keys.rotate(home)
    home.secrets.joinpath("jwks.json").rename(home.secrets / "out-of-reach.json")
    await before.verify(signed(home), audience="earshot", issuer="earshot")


async def test_a_key_goes_with_the_second_rotation(home: Home) -> None:
    """What a key signed is good until the rotation after its own; one that leaked is forgotten at once."""
    first = signed(home)
    keys.rotate(home)
    second = signed(home)
    assert [await accepted(home, token) for token in (first, second)] == [True, True]
    keys.rotate(home)
    third = signed(home)
    assert [await accepted(home, token) for token in (first, second, third)] == [False, True, True]
    keys.rotate(home, forget_old=True)
    assert [await accepted(home, token) for token in (second, third, signed(home))] == [False, False, True]


async def test_an_installation_with_one_key_can_rotate_too(home: Home) -> None:
    """A key set from before there was a next key is completed by the rotation."""
    old = signed(home)
    [current, _next] = json.loads(keys.jwks(home).read_text())["keys"]
    (home.secrets / "next-signing-key.pem").unlink()
    (home.secrets / "jwks.json").write_text(json.dumps({"keys": [current]}))
    keys.rotate(home)
    assert [await accepted(home, token) for token in (old, signed(home))] == [True, True]
