"""The `earshot` command as an operator of a staged service calls it: told by its environment alone."""

import asyncio
import os
import sys
from collections.abc import Mapping

from tests.support.platform import CHECKOUT
from tests.support.running import Stage

EARSHOT = (sys.executable, "-m", "deploy.local")


def environment_of(staged: Stage) -> Mapping[str, str]:
    """How the service's database and Kafka are reached."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("EARSHOT_")}
    return inherited | {
        "EARSHOT_KAFKA_BOOTSTRAP": staged.settings.kafka_bootstrap,
        "EARSHOT_TOPIC_PREFIX": staged.settings.topic_prefix,
        "EARSHOT_DATABASE_DSN": staged.settings.database_dsn.get_secret_value(),
        "EARSHOT_JWKS": staged.settings.jwks,
        "EARSHOT_HTTP_PORT": "0",
    }


async def earshot(staged: Stage, *arguments: str) -> tuple[int, str]:
    """Exit code and all that was said."""
    process = await asyncio.create_subprocess_exec(
        *EARSHOT,
        *arguments,
        env=environment_of(staged),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()
