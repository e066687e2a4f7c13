"""What the roadmap is told by its environment besides what every service is."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode, SettingsConfigDict

from services.roadmap.people.identity import usable_key
from shared.runtime.auth.oidc.provider import as_safe_as
from shared.runtime.settings import Settings, Url


def _usable(keys: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, key in keys.items():
        try:
            usable_key(key.get_secret_value())
        except ValueError as wrong:
            raise PydanticCustomError("board_keys", "{name}: {wrong}", {"name": name, "wrong": str(wrong)}) from None
    return keys


def _listed(given: Any) -> Any:  # noqa: ANN401 - whatever the environment holds
    return [part.strip().rstrip("/") for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def _origins(given: tuple[str, ...]) -> tuple[str, ...]:
    for origin in given:
        scheme, separator, rest = origin.partition("://")
        if scheme not in {"https", "http"} or not separator or not rest or set(rest) & set("/?# ;,'\""):
            raise PydanticCustomError(
                "widget_origins", "{origin} is no origin; give https://host[:port]", {"origin": repr(origin[:80])}
            )
    return given


Dimension = Literal["plan", "region", "age_band", "usage", "loyalty"]


class RoadmapSettings(Settings):
    """Who vouches for people at the board, and whose pages may show the widget."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True, hide_input_in_errors=True)

    board_keys: Annotated[dict[str, SecretStr], AfterValidator(_usable)] = Field(
        default={},
        description="JSON, key id → secret of 32 bytes or more (HS256) or Ed25519 public key in PEM (EdDSA)",
    )
    board_audience: str = Field(default="earshot-board", min_length=1, description="`aud` of identity tokens")
    board_oidc_issuer: Url | None = Field(default=None, description="the customers' identity provider; none: no such")
    board_oidc_client_id: str | None = Field(default=None, min_length=1)
    board_oidc_client_secret: SecretStr | None = Field(default=None, description="none: a public client, by PKCE alone")
    board_oidc_name: str | None = Field(default=None, min_length=1, description="“Continue with …”; none: its host")
    board_oidc_scopes: str = Field(default="openid profile email", pattern=r"(^| )openid( |$)")
    board_oidc_subject_claim: str = Field(default="sub", min_length=1, description="who they are in events too")
    board_oidc_kind_claim: str = Field(default="kind", min_length=1, description="`prospect`, or they are customers")
    board_oidc_account_claim: str = Field(default="account", min_length=1, description="as imported for revenue")
    board_oidc_segment_claims: dict[Dimension, Annotated[str, Field(min_length=1)]] = Field(
        default={dimension: f"segment.{dimension}" for dimension in get_args(Dimension)},
        description="JSON, dimension → claim, nested with dots",
    )
    widget_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_origins)] = Field(
        default=(), description="sites that may show the widget: https://app.example,https://example"
    )
    board_writes_per_minute: int = Field(
        default=60, ge=1, le=1_000_000, description="changes by one person, or by all unknown ones of one address"
    )

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        issuer, client = self.board_oidc_issuer, self.board_oidc_client_id
        if issuer is None and (client is not None or self.board_oidc_client_secret is not None):
            raise PydanticCustomError(
                "board_oidc", "EARSHOT_BOARD_OIDC_ISSUER is missing: the other EARSHOT_BOARD_OIDC_… need it"
            )
        if issuer is not None and client is None:
            raise PydanticCustomError(
                "board_oidc", "EARSHOT_BOARD_OIDC_CLIENT_ID is missing: EARSHOT_BOARD_OIDC_ISSUER needs it"
            )
        if issuer is not None and not as_safe_as(self.public_url, issuer):
            raise PydanticCustomError(
                "board_oidc", "EARSHOT_BOARD_OIDC_ISSUER must be an https address as EARSHOT_PUBLIC_URL is"
            )
        return self
