"""No input brings a service to a server error, or to an answer that its OpenAPI document does not tell of."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services import DEPLOYABLE
from shared.runtime.serve import load
from tests.openapi.fuzzing import fuzz
from tests.openapi.seeds import MADE
from tests.runtime.tiny import tiny_service


@pytest.mark.timeout(900)  # a bound for loaded machines; 10 to 20 seconds on an idle one
@pytest.mark.parametrize("name", DEPLOYABLE)
async def test_no_input_breaks_a_service(name: str, tmp_path: Path) -> None:
    """Every operation answers right, odd and wrong input as documented, and never with a server error."""
    outcome = await fuzz(load(name), tmp_path, MADE[name], examples=2, seed=1)
    assert outcome.is_clean, outcome.report
    assert "Server error" not in outcome.report


async def test_a_planted_fault_is_found(tmp_path: Path) -> None:
    """An endpoint that breaks is reported, so a clean report says something."""
    with capture_logs():  # each of its tracebacks would be drawn with all that FastAPI holds
        outcome = await fuzz(tiny_service(), tmp_path, (), examples=1, seed=1)
    assert not outcome.is_clean
    assert "GET /api/v1/broken" in outcome.report
    assert "ST101 Server error: 1" in outcome.failures
