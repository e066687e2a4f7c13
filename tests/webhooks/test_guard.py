"""Nothing is ever sent inside, however the address is written, and whatever a receiver answers."""

from pathlib import Path
from typing import Any

import pytest

from deploy.webhooks.sending import Sender
from deploy.webhooks.settings import WebhookSettings
from tests.webhooks.conftest import KEY, Webhooks, vote
from tests.webhooks.receiver import Receiver, Reply, receiving


def settings(**told: Any) -> WebhookSettings:
    return WebhookSettings(
        **(
            {"kafka_bootstrap": "127.0.0.1:1", "jwks": "none", "database_dsn": "postgresql://x", "webhook_key": KEY}
            | told
        )
    )


async def error_of(url: str, **told: Any) -> str | None:
    """What went wrong with one attempt, None where it was answered."""
    sender = Sender(settings(**told))
    try:
        return (await sender.post(url, {"webhook-id": "1"}, b"{}")).error
    finally:
        await sender.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "0x7f.1",
        "017700000001",
        "2130706433",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
    ],
)
async def test_no_way_of_writing_it_leads_inside(receiver: Receiver, host: str) -> None:
    """A receiver listens on this machine; under none of the names of an inner address does a connection reach it."""
    port = receiver.port
    error = await error_of(f"https://{host}:{port}/", webhook_ports=str(port), webhook_ca=receiver.authority)
    assert error is not None
    assert "not public" in error
    assert receiver.came == []


async def test_a_name_that_leads_inside_now_is_refused_at_the_connection(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that has a public and an inner address is refused: every address counts, at each connection."""
    import asyncio  # noqa: PLC0415 - only here is the resolver of the loop replaced

    async def two(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("127.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two, raising=False)
    error = await error_of("https://rebind.example/", webhook_ca=receiver.authority)
    assert error == "rebind.example has an address that is not public"


async def test_a_name_without_an_address_is_told() -> None:
    """A name that nobody has, as after a typo, is named in the error."""
    assert await error_of("https://nobody.invalid/") == "the name nobody.invalid has no address"


async def test_other_ports_are_refused(receiver: Receiver) -> None:
    """Only the allowed ports are connected to, also where the network is allowed."""
    told = {"webhook_allowed_networks": "127.0.0.0/8", "webhook_ca": receiver.authority}
    assert await error_of(receiver.url(), **told) == f"port {receiver.port} is not allowed"
    assert receiver.came == []


async def test_an_allowed_network_is_reached(receiver: Receiver) -> None:
    """With its network, port and authority allowed, the receiver on this machine gets the request."""
    told = {"webhook_allowed_networks": "127.0.0.0/8, ::1/128", "webhook_ports": f"443,{receiver.port}"}
    assert await error_of(receiver.url(), **told, webhook_ca=receiver.authority) is None
    assert len(receiver.came) == 1


async def test_proxies_of_the_environment_are_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables change nothing: a proxy would resolve names behind our back."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    told = {"webhook_allowed_networks": "127.0.0.0/8", "webhook_ports": str(receiver.port)}
    assert await error_of(receiver.url(), **told, webhook_ca=receiver.authority) is None


async def test_a_receiver_must_show_a_good_certificate(tmp_path: Path, receiver: Receiver) -> None:
    """An unknown authority and another name than the certificate's are refused before anything is sent."""
    told = {"webhook_allowed_networks": "127.0.0.0/8"}
    unknown = await error_of(receiver.url(), **told, webhook_ports=str(receiver.port))
    (tmp_path / "other").mkdir()
    async with receiving(tmp_path / "other", names=["crm.example"]) as other:
        misnamed = await error_of(other.url(), **told, webhook_ports=str(other.port), webhook_ca=other.authority)
        assert other.came == []
    assert unknown == "the connection is not secure: unable to get local issuer certificate"
    assert misnamed == "the connection is not secure: IP address mismatch, certificate is not valid for '127.0.0.1'."
    assert receiver.came == []


async def test_a_redirect_is_not_followed(webhooks: Webhooks) -> None:
    """A receiver that points to the metadata service gets its 302 noted as a failure, and nobody goes there."""
    await webhooks.subscribe()
    webhooks.receiver.answer("/", Reply(302, {"Location": "https://169.254.169.254/latest"}))
    await webhooks.service.deliver(vote())
    await webhooks.send_due()
    [delivery] = await webhooks.deliveries()
    assert (delivery["state"], delivery["status"], delivery["error"]) == ("pending", 302, None)


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"webhook_key": "short"}, "32 random bytes in URL-safe base64"),
        ({"webhook_key": f"{KEY},"}, "32 random bytes in URL-safe base64"),
        ({"webhook_allowed_networks": "10.0.0.1/8"}, "has host bits set"),
        ({"webhook_ports": "https"}, "valid integer"),
        ({"webhook_ports": ""}, "at least 1 item"),
    ],
)
def test_wrong_settings_are_told(told: dict[str, str], complaint: str) -> None:
    """A key that is none, a network that is none and a port that is none stop the start with words."""
    with pytest.raises(ValueError, match=complaint):
        settings(**told)
