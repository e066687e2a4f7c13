"""Signing in with the company's identity provider, a real one."""

import base64
import hashlib
import html
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from structlog.testing import capture_logs

from tests.gateway.conftest import OURS, Gateway, Start, with_company
from tests.gateway.forging import broken, changed, signed_with_the_public_key, unsigned
from tests.gateway.provider import CLIENT_ID, CLIENT_SECRET, Provider, fill_in

PAGE = {"Accept": "text/html"}
ANA = "ana@company.example"


async def to_provider(client: httpx.AsyncClient, to: str = "/") -> httpx.Response:
    """The provider's form, as a browser gets there from our sign-in page."""
    away = await client.get("/sign-in/company", params={"to": to})
    assert away.status_code == 303, away.text
    return await client.get(away.headers["location"])


async def come_back(client: httpx.AsyncClient, name: str, *, to: str = "/") -> httpx.Response:
    """The whole way to the provider and back."""
    return await client.get(await fill_in(client, await to_provider(client, to), name), headers=PAGE)


async def test_people_sign_in_with_the_company(at_company: Gateway) -> None:
    """Whoever the provider vouches for is signed in with the role the claim stands for, at the page they wanted."""
    back = await come_back(at_company.client, ANA, to="/roadmap/ideas")
    assert (back.status_code, back.headers["location"]) == (303, "/roadmap/ideas")
    home = await at_company.client.get("/", headers=PAGE)
    assert 'Ana Ruiz <span class="mute">· manager</span>' in home.text


async def test_the_code_is_bound_to_the_browser(at_company: Gateway, provider: Provider) -> None:
    """The provider gets a state, a nonce and an S256 challenge, and for the code the verifier behind the challenge."""
    await come_back(at_company.client, ANA)
    [asked], [redeemed] = provider.authorizations, provider.redemptions
    assert asked["code_challenge_method"] == "S256"
    digest = hashlib.sha256(redeemed["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert asked["redirect_uri"] == redeemed["redirect_uri"] == f"{at_company.url}/sign-in/callback"
    assert len({asked["state"], asked["nonce"], redeemed["code_verifier"]}) == 3
    assert "client_secret" not in redeemed


async def test_a_nested_claim_at_the_userinfo_endpoint_gives_the_role(start_gateway: Start, provider: Provider) -> None:
    """A claim that the ID token lacks is asked for, found by its path, and without a map names the role itself."""
    own = with_company(provider) | {"oidc_role_claim": "realm_access.roles", "oidc_role_map": {}}
    gateway = await start_gateway(**own, oidc_subject_claim="email")
    provider.register(gateway.url)
    assert (await come_back(gateway.client, "olga@company.example")).status_code == 303
    token = (await gateway.sees())["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["role"]) == ("olga@company.example", "researcher")


async def test_who_has_no_role_is_told_what_the_claim_held(at_company: Gateway) -> None:
    """Without a role nobody is signed in, and the page says, escaped, what the provider's claim held."""
    back = await come_back(at_company.client, "vic@company.example")
    assert back.status_code == 403
    assert "knows you as Vic, but its claim groups holds staff, canteen &lt;b&gt;" in back.text
    assert "earshot_session" not in at_company.client.cookies


async def test_the_providers_refusal_is_told(at_company: Gateway) -> None:
    """Whom the provider refuses is told so, in its words."""
    back = await come_back(at_company.client, "nobody")
    assert back.status_code == 403
    assert "did not let you in. nobody does not work here" in back.text


async def test_nobody_is_signed_in_by_another_browsers_answer(at_company: Gateway) -> None:
    """The address that one browser was sent back to signs in no other: neither a fresh one nor one on its own way."""
    address = await fill_in(at_company.client, await to_provider(at_company.client), ANA)
    async with at_company.visitor() as fresh, at_company.visitor() as underway:
        await to_provider(underway)
        for victim in (fresh, underway):
            answer = await victim.get(address, headers=PAGE)
            assert answer.status_code == 400
            assert "was not begun in this browser" in answer.text
            assert "earshot_session" not in victim.cookies


async def test_a_code_works_once(at_company: Gateway) -> None:
    """The same answer again is refused: by us, and with the cookie of its beginning put back by the provider."""
    address = await fill_in(at_company.client, await to_provider(at_company.client), ANA)
    begun = at_company.client.cookies["earshot_sign_in"]
    assert (await at_company.client.get(address)).status_code == 303
    again = await at_company.client.get(address, headers=PAGE)
    assert (again.status_code, "was not begun in this browser" in again.text) == (400, True)
    at_company.client.cookies.set("earshot_sign_in", begun)
    replayed = await at_company.client.get(address, headers=PAGE)
    assert (replayed.status_code, "finished already or took too long" in replayed.text) == (400, True)


async def test_an_answer_of_another_provider_is_refused(at_company: Gateway) -> None:
    """An answer that names another issuer is not taken for our provider's."""
    address = await fill_in(at_company.client, await to_provider(at_company.client), ANA)
    other = httpx.URL(address).copy_set_param("iss", "https://other.example")
    answer = await at_company.client.get(other, headers=PAGE)
    assert (answer.status_code, "Another provider answered" in answer.text) == (400, True)


async def test_a_provider_that_is_away_is_told(start_gateway: Start) -> None:
    """When the provider does not answer, the sign-in page stands and beginning says that it is away."""
    gateway = await start_gateway(oidc_issuer="http://127.0.0.1:1", oidc_client_id="earshot")
    page = await gateway.client.get("/sign-in", headers=PAGE)
    assert "Sign in with your company account" in page.text
    begun = await gateway.client.get("/sign-in/company", headers=PAGE)
    assert (begun.status_code, "company&#39;s sign-in does not answer" in begun.text) == (502, True)


async def test_a_provider_that_calls_itself_otherwise_is_not_used(start_gateway: Start, provider: Provider) -> None:
    """Metadata with another issuer than configured are refused, and the log says what to set."""
    gateway = await start_gateway(**with_company(provider) | {"oidc_issuer": f"{provider.issuer}/"})
    with capture_logs() as logged:
        assert (await gateway.client.get("/sign-in/company")).status_code == 502
    assert any("must be the same to the letter" in str(entry.get("because")) for entry in logged)


@pytest.mark.parametrize("provider", [("client_secret_post",)], indirect=True)
async def test_a_secret_goes_in_the_form_where_the_provider_wants_it_there(
    at_company: Gateway, provider: Provider
) -> None:
    """To a provider that takes client_secret_post alone the secret is sent in the form and not as a password."""
    provider.register(at_company.url, token_endpoint_auth_method="client_secret_post")
    assert (await come_back(at_company.client, ANA)).status_code == 303
    [redeemed], [proof] = provider.redemptions, provider.proofs
    assert (redeemed["client_id"], redeemed["client_secret"], proof) == (CLIENT_ID, CLIENT_SECRET, "")


@pytest.mark.parametrize("provider", [("public",)], indirect=True)
async def test_a_public_client_signs_in_by_pkce_alone(start_gateway: Start, provider: Provider) -> None:
    """Without a client secret the code is redeemed with its verifier and nothing else, and another verifier is none."""
    gateway = await start_gateway(**with_company(provider) | {"oidc_client_secret": None})
    provider.register(gateway.url, client_secret=None, token_endpoint_auth_method="public")
    assert (await come_back(gateway.client, ANA, to="/kpi/")).headers["location"] == "/kpi/"
    [redeemed], [proof] = provider.redemptions, provider.proofs
    assert (redeemed["client_id"], "client_secret" in redeemed, proof) == (CLIENT_ID, False, "")
    stolen = (await to_provider(gateway.client)).headers["location"]  # the provider still knows her
    [code] = parse_qs(urlsplit(stolen).query)["code"]
    form = redeemed | {"code": code, "code_verifier": "0" * 43}
    async with httpx.AsyncClient() as thief:
        refused = await thief.post(f"{provider.issuer}/token", data=form)
    assert refused.status_code == 400, refused.text


async def test_a_wrong_client_secret_is_our_fault_and_stays_secret(start_gateway: Start, provider: Provider) -> None:
    """Where the provider refuses us as a client, the page says so, the log says why, and neither has the secret."""
    gateway = await start_gateway(**with_company(provider) | {"oidc_client_secret": "mistyped-secret"})
    provider.register(gateway.url)
    with capture_logs() as logged:
        back = await come_back(gateway.client, ANA)
    assert (back.status_code, "does not accept Earshot as its client" in back.text) == (502, True)
    assert any(entry.get("error") == "invalid_client" for entry in logged)
    assert "mistyped-secret" not in back.text + str(logged)


@pytest.mark.parametrize(("ahead", "status"), [(20, 303), (-20, 303), (120, 502)])
async def test_clocks_may_differ_a_little(
    at_company: Gateway, monkeypatch: pytest.MonkeyPatch, ahead: int, status: int
) -> None:
    """Twenty seconds between the clocks do no harm; minutes are refused with a word on clocks."""
    address = await fill_in(at_company.client, await to_provider(at_company.client), ANA)
    monkeypatch.setattr("cryptojwt.jwt.utc_time_sans_frac", lambda: int(time.time()) + ahead)
    back = await at_company.client.get(address, headers=PAGE)
    assert back.status_code == status
    assert ("compare the clocks" in back.text) == (status == 502)


async def test_the_providers_keys_may_rotate(at_company: Gateway, provider: Provider) -> None:
    """After the provider changed its keys, the next sign-in is checked with the new ones."""
    assert (await come_back(at_company.client, ANA)).status_code == 303
    provider.rotate_keys()
    keys = at_company.app.state.company_sign_in._site.provider._keys
    keys._clock = lambda: time.monotonic() + 6  # as long as two readings of the keys are apart
    async with at_company.visitor() as later:
        assert (await come_back(later, ANA)).status_code == 303


@pytest.mark.parametrize(
    ("forger", "reason"),
    [
        (changed(nonce="another"), "belongs to another sign-in"),
        (changed(nonce=None), "belongs to another sign-in"),
        (changed(aud="other-app"), "Audience"),
        (changed(aud=["earshot", "other-app"], azp="other-app"), "issued to another application"),
        (changed(iss="https://other.example"), "Invalid issuer"),
        (unsigned, "alg"),
        (signed_with_the_public_key, "alg"),
        (changed(exp=1_700_000_000), "Signature has expired"),
        (broken, "Signature verification failed"),
    ],
    ids=["nonce", "no nonce", "audience", "azp", "issuer", "unsigned", "public key", "expired", "signature"],
)
async def test_no_forged_id_token_signs_in(
    at_company: Gateway, provider: Provider, forger: Callable[[Provider], Callable[[str], str]], reason: str
) -> None:
    """An ID token that is not the provider's, not for us or not for this sign-in is refused with the reason."""
    provider.forge = forger(provider)
    back = await come_back(at_company.client, ANA)
    assert back.status_code == 502
    assert reason in back.text
    assert "earshot_session" not in at_company.client.cookies


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "/x\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "",
        "/sign-in?token=x",
    ],
)
async def test_signing_in_leads_to_our_own_pages_only(at_company: Gateway, to: str) -> None:
    """Whatever the link to the sign-in page wished for, one comes out at a page of ours."""
    assert (await come_back(at_company.client, ANA, to=to)).headers["location"] == "/"


async def test_the_sign_in_page_remembers_where_one_was_going(at_company: Gateway) -> None:
    """The page's button carries the wished-for page along, and no foreign one."""
    page = await at_company.client.get("/sign-in", params={"to": "/kpi/"}, headers=PAGE)
    assert 'href="/sign-in/company?to=%2Fkpi%2F"' in page.text
    page = await at_company.client.get("/sign-in", params={"to": "//evil.example"}, headers=PAGE)
    assert 'href="/sign-in/company?to=%2F"' in page.text


async def test_signing_out_goes_on_to_the_provider(at_company: Gateway) -> None:
    """Signing out ends our session at once and leads on to the provider's end, which comes back to our home page."""
    client = at_company.client
    await come_back(client, ANA)
    silent = await to_provider(client)
    assert silent.status_code == 303, "the provider still knows the browser"
    page = await client.post("/sign-out", headers={**OURS, **PAGE})
    assert "authorization" not in await at_company.sees()
    [farewell] = set(re.findall(r'content="0; url=([^"]+)"', page.text))
    target = html.unescape(farewell)
    asked = parse_qs(urlsplit(target).query)
    assert asked["post_logout_redirect_uri"] == [f"{at_company.url}/"]
    verify = await client.get(target)
    gone = await client.get(verify.headers["location"])
    assert gone.headers["location"] == f"{at_company.url}/"
    assert "<form" in (await to_provider(client)).text


async def test_signing_out_works_while_the_provider_is_away(at_company: Gateway) -> None:
    """Without the provider's address to go to, signing out here works all the same."""
    await come_back(at_company.client, ANA)
    at_company.app.state.company_sign_in._site.provider._metadata = None
    at_company.app.state.company_sign_in._site.provider.issuer = "http://127.0.0.1:1"
    answer = await at_company.client.post("/sign-out", headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "authorization" not in await at_company.sees()
