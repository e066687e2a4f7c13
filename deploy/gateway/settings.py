"""What the gateway is told by its environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict
from starlette.responses import Response

from shared.runtime.auth.oidc.provider import as_safe_as
from shared.runtime.auth.roles import Role
from shared.runtime.settings import Dsn, HttpSettings, Url


class GatewaySettings(HttpSettings):
    """Beside the usual: where the services are, the key that signs, who may sign in and for how long."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True, hide_input_in_errors=True)

    service_urls: dict[str, Url] = Field(min_length=1, description='JSON, e.g. {"roadmap": "http://roadmap:8080"}')
    signing_key: Path = Field(description="PEM file with the private key whose public half is in the key set")
    database_dsn: Dsn = Field(description="postgresql://role:password@host:port/database, the gateway's own role")
    database_pool: int = Field(default=10, ge=1, le=100, description="connections at most")
    session_hours: int = Field(default=12, ge=1, le=720, description="after that, people sign in again")
    session_idle_minutes: int = Field(default=120, ge=5, le=43_200, description="nobody was there for so long")
    trusted_proxies: str = Field(default="", description="addresses or networks of what stands in front, with commas")

    oidc_issuer: Url | None = Field(default=None, description="the company's identity provider; none: links only")
    oidc_client_id: str | None = Field(default=None, validate_default=True)
    oidc_client_secret: SecretStr | None = Field(default=None, description="none: a public client, by PKCE alone")
    oidc_scopes: str = Field(default="openid profile email", pattern=r"(^| )openid( |$)")
    oidc_role_claim: str = Field(default="roles", min_length=1, description="may be nested: realm_access.roles")
    oidc_role_map: dict[str, Role] = Field(default={}, description="JSON, value of the claim → role")
    oidc_subject_claim: str = Field(default="sub", min_length=1, description="who they are; it must never change")
    oidc_name_claim: str = Field(default="name", min_length=1, description="what people are called on the pages")

    @field_validator("oidc_client_id")
    @classmethod
    def _known_to_the_provider(cls, client: str | None, given: ValidationInfo) -> str | None:
        if given.data.get("oidc_issuer") and not client:
            raise PydanticCustomError("oidc_client_id", "is needed with EARSHOT_OIDC_ISSUER")
        return client

    @field_validator("oidc_issuer")
    @classmethod
    def _as_safe_as_we_are(cls, issuer: str | None, given: ValidationInfo) -> str | None:
        ours = str(given.data.get("public_url", ""))
        if issuer and not as_safe_as(ours, issuer):
            raise PydanticCustomError("oidc_issuer", "must be an https address as EARSHOT_PUBLIC_URL is")
        return issuer

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def cookie(self, name: str) -> str:
        """The cookie's name; over https one that no other host can set and no plain connection gets."""
        return f"__Host-{name}" if self.is_https else name

    def set_cookie(self, response: Response, name: str, value: str, lifetime: timedelta) -> None:
        """Lax, since people come by links from mails and back from the company's sign-in."""
        seconds = int(lifetime.total_seconds())
        response.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=self.is_https)

    def delete_cookie(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=self.is_https)
