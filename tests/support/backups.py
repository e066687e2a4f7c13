"""Backups of one service's schema, taken and put back by PostgreSQL's own programs, as the handbook says."""

import subprocess
from pathlib import Path

import pytest

from deploy.local.errors import Fault
from deploy.local.postgres import programs
from tests.support.databases import dsn_of
from tests.support.running import Stage

IMPACT_41 = """
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
    SELECT '5f0c4a52-8b7e-4a3e-9a46-6a2f4f1f2d11', 'earshot.kpi-impact-assessed.v1', 'f0',
           'earshot.KpiImpactAssessed.v1', payload,
           '{"source": "/earshot/kpi", "time": "2026-03-02T09:00:00+00:00"}'
      FROM (VALUES ('{"feature_id": "f0", "kpi_id": "k9", "version": 41, "released_at": "2026-03-02T09:00:00Z",
                      "effect": 1, "effect_low": 0, "effect_high": 2, "verdict": "improved", "periods_before": 9,
                      "periods_after": 9, "assessed_at": "2026-03-02T09:00:00Z"}')) AS given (payload)
    """
"""An event of kpi's on its way out, with a version far above the others."""


class Backup:
    """A dump of the staged service's schema; skips the test where PostgreSQL's programs are not installed."""

    def __init__(self, staged: Stage, file: Path) -> None:
        try:
            self._programs = programs()
        except Fault:
            pytest.skip("pg_dump comes with the embedded PostgreSQL, which is not installed; run `make up` once")
        self._schema, self._file = staged.service.name, file
        self._dsn = dsn_of(staged.settings.database_dsn.get_secret_value().rsplit("/", 1)[1])

    def take(self) -> None:
        self._run("pg_dump", "--format=custom", f"--schema={self._schema}", f"--file={self._file}", self._dsn)

    def put_back(self) -> None:
        self._run("pg_restore", "--clean", "--if-exists", "--single-transaction", "-d", self._dsn, str(self._file))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self._programs / program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
