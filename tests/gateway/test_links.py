"""One-time links: what they open, and that they work once wherever and however often they are tried."""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.gateway.conftest import OURS, Gateway, Start

PAGE = {"Accept": "text/html"}


async def test_a_link_shows_whom_it_signs_in_and_uses_nothing_up(gateway: Gateway) -> None:
    """Opening a link, however often, changes nothing; its page names the person, and the button signs in."""
    token = gateway.token(subject="ana", role="manager")
    for _ in range(2):
        page = await gateway.client.get("/sign-in", params={"token": token}, headers=PAGE)
        assert page.status_code == 200
        assert "as <strong>ana</strong> with the role manager" in page.text
        assert not gateway.client.cookies
    assert (await gateway.use(token)).headers["location"] == "/"


async def test_a_link_works_once(gateway: Gateway) -> None:
    """The second use is refused, and so is the page that would lead to it."""
    token = gateway.token()
    await gateway.use(token)
    second, page = await gateway.use(token), await gateway.client.get("/sign-in", params={"token": token})
    assert (second.status_code, page.status_code) == (401, 401)
    assert "works once" in second.json()["detail"]


async def test_a_link_works_once_at_all_gateways_together(start_gateway: Start) -> None:
    """Two gateways that are shown a link at the same moment let one browser in; one that starts later, nobody."""
    first, second = await start_gateway(), await start_gateway()
    for _ in range(5):
        token = first.token()
        answers = await asyncio.gather(first.use(token), second.use(token))
        assert sorted(answer.status_code for answer in answers) == [303, 401]
        assert (await (await start_gateway()).use(token)).status_code == 401


async def test_a_used_link_is_remembered_as_long_as_it_would_work(gateway: Gateway) -> None:
    """A token is accepted for some seconds past its time, since clocks differ; a used one is not."""
    token = gateway.token(lifetime=timedelta(seconds=-10))
    assert (await gateway.use(token)).status_code == 303
    assert (await gateway.use(token)).status_code == 401


async def test_other_tokens_are_no_links(gateway: Gateway) -> None:
    """A bearer token, an expired link, one of the future and one for an unknown role sign nobody in."""
    others = [
        gateway.token(audience="earshot"),
        gateway.token(lifetime=timedelta(minutes=-1)),
        gateway.token(now=datetime.now(UTC) + timedelta(hours=1)),
        gateway.token(role="emperor"),
    ]
    assert [(await gateway.use(token)).status_code for token in others] == [401, 401, 401, 401]
    assert not gateway.client.cookies


async def test_no_other_site_signs_somebody_in(gateway: Gateway) -> None:
    """Another site cannot sign its visitor in as somebody else by sending the form itself."""
    answer = await gateway.client.post(
        "/sign-in", data={"token": gateway.token()}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert not gateway.client.cookies


async def test_who_fails_too_often_waits(gateway: Gateway) -> None:
    """After twenty failures even a good link waits five minutes, and says so; then it works."""
    for _ in range(20):
        assert (await gateway.use("nonsense")).status_code == 401
    token = gateway.token()
    refused = await gateway.use(token)
    assert refused.status_code == 429
    assert "can be tried again in five minutes" in refused.json()["detail"]
    attempts = gateway.app.state.attempts
    attempts._clock = lambda now=attempts._clock: now() + 301
    assert (await gateway.client.post("/sign-in", data={"token": token}, headers=OURS)).status_code == 303
