"""The service's templates, and what its pages have in common."""

from functools import cache
from pathlib import Path
from zoneinfo import available_timezones

from shared.ui import Pages

pages = Pages("scheduling", Path(__file__).parent / "pages")

AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


def zone_choices(present: str) -> list[tuple[str, str]]:
    """The zones to choose from as (value, label), the present one always among them."""
    names = _zones() if present in _zones() else (present, *_zones())
    return [(name, name.replace("_", " ")) for name in names]


@cache
def _zones() -> tuple[str, ...]:
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(AREAS)))
