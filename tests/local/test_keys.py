import stat
from datetime import UTC, datetime, timedelta

from deploy.local import keys
from deploy.local.paths import Home
from shared.runtime.tokens import KeySet, issue


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
