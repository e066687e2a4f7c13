"""What another site can make a signed-in browser do: nothing. And what every answer tells the browser."""

import pytest

from services import SERVICES
from shared.runtime.auth.principals import SAFE_METHODS
from shared.runtime.serve import load
from tests.gateway.conftest import OURS, Gateway, Start
from tests.runtime.test_auth import FOREIGN
from tests.support.routes import every_route, filled


@pytest.mark.parametrize("name", SERVICES)
async def test_no_foreign_form_reaches_a_service(start_gateway: Start, name: str) -> None:
    """With a session's cookie, another site's form reaches no route that changes something; our own reaches all."""
    gateway = await start_gateway(service_urls={name: (await start_gateway()).settings.service_urls["roadmap"]})
    await gateway.sign_in(role="admin")
    changing = [
        (method, f"/{name}{filled(route.path)}")
        for router in load(name).routers
        for route in every_route(router.routes)
        for method in route.methods or ()
        if method not in SAFE_METHODS
    ]
    assert changing
    for method, path in changing:
        codes = [(await gateway.client.request(method, path, headers=headers)).status_code for headers in FOREIGN]
        assert codes == [403, 403, 403, 403], f"{method} {path}"
        assert (await gateway.client.request(method, path, headers=OURS)).status_code == 200, f"{method} {path}"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/ui"])
async def test_no_foreign_form_reaches_the_gateway(gateway: Gateway, path: str) -> None:
    """The gateway's own forms are taken from its own pages only, whether or not somebody is signed in."""
    for _ in range(2):
        codes = [(await gateway.client.post(path, headers=headers)).status_code for headers in FOREIGN]
        assert codes == [403, 403, 403, 403]
        await gateway.sign_in()


async def test_nothing_is_changed_by_a_safe_method(gateway: Gateway) -> None:
    """Links, pictures and previews use GET: none of them signs in or out."""
    token = gateway.token()
    await gateway.sign_in()
    for path in ("/sign-out", f"/sign-in?token={token}"):
        await gateway.client.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert "authorization" in await gateway.sees()
    assert (await gateway.use(token)).status_code == 303


@pytest.mark.parametrize("path", ["/", "/sign-in", "/healthz", "/nowhere/x", "/roadmap/x", "/live", "/kpi/x"])
async def test_every_answer_is_closed_to_other_sites(gateway: Gateway, path: str) -> None:
    """Pages, data and errors alike: no framing, no guessing of types, no referrer, no foreign content."""
    headers = (await gateway.client.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in headers
    assert "access-control-allow-origin" not in headers
