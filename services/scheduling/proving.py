"""The report that proves an erasure, as the API and the pages give it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.scheduling import erasures
from services.scheduling.erasures import Erasure, Report
from services.scheduling.expiry import ANSWERING, expiries


def report(erasure: Erasure, now: datetime, patience: timedelta) -> Report:
    """The report by the contract: who must answer, and how long the log holds what."""
    return erasures.report(erasure, ANSWERING, expiries(), now, patience)


def reports(found: Sequence[Erasure], now: datetime, patience: timedelta) -> list[Report]:
    return [report(erasure, now, patience) for erasure in found]
