"""`python -m tests.bench`: all benchmarks, or those that are named."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from . import consume, http, memory, relay, report, scale, visible
from .place import CHECKOUT, Place, place


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything a run takes."""

    events: int
    rounds: int
    relayed: int
    commits: int
    probes: int
    rates: tuple[int, ...]
    stored: tuple[int, ...]
    instances: tuple[int, ...]
    loaded: int
    idle_seconds: float
    ideas: int
    http_seconds: float


FULL = Size(100_000, 3, 100_000, 200, 300, (0, 1000), (0, 100_000, 1_000_000), (1, 2, 4), 200_000, 5, 10_000, 10)
LONG = Size(400_000, 9, 200_000, 400, 500, (0, 1000), (0, 100_000, 1_000_000), (1, 2, 4), 1_000_000, 30, 10_000, 60)
SMOKE = Size(500, 1, 1_000, 3, 3, (0,), (0,), (1,), 1_000, 1, 50, 1)


async def _consume(at: Place, size: Size) -> dict[str, Any]:
    return await consume.compare(at, size.events, size.rounds)


async def _relay(at: Place, size: Size) -> dict[str, Any]:
    return {
        "throughput": await relay.throughput(at, size.relayed, size.rounds),
        "latency": await relay.latency(at, size.commits),
    }


async def _visible(at: Place, size: Size) -> dict[str, Any]:
    names = {rate: f"{rate:,} votes a second" if rate else "idle" for rate in size.rates}
    return {name: await visible.visible(at, size.probes, rate) for rate, name in names.items()}


async def _scale(at: Place, size: Size) -> dict[str, Any]:
    return {
        "stored": await scale.stored(at, size.events, size.stored, size.rounds),
        "instances": await scale.instances(at, size.events, size.instances, size.rounds),
    }


async def _memory(at: Place, size: Size) -> dict[str, Any]:
    return {"idle": await memory.idle(at, size.idle_seconds), "load": await memory.under_load(at, size.loaded, steps=4)}


async def _http(at: Place, size: Size) -> dict[str, Any]:
    return {
        "votes": await http.votes(at, size.stored, size.http_seconds),
        "beside": await http.beside_an_endpoint(at, size.rounds, size.http_seconds),
        "board": await http.board(at, size.ideas, size.http_seconds),
    }


PARTS: dict[str, Callable[[Place, Size], Coroutine[Any, Any, dict[str, Any]]]] = {
    "consume": _consume,
    "relay": _relay,
    "visible": _visible,
    "scale": _scale,
    "memory": _memory,
    "http": _http,
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice([*PARTS]))
@click.option("--smoke", is_flag=True, help="Everything once and small, to see that it runs; the figures say nothing.")
@click.option("--long", "is_long", is_flag=True, help="More of everything; memory over a million events.")
@click.option("--out", type=click.Path(path_type=Path), help="Where results and plots go; default: docs/benchmarks.")
def main(parts: tuple[str, ...], *, smoke: bool, is_long: bool, out: Path | None) -> None:
    """Measure PARTS (all when none is named) on a Kafka and a PostgreSQL started for it."""
    size = SMOKE if smoke else LONG if is_long else FULL
    results: dict[str, Any] = {"machine": report.machine(), "runs": {}}
    click.echo(report.table("machine", results["machine"]))
    with (
        tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder,
        place(Path(folder), as_in_images=not smoke) as at,
    ):
        for name in parts or PARTS:
            results["runs"][name] = report.moment()
            results[name] = asyncio.run(PARTS[name](at, size))
            click.echo(report.table(name, results[name]))
    if out is None and not smoke:
        out = CHECKOUT / "docs" / "benchmarks"
    if out is not None:
        report.write(out, results)
        click.echo(f"\nwritten to {out}")


if __name__ == "__main__":
    main()
