"""`make fuzz`: the long look at the services' HTTP interfaces, on a Kafka and a PostgreSQL of its own."""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from services import DEPLOYABLE
from shared.runtime.serve import load
from shared.runtime.telemetry import start_logging
from tests.openapi.fuzzing import fuzz
from tests.openapi.seeds import MADE
from tests.support.infra import Infrastructure


def main() -> int:
    """Fuzz the named services, all if none is named; the exit code says whether all were clean."""
    parser = argparse.ArgumentParser(prog="python -m tests.openapi")
    parser.add_argument("service", nargs="*", help=f"of {', '.join(DEPLOYABLE)}; all if none is given")
    parser.add_argument("--examples", type=int, default=100, help="random cases of an operation (100)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="repeats a run")
    given = parser.parse_args()
    if unknown := set(given.service) - set(DEPLOYABLE):
        parser.error(f"{', '.join(sorted(unknown))} is none of {', '.join(DEPLOYABLE)}")
    start_logging("fuzz", form="json", level="CRITICAL")
    infrastructure = Infrastructure()
    infrastructure.start()
    try:
        return asyncio.run(_fuzz(given.service or DEPLOYABLE, given.examples, given.seed))
    finally:
        infrastructure.stop()


async def _fuzz(names: list[str] | tuple[str, ...], examples: int, seed: int) -> int:
    bad = 0
    for name in names:
        print(f"{name}: up to {examples} random cases of each operation, seed {seed}", flush=True)  # noqa: T201
        with tempfile.TemporaryDirectory() as folder:
            outcome = await fuzz(load(name), Path(folder), MADE[name], examples=examples, seed=seed)
        bad += not outcome.is_clean
        print(f"{name}: clean" if outcome.is_clean else outcome.report, flush=True)  # noqa: T201
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
