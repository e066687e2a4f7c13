"""What the adapter is told by its environment, beyond what every service is."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

from cryptography.fernet import Fernet
from fastapi import Depends, Request
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.runtime.settings import Settings

from .addresses import Network
from .subscriptions import Reach


def fernet(key: str) -> Fernet:
    """The cipher of one key: 32 bytes in URL-safe base64, its padding optional."""
    return Fernet(key.strip().rstrip("=") + "=")


def _keys(given: SecretStr) -> SecretStr:
    try:
        for key in given.get_secret_value().split(","):
            fernet(key)
    except ValueError:
        raise PydanticCustomError(
            "webhook_key",
            "must be 32 random bytes in URL-safe base64 (openssl rand -base64 32 | tr +/ -_); "
            "to replace a key put the new one before it, with a comma",
        ) from None
    return given


def _listed(given: Any) -> Any:  # noqa: ANN401 - whatever the environment holds
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def _network(given: Any) -> Any:  # noqa: ANN401
    return ip_network(given)


Networks = Annotated[tuple[Annotated[Network, BeforeValidator(_network)], ...], NoDecode, BeforeValidator(_listed)]
PortNumbers = Annotated[
    frozenset[Annotated[int, Field(ge=1, le=65535)]], NoDecode, BeforeValidator(_listed), Field(min_length=1)
]


class WebhookSettings(Settings):
    """Where webhooks may go, how many at once, how long they are tried and kept."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True, hide_input_in_errors=True)

    webhook_key: Annotated[SecretStr, AfterValidator(_keys)] = Field(
        description="seals the receivers' secrets; several with commas: the first seals, all open"
    )
    webhook_allowed_networks: Networks = Field(default=(), description="CIDRs of receivers that are not public")
    webhook_ports: PortNumbers = frozenset({443})
    webhook_plain_http: bool = Field(default=False, description="whether http:// is allowed")
    webhook_ca: Path | None = Field(default=None, description="PEM file of authorities to trust beside the system's")
    webhook_concurrency: int = Field(default=64, ge=1, le=1000, description="attempts at once, of this instance")
    webhook_endpoint_concurrency: int = Field(default=4, ge=1, le=100, description="of them to one subscription")
    webhook_disable_days: float = Field(default=5, gt=0, le=90, description="of nothing but failures")
    webhook_keep_days: float = Field(default=30, ge=4, le=3650, description="events are kept for replays")
    webhook_overlap_hours: float = Field(default=24, ge=0, le=720, description="an old secret still signs")

    @property
    def reach(self) -> Reach:
        return Reach(self.webhook_ports, self.webhook_plain_http, self.webhook_allowed_networks)

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.webhook_overlap_hours)


async def _told(request: Request) -> WebhookSettings:
    settings = request.app.state.settings
    assert isinstance(settings, WebhookSettings)
    return settings


Told = Annotated[WebhookSettings, Depends(_told)]
