"""Assesses what releases did to a KPI, and tells when something else can be said than before."""

from services.kpi import effects
from services.kpi.impact import NotYet
from services.kpi.kpis import Kpi
from services.kpi.store import derived, features, impacts, kpis, measurements
from services.kpi.store.impacts import Assessed
from shared.contract.events import KpiImpactAssessed
from shared.runtime import Transaction


async def reassess(tx: Transaction, kpi_id: str) -> None:
    """Assess every release meant to move the KPI whose data changed; the caller holds the KPI's lock."""
    if tx.repeated:  # what was said of the data on their way is said; `reassess_all` looks at where they end
        return
    kpi = await kpis.find(tx.connection, kpi_id)
    if kpi is None:  # named by a feature, never measured
        return
    releases = await features.releases_of(tx.connection, kpi_id)
    known = await impacts.of_kpi(tx.connection, kpi_id)
    series = await measurements.series(tx.connection, kpi_id) if releases else []
    moments = [release.released_at for release in releases]
    holding = []
    for release in releases:
        before = known.get(release.feature_id)
        question = effects.ask(kpi, series, release.released_at, moments)
        if before is None or not before.holds or before.digest != question.digest:
            answer = effects.answer(question)
            if isinstance(answer, NotYet):
                continue
            impact, path = answer
            news = before is None or before.impact != impact
            version = (before.version if before else await impacts.version_floor(tx.connection)) + news
            assessed = Assessed(release.feature_id, kpi_id, version, question.digest, tx.now, impact, path)
            await impacts.save(tx.connection, assessed)
            if news:
                await tx.publish(_told(kpi, assessed))
        holding.append(release.feature_id)
    await impacts.let_go(tx.connection, kpi_id, holding=holding)


async def reassess_all(tx: Transaction) -> None:
    """Say what is to be said now, after everything was derived again; where nothing changed that is nothing."""
    for kpi_id in await derived.kpi_ids(tx.connection):
        await reassess(tx, kpi_id)


def _told(kpi: Kpi, assessed: Assessed) -> KpiImpactAssessed:
    impact = assessed.impact
    return KpiImpactAssessed(
        feature_id=assessed.feature_id,
        kpi_id=kpi.kpi_id,
        version=assessed.version,
        released_at=impact.released_at,
        effect=impact.effect,
        effect_low=impact.low,
        effect_high=impact.high,
        unit=impact.unit,
        verdict=impact.verdict,
        smallest_visible_effect=impact.smallest_visible,
        periods_before=impact.periods_before,
        periods_after=impact.periods_after,
        assessed_at=assessed.assessed_at,
    )
