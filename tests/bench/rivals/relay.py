"""The relay of a service, alone in its process, so that its CPU time can be told from the consumer's."""

from shared.runtime.database import Database
from shared.runtime.relay import Relay
from shared.runtime.serve import look_for_cycles_seldom
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Metrics
from tests.bench.rivals.common import run


async def main() -> None:
    look_for_cycles_seldom()
    settings = Settings()
    database = Database("roadmap", settings.database_dsn.get_secret_value())
    await Relay(database, settings, Metrics()).run()


if __name__ == "__main__":
    run(main())
