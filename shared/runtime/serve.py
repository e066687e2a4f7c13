"""Runs one service as one process, configured by the environment alone."""

import gc
import importlib
import os
import sys
from typing import TypeVar

import uvicorn
from pydantic import ValidationError

from .housekeeping import TooShort
from .http import create_app
from .packages import package_of
from .service import Service
from .settings import HttpSettings, complaints
from .telemetry import start_logging

GRACEFUL_SECONDS = 10
KEEP_ALIVE_SECONDS = 60
S = TypeVar("S", bound=HttpSettings)


def load(name: str) -> Service:
    """The service that `app.py` of its package wires."""
    package = package_of(name)
    service = importlib.import_module(f"{package}.app").service
    if not isinstance(service, Service):
        raise TypeError(f"{package}.app.service is no Service")
    return service


def read_settings(kind: type[S]) -> S:
    """The settings of the environment; stops the process with a readable list of what is wrong with them."""
    try:
        # Secrets may come as files named like the variables, as Docker and Kubernetes mount them.
        return kind(_secrets_dir=os.environ.get("EARSHOT_SECRETS_DIR"))
    except ValidationError as wrong:
        print("\n".join(complaints(wrong)), file=sys.stderr)  # noqa: T201 - no log yet
        raise SystemExit(2) from None


def serve(name: str) -> None:
    """Serve until the process is told to stop."""
    service = load(name)
    settings = read_settings(service.settings)
    start_logging(name, form=settings.log_format, level=settings.log_level)
    try:
        app = create_app(service, settings)
    except TooShort as wrong:
        print(wrong, file=sys.stderr)  # noqa: T201 - read where the other complaints about settings are
        raise SystemExit(2) from None
    look_for_cycles_seldom()
    uvicorn.run(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def look_for_cycles_seldom() -> None:
    """Leave out what is there since the start, and look again after 100,000 new objects instead of 700.

    A batch makes tens of thousands of objects that go by their reference counts; at Python's own thresholds looking for
    cycles among them took a third of the consumer's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 20)
