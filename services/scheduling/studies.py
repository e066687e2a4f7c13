"""A study: what is to be learned, and how its interviews are laid out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.scheduling.slots import Horizon, Meeting


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """`buffer_after_minutes` is the gap in which moderator and note-taker reflect before anything else begins."""

    study_id: str
    title: str
    goal: str | None
    length_minutes: int
    buffer_after_minutes: int
    notice_minutes: int
    horizon_days: int
    step_minutes: int
    open: bool
    created_at: datetime

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.length_minutes)

    @property
    def buffer_after(self) -> timedelta:
        return timedelta(minutes=self.buffer_after_minutes)

    def meeting(self, *, by_hand: bool = False) -> Meeting:
        """Its interview as slots see it; a time set by hand is not bound by notice and horizon."""
        return Meeting(
            length=self.length,
            step=timedelta(minutes=self.step_minutes),
            buffer_after=self.buffer_after,
            notice=timedelta(0) if by_hand else timedelta(minutes=self.notice_minutes),
            horizon=None if by_hand else Horizon(self.horizon_days, UTC),
        )
