"""What only this service is told by its environment."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import PREFIX, Settings


class SchedulingSettings(Settings):
    """One instance's settings."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    erasure_hours: int = Field(default=24, ge=1, le=720, description="an erasure not answered by then is overdue")

    @property
    def erasure_patience(self) -> timedelta:
        return timedelta(hours=self.erasure_hours)
