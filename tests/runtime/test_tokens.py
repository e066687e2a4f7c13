"""Checking tokens against keys that rotate, vanish, and are sometimes out of reach."""

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import OKPAlgorithm

from shared.runtime.auth.tokens import KeySet, KeysUnavailableError, TokenError, issue, key_id
from tests.support.running import until


class Signer:
    """Somebody with a key."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.public = OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True) | {"kid": key_id(self.key)}

    def token(self, *, age: timedelta = timedelta(), lifetime: timedelta = timedelta(minutes=5)) -> str:
        return issue(self.pem, subject="ada", role="viewer", lifetime=lifetime, now=datetime.now(UTC) - age)


class Served:
    """A key set on the web: what is published, how often it was asked for, and a door that holds askers back."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.status = 200
        self.asked = 0
        self.door = threading.Event()
        self.door.set()
        self.url = ""


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            state.door.wait(10)
            body = json.dumps({"keys": state.keys}).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class named it
            """Keep the test output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield state
        state.door.set()
        server.shutdown()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(served: Served, clock: Clock) -> KeySet:
    return KeySet(served.url, clock=clock)


async def accepts(keys: KeySet, token: str) -> bool:
    try:
        claims = await keys.verify(token, audience="earshot", issuer="earshot")
    except TokenError:
        return False
    return bool(claims["sub"] == "ada")


async def test_a_new_key_is_known_as_soon_as_it_signs(keys: KeySet, served: Served, clock: Clock) -> None:
    """A token of a key that was published after the last reading makes the key set be read again."""
    old, new = Signer(), Signer()
    served.keys = [old.public]
    assert await accepts(keys, old.token())
    clock.now += 6
    served.keys = [old.public, new.public]
    assert await accepts(keys, new.token())
    assert await accepts(keys, old.token())
    assert served.asked == 2


async def test_a_withdrawn_key_is_trusted_no_longer(keys: KeySet, served: Served, clock: Clock) -> None:
    """A key that vanished from the set is refused within five minutes."""
    old, new = Signer(), Signer()
    served.keys = [old.public, new.public]
    assert await accepts(keys, old.token())
    served.keys = [new.public]
    clock.now += 301
    assert [await accepts(keys, old.token()), await accepts(keys, new.token())] == [False, True]


async def test_made_up_keys_lead_to_few_requests(keys: KeySet, served: Served, clock: Clock) -> None:
    """A hundred tokens of unknown keys within five seconds cause one request, and known keys none."""
    known = Signer()
    served.keys = [known.public]
    for _ in range(100):
        assert not await accepts(keys, Signer().token())
    assert await accepts(keys, known.token())
    assert served.asked == 1
    clock.now += 6
    await accepts(keys, Signer().token())
    assert served.asked == 2


async def test_many_ask_together_once(keys: KeySet, served: Served) -> None:
    """Fifty requests that come before the first reading wait for one and the same."""
    signer = Signer()
    served.keys = [signer.public]
    assert all(await asyncio.gather(*(accepts(keys, signer.token()) for _ in range(50))))
    assert served.asked == 1


async def test_nobody_known_waits_for_a_strangers_reading(keys: KeySet, served: Served, clock: Clock) -> None:
    """While a stranger's token has the key set read, whoever has a known key goes on."""
    known = Signer()
    served.keys = [known.public]
    assert await accepts(keys, known.token())
    clock.now += 6
    served.door.clear()
    stranger = asyncio.create_task(accepts(keys, Signer().token()))
    while served.asked < 2:  # noqa: ASYNC110 - the server runs in a thread
        await asyncio.sleep(0.01)
    clock.now += 301
    async with asyncio.timeout(5):
        assert await accepts(keys, known.token())
    served.door.set()
    assert not await stranger


async def test_the_last_known_keys_serve_for_a_day(keys: KeySet, served: Served, clock: Clock) -> None:
    """While the key set cannot be read its last keys stay good, but not for ever; then it is read again."""
    signer = Signer()
    served.keys = [signer.public]
    assert await accepts(keys, signer.token())
    served.status = 500
    clock.now += 86_000
    assert await accepts(keys, signer.token())
    clock.now += 500
    with pytest.raises(KeysUnavailableError):
        await accepts(keys, signer.token())
    served.status = 200
    clock.now += 301
    assert await accepts(keys, signer.token())


async def test_a_key_set_never_read_refuses_nobody_for_good(keys: KeySet, served: Served, clock: Clock) -> None:
    """Before the first reading succeeds nobody can say whether a token is good; afterwards it is."""
    signer = Signer()
    served.status, served.keys = 503, [signer.public]
    with pytest.raises(KeysUnavailableError):
        await accepts(keys, signer.token())
    served.status = 200
    clock.now += 6
    assert await accepts(keys, signer.token())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": 7}', '{"keys": [7]}', "\x00"])
async def test_a_broken_key_set_changes_nothing(tmp_path: Path, clock: Clock, content: str) -> None:
    """A file that is half written or something else keeps the keys that were known."""
    signer, file = Signer(), tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [signer.public]}))
    keys = KeySet(str(file), clock=clock)
    assert await accepts(keys, signer.token())
    file.write_text(content)
    clock.now += 301
    assert await accepts(keys, signer.token())


async def test_clocks_may_differ_by_half_a_minute(keys: KeySet, served: Served) -> None:
    """A token from twenty seconds ahead, or that ended twenty seconds ago, is accepted; forty are too many."""
    signer = Signer()
    served.keys = [signer.public]
    ahead = [await accepts(keys, signer.token(age=timedelta(seconds=-seconds))) for seconds in (20, 40)]
    ended = [await accepts(keys, signer.token(lifetime=timedelta(seconds=-seconds))) for seconds in (20, 40)]
    assert (ahead, ended) == ([True, False], [True, False])


def _part(content: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(content, default=str).encode()).rstrip(b"=")


async def test_the_algorithm_is_not_the_tokens_choice(keys: KeySet, served: Served) -> None:
    """No signature, an HMAC with the public key, a shared secret in the key set, another curve: all refused."""
    signer, curve = Signer(), generate_private_key(SECP256R1())
    served.keys = [signer.public, {"kty": "oct", "kid": "shared", "k": "c2VjcmV0", "alg": "HS256"}]
    claims = jwt.decode(signer.token(), options={"verify_signature": False})
    kid = signer.public["kid"]
    spki = signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    hmac_signed = _part({"alg": "HS256", "kid": kid}) + b"." + _part(claims)
    digest = base64.urlsafe_b64encode(hmac.digest(spki, hmac_signed, "sha256")).rstrip(b"=")
    forged = [
        jwt.encode(claims, "", "none", {"kid": kid}),
        (_part({"alg": "EdDSA", "kid": kid}) + b"." + _part(claims) + b".").decode(),
        (hmac_signed + b"." + digest).decode(),
        jwt.encode(claims, b"secret" * 6, "HS256", {"kid": "shared"}),
        jwt.encode(claims, curve, "ES256", {"kid": kid}),
        jwt.encode(claims, curve, "ES256"),
    ]
    assert [await accepts(keys, token) for token in forged] == [False] * 6
    assert await accepts(keys, signer.token())


async def test_one_key_alone_needs_no_name(served: Served) -> None:
    """As OpenID Connect has it: with one key a token need not say which it is, with several it must."""
    ada, eve = Signer(), Signer()
    claims = jwt.decode(ada.token(), options={"verify_signature": False})
    nameless = jwt.encode(claims, ada.key, "EdDSA")
    unnamed = {name: said for name, said in ada.public.items() if name != "kid"}
    found = []
    for published in ([ada.public], [unnamed], [eve.public], [ada.public, eve.public], [unnamed, eve.public], []):
        served.keys = published
        found.append(await accepts(KeySet(served.url), nameless))
    assert found == [True, True, False, False, False, False]


async def test_a_token_is_checked_once_while_it_is_good(
    keys: KeySet, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown again, a token is known: its signature is not checked a second time."""
    ada = Signer()
    served.keys = [ada.public]
    token, checked = ada.token(), 0
    decode = jwt.decode

    def counted(*given: Any, **options: Any) -> Any:
        nonlocal checked
        checked += 1
        return decode(*given, **options)

    monkeypatch.setattr(jwt, "decode", counted)
    first = await keys.verify(token, audience="earshot", issuer="earshot")
    assert await keys.verify(token, audience="earshot", issuer="earshot") == first
    assert checked == 1
    with pytest.raises(TokenError, match="Audience"):
        await keys.verify(token, audience="another", issuer="earshot")


async def test_a_token_that_is_known_ends_all_the_same(keys: KeySet, served: Served) -> None:
    """Being known does not prolong a token: it is refused once its time and the leeway are over."""
    ada = Signer()
    served.keys = [ada.public]
    token = ada.token(lifetime=timedelta(seconds=-28))
    await keys.verify(token, audience="earshot", issuer="earshot")

    async def refused() -> bool:
        try:
            await keys.verify(token, audience="earshot", issuer="earshot")
        except TokenError:
            return True
        return False

    assert await until(refused, what="the token to end")
