"""What the roadmap is told by its environment besides what every service is."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode, SettingsConfigDict

from services.roadmap.people.identity import usable_key
from shared.runtime.settings import Settings


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


class RoadmapSettings(Settings):
    """Who vouches for people at the board, and whose pages may show the widget."""

    model_config = SettingsConfigDict(env_prefix="EARSHOT_", frozen=True, hide_input_in_errors=True)

    board_keys: Annotated[dict[str, SecretStr], AfterValidator(_usable)] = Field(
        default={},
        description="JSON, key id → secret of 32 bytes or more (HS256) or Ed25519 public key in PEM (EdDSA)",
    )
    board_audience: str = Field(default="earshot-board", min_length=1, description="`aud` of identity tokens")
    widget_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_origins)] = Field(
        default=(), description="sites that may show the widget: https://app.example,https://example"
    )
    board_writes_per_minute: int = Field(
        default=60, ge=1, le=1_000_000, description="changes by one person, or by all unknown ones of one address"
    )
