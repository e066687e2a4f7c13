"""Who may call a service: tokens of our gateway and of the company's provider, and no other site's forms."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from structlog.testing import capture_logs

from services import SERVICES
from shared.runtime.auth.principals import SAFE_METHODS
from shared.runtime.auth.roles import role_of, values_at
from shared.runtime.auth.trust import Trust
from shared.runtime.settings import TrustedIssuer
from tests.runtime.tiny import tiny_service
from tests.support.routes import every_route, filled
from tests.support.service import ServiceUnderTest, service_under_test

COMPANY = "https://login.company.example/realms/main"
THINGS = "/api/v1/things"
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test("kpi", tmp_path, service=tiny_service()) as service:
        yield service


@pytest.fixture
def company(tiny: ServiceUnderTest, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """The service trusts the company's provider too; gives headers with its tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "company-1", "use": "sig", "alg": "RS256"}
    (tmp_path / "company.json").write_text(json.dumps({"keys": [public]}))
    issuer = TrustedIssuer(
        issuer=COMPANY,
        jwks=str(tmp_path / "company.json"),
        audience="earshot-api",
        role_claim="realm_access.roles",
        role_map={"crm-sync": "service", "lookers-on": "viewer"},
    )
    trusting = tiny.app.state.settings.model_copy(update={"trusted_issuers": (issuer,)})
    tiny.app.state.trust = Trust(trusting)

    def headers(**changed: Any) -> dict[str, str]:
        now = datetime.now(UTC)
        claims = {
            "iss": COMPANY,
            "sub": "crm",
            "aud": "earshot-api",
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "realm_access": {"roles": ["offline_access", "crm-sync"]},
        }
        token = jwt.encode(claims | changed, key, "RS256", headers={"kid": "company-1"})
        return {"Authorization": f"Bearer {token}"}

    return headers


async def test_another_system_comes_with_a_token_of_the_companys_provider(
    tiny: ServiceUnderTest, company: Callable[..., dict[str, str]]
) -> None:
    """A token of a trusted issuer is accepted with the role its claim stands for, beside the gateway's own tokens."""
    assert (await tiny.client.post(THINGS, headers=company())).status_code == 200
    assert (await tiny.client.post(THINGS, headers=tiny.headers("researcher"))).status_code == 200
    viewer = company(realm_access={"roles": ["lookers-on"]})
    assert [(await tiny.client.request(m, THINGS, headers=viewer)).status_code for m in ("GET", "POST")] == [200, 403]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://other.example"}, "its issuer is none that is trusted here"),
        ({"iss": "earshot"}, "not among the trusted ones"),
        ({"aud": "earshot"}, "Audience"),
        ({"aud": "other"}, "Audience"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"nonce": "n"}, "tells an application who signed in"),
        ({"realm_access": {"roles": ["admin"]}}, "its claim realm_access.roles is admin, which stands for no role"),
        ({"realm_access": "crm-sync"}, "is empty, which stands for no role"),
        ({"role": "admin", "realm_access": {}}, "is empty, which stands for no role"),
    ],
)
async def test_a_companys_token_that_is_not_for_us_is_refused(
    tiny: ServiceUnderTest, company: Callable[..., dict[str, str]], changed: dict[str, Any], reason: str
) -> None:
    """Another issuer, audience or time, an ID token and a claim without a role are refused with the reason."""
    answer = await tiny.client.get(THINGS, headers=company(**changed))
    assert answer.status_code == 401
    assert reason in answer.json()["detail"]


@pytest.mark.parametrize(
    ("claims", "path", "values"),
    [
        ({"roles": ["a", "b"]}, "roles", ["a", "b"]),
        ({"roles": "a"}, "roles", ["a"]),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
        ({"https://x.example/roles": ["a"]}, "https://x.example/roles", ["a"]),
        ({"roles": [{"name": "a"}, 7, None]}, "roles", ["7"]),
        ({"roles": {"a": 1}}, "roles", []),
        ({"realm_access": ["roles"]}, "realm_access.roles", []),
        ({}, "roles", []),
    ],
)
def test_a_claim_is_found_by_its_path(claims: dict[str, Any], path: str, values: list[str]) -> None:
    """A claim may be a list or one value, nested, and named with dots; what is no text or number says nothing."""
    assert values_at(claims, path) == values


def test_of_several_roles_the_strongest_counts() -> None:
    """Values map to roles, the strongest wins; without a map only a role's own name is one."""
    meaning = {"pm": "manager", "staff": "viewer"}
    assert role_of(["staff", "pm"], meaning) == "manager"  # type: ignore[arg-type]
    assert role_of(["admin"], meaning) is None  # type: ignore[arg-type]
    assert role_of(["viewer", "x", "researcher"], {}) == "researcher"
    assert role_of([], {}) is None


async def test_a_cookie_is_no_credential_at_a_service(tiny: ServiceUnderTest) -> None:
    """Whatever a browser sends by itself, a service knows nobody without a bearer token."""
    token = tiny.headers("admin")["Authorization"].removeprefix("Bearer ")
    for name in ("earshot_session", "__Host-earshot_session"):
        answer = await tiny.client.get(THINGS, headers={"Cookie": f"{name}={token}"})
        assert answer.status_code == 401


async def test_where_the_keys_cannot_be_read_the_caller_is_asked_to_come_again(
    tiny: ServiceUnderTest, tmp_path: Path
) -> None:
    """It is not the caller's fault when tokens cannot be checked: 503, and public routes go on."""
    headers = tiny.headers()
    (tmp_path / "jwks.json").unlink()
    closed = await tiny.client.get(THINGS, headers=headers)
    assert (closed.status_code, "cannot be checked right now" in closed.json()["detail"]) == (503, True)
    assert (await tiny.client.get("/api/v1/open", headers=headers)).status_code == 200


@pytest.mark.parametrize("name", SERVICES)
async def test_no_other_sites_form_is_taken(tmp_path: Path, name: str) -> None:
    """Every route that changes something, public ones too, refuses a browser's request that another site sent."""
    async with service_under_test(name, tmp_path) as service:
        changing = [
            (method, route.path)
            for route in every_route(service.app.routes)
            for method in route.methods or ()
            if method not in SAFE_METHODS
        ]
        assert changing
        for method, path in changing:
            for headers in FOREIGN:
                answer = await service.client.request(method, filled(path), headers=headers)
                assert answer.status_code == 403, f"{method} {path} from {headers} answered {answer.status_code}"


async def test_every_request_is_logged_with_who(tiny: ServiceUnderTest) -> None:
    """One line a request: method, route without what was filled in, status, time, who in which role, and its id."""
    token = tiny.headers("viewer", subject="olga")
    with capture_logs() as logged:
        await tiny.client.get(f"{THINGS}?secret=s3cret", headers=token | {"X-Request-Id": "a-request-4711"})
        await tiny.client.post("/api/v1/nowhere/s3cret")
        await tiny.client.get("/healthz")
    lines = [entry for entry in logged if entry["event"] == "request"]
    known = [[line[field] for field in ("log_level", "method", "route", "status", "who", "role")] for line in lines]
    assert known == [
        ["info", "GET", THINGS, 200, "olga", "viewer"],
        ["info", "POST", "unmatched", 404, None, None],
        ["debug", "GET", "/healthz", 200, None, None],
    ]
    assert all(line["ms"] >= 0 for line in lines)
    assert "s3cret" not in str(logged)


@pytest.mark.parametrize(
    ("given", "kept"), [("a-request-4711", True), ("x" * 65, False), ("a b\n{}", False), ("", False)]
)
async def test_a_request_has_one_id(tiny: ServiceUnderTest, given: str, kept: bool) -> None:  # noqa: FBT001
    """The gateway's id is kept and answered; what is none is replaced."""
    answer = await tiny.client.get("/api/v1/open", headers={b"X-Request-Id": given.encode()})
    [identifier] = answer.headers.get_list("x-request-id")
    assert (identifier == given) == kept
    assert len(identifier) in {14, 32}
