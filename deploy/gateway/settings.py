"""What the gateway is told by its environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import HttpSettings, Url


class GatewaySettings(HttpSettings):
    """Beside the usual: where the services are, and the key that signs sessions."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True)

    service_urls: dict[str, Url] = Field(min_length=1, description='JSON, e.g. {"roadmap": "http://roadmap:8080"}')
    signing_key: Path = Field(description="PEM file with the private key whose public half is in the key set")
    session_hours: int = Field(default=12, ge=1, le=720)
