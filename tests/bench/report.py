"""What a run found: as tables on the screen, as JSON and as plots in a folder."""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .plot import bars

PACKAGES = ("aiokafka", "asyncpg", "faststream", "msgspec", "pydantic", "uvloop")


def machine() -> dict[str, Any]:
    """Where it runs."""
    return {
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "kafka": "Apache Kafka 4.3.1, one broker",
        "postgresql": "18, fsync and synchronous_commit on",
        **{name: version(name) for name in PACKAGES},
    }


def moment() -> dict[str, Any]:
    """When a part began, and how many processes wanted a processor in the minute before."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "load before": round(os.getloadavg()[0], 2)}


def table(name: str, found: Mapping[str, Any]) -> str:
    """Lines of name and value."""
    lines = [f"\n{name}"]
    lines += [f"  {place:56s} {_shown(value):>14s}" for place, value in _leaves(found)]
    return "\n".join(lines)


def write(folder: Path, found: Mapping[str, Any]) -> None:
    """Write results.json and the plots; parts that this run did not have stay as they were."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    results = before | {**found} | {"runs": before.get("runs", {}) | found["runs"]}
    file.write_text(json.dumps(results, indent=1) + "\n")
    for name, drawing in _plots(results):
        (folder / f"{name}.svg").write_text(drawing)


def _plots(results: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if consumed := results.get("consume"):
        rates = {name: consumed[name]["events per core-second"] for name in ("loop", "service", "handler")}
        limit = 0.85 * rates["loop"]
        yield "consume", bars("Votes counted per core-second", rates, limit=limit, limit_name="85 % of the loop")
    if relayed := results.get("relay"):
        rates = {"relay": relayed["throughput"]["events per core-second"]}
        yield "relay", bars("Events published per core-second", rates, limit=60_000, limit_name="60,000")
        delays = {name: found["p95 ms"] for name, found in relayed["latency"].items()}
        yield "relay-latency", bars("Commit to acknowledgement, p95 in ms", delays, limit=25, limit_name="25 ms")
    if seen := results.get("visible"):
        delays = {f"{name}, {share}": found[share] for name, found in seen.items() for share in ("p50 ms", "p99 ms")}
        yield "visible", bars("Published to visible over HTTP, ms", delays, limit=250, limit_name="250 ms")
    if scaled := results.get("scale"):
        rates = {name: found["events per core-second"] for name, found in scaled["stored"].items()}
        yield "stored", bars("Votes counted per core-second, by votes stored", rates)
        rates = {name: found["events per second"] for name, found in scaled["instances"].items()}
        yield "instances", bars("Votes counted per second, by instances", rates)
    if used := results.get("memory"):
        yield "memory", bars("Resident memory, MB", {**used["idle"], **used["load"]}, limit=150, limit_name="150 MB")
    if asked := results.get("http"):
        rates = {name: found["requests per second"] for name, found in asked["votes"].items()}
        yield "http", bars("Votes a second over HTTP, by votes stored", rates, limit=2000, limit_name="2,000")
        rates = {name: asked["beside"][name]["requests per second"] for name in ("service", "endpoint")}
        yield "http-beside", bars("Votes a second over HTTP, service and plain endpoint in turns", rates)


def _leaves(found: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, object]]:
    for name, value in found.items():
        here = f"{place}, {name}" if place else name
        if isinstance(value, Mapping):
            yield from _leaves(value, here)
        else:
            yield here, value


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    return str(value)
