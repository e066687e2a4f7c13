"""Answers to `slots.json` from scheduling's availability and slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from services.scheduling import slots
from services.scheduling.availability import (
    LocalWindow,
    Schedule,
    Span,
    WeeklyRule,
    intersect,
    merge,
    open_windows,
    subtract,
)
from services.scheduling.zones import minute_of_day, named_zone, wall_time
from tests.cases import NotAnswered

Json = Mapping[str, Any]

NOT_BLOCKING = frozenset({"cancelled", "rejected"})
WORKING_DAYS = {"calendar": False, "business": True}
MODES = {"single": slots.HostMode.ALL, **{mode.value: mode for mode in slots.HostMode}}


def answer(case: dict[str, Any], data: Path) -> dict[str, Any]:  # noqa: ARG001 - no case names a file
    kinds = {"instant": _instants, "ranges": _ranges, "verdict": _verdicts, "slots": _slots}
    if case["kind"] not in kinds:
        raise NotAnswered(f"no rule for the kind {case['kind']}")
    return kinds[case["kind"]](case["input"])


def _instants(given: Json) -> dict[str, Any]:
    zone = named_zone(given["timezone"])
    return {
        "utc": [
            _text(wall_time(date.fromisoformat(local["date"]), minute_of_day(local["time"]), zone))
            for local in given["local"]
        ]
    }


def _ranges(given: Json) -> dict[str, Any]:
    span = _span(given["range"]["from"], given["range"]["to"])
    free = [span]
    for host in given["hosts"]:
        free = intersect(free, subtract(_windows(host, span), [taken.span for taken in _busy(host)]))
    return {"ranges": [[_text(left.start), _text(left.end)] for left in free]}


def _verdicts(given: Json) -> dict[str, Any]:
    asked = _asked(given)
    starts = [datetime.fromisoformat(text) for text in given["candidates"]]
    return {"bookable": [bool(slots.free_teams(*asked, start, booked=_booked(given))) for start in starts]}


def _slots(given: Json) -> dict[str, Any]:
    span = _span(given["range"]["from"], given["range"]["to"])
    openings = slots.free_starts(*_asked(given), span, booked=_booked(given))
    return {"slots": [_text(opening.start) for opening in openings]}


def _asked(given: Json) -> tuple[list[slots.Team], slots.Meeting, dict[str, list[slots.Busy]], datetime]:
    mode = given.get("host_mode", "single")
    if mode not in MODES:
        raise NotAnswered(f"no rule for the host mode {mode}")
    span = _span(given["range"]["from"], given["range"]["to"])
    hosts = [
        slots.Host(host["id"], tuple(_windows(host, span)), fixed=host.get("fixed", False)) for host in given["hosts"]
    ]
    meeting = _meeting(given)
    busy = {host["id"]: _busy(host) for host in given["hosts"]}
    # A case without `now` asks for no notice.
    now = datetime.fromisoformat(given["now"]) if "now" in given else span.start - meeting.notice
    return slots.teams_of(MODES[mode], hosts), meeting, busy, now


def _meeting(given: Json) -> slots.Meeting:
    event = given["event"]
    return slots.Meeting(
        length=timedelta(minutes=event["length_min"]),
        step=timedelta(minutes=event.get("step_min", event["length_min"])),
        buffer_before=_minutes(event, "buffer_before_min"),
        buffer_after=_minutes(event, "buffer_after_min"),
        notice=_minutes(event, "min_notice_min"),
        offset=_minutes(event, "offset_start_min"),
        grid=_grid(given["grid"]) if "grid" in given else slots.Grid(),
        caps=_caps(given["caps"]) if "caps" in given else None,
        horizon=_horizon(given["rolling_window"]) if "rolling_window" in given else None,
    )


def _grid(grid: Json) -> slots.Grid:
    return slots.Grid(slots.GridPolicy(grid["policy"]), _minutes(grid, "align_min"), named_zone(grid["align_tz"]))


def _caps(caps: Json) -> slots.Caps:
    interviews = {slots.Period(period): most for period, most in caps.get("max_bookings", {}).items()}
    minutes = {slots.Period(period): most for period, most in caps.get("max_minutes", {}).items()}
    return slots.Caps(named_zone(caps["timezone"]), interviews, minutes)


def _booked(given: Json) -> list[Span]:
    existing = given.get("caps", {}).get("existing", [])
    return [_span(item["start"], item["end"]) for item in _blocking(existing)]


def _horizon(window: Json) -> slots.Horizon:
    if window["count"] not in WORKING_DAYS:
        raise NotAnswered(f"no rule for a rolling window that counts {window['count']}")
    return slots.Horizon(window["days"], named_zone(window["timezone"]), WORKING_DAYS[window["count"]])


def _windows(host: Json, span: Span) -> list[Span]:
    if "windows_utc" in host:
        return merge(_span(start, end) for start, end in host["windows_utc"])
    overrides: dict[date, tuple[LocalWindow, ...]] = {}
    for override in host.get("overrides", []):
        day = date.fromisoformat(override["date"])
        overrides[day] = overrides.get(day, ()) + _local_windows(override["windows"])
    weekly = tuple(
        WeeklyRule(frozenset(rule["iso_days"]), _local_windows(rule["windows"])) for rule in host.get("weekly", [])
    )
    return open_windows(Schedule(named_zone(host["timezone"]), weekly, overrides), span)


def _local_windows(windows: Sequence[Sequence[str]]) -> tuple[LocalWindow, ...]:
    return tuple(LocalWindow(minute_of_day(start), minute_of_day(end)) for start, end in windows)


def _busy(host: Json) -> list[slots.Busy]:
    return [
        slots.Busy(
            _span(item["start"], item["end"]),
            _minutes(item, "own_buffer_before_min", "buffer_before_min"),
            _minutes(item, "own_buffer_after_min", "buffer_after_min"),
        )
        for item in _blocking(host.get("busy", []))
    ]


def _blocking(items: Sequence[Json]) -> list[Json]:
    return [item for item in items if item.get("status") not in NOT_BLOCKING]


def _span(start: str, end: str) -> Span:
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(end))


def _minutes(record: Json, *names: str) -> timedelta:
    return timedelta(minutes=next((record[name] for name in names if name in record), 0))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
