"""The endpoints of the customer base: what votes are weighted to, and what accounts are worth."""

from fastapi import APIRouter

from services.roadmap import store
from services.roadmap.api.population_schemas import (
    AccountsAnswer,
    CollapseBody,
    FitAnswer,
    MarginBody,
    NewAccounts,
    NewPopulation,
    PopulationAnswer,
    PopulationCellAnswer,
)
from services.roadmap.priority.accounts import replace_accounts
from services.roadmap.priority.population import frame_of, replace_frame
from services.roadmap.priority.prioritise import audience
from services.roadmap.priority.segments import cell_of, part_of, parts_of
from services.roadmap.store import AccountPerson
from shared.runtime import Connection, Manager, Tx, Viewer

router = APIRouter(prefix="/api/v1")


@router.get("/population", tags=["population"], summary="The customer base against those who took part")
async def read_population(tx: Tx, _who: Viewer) -> PopulationAnswer:
    return await _population(tx.connection)


@router.put("/population", tags=["population"], summary="Say what the whole customer base looks like")
async def write_population(body: NewPopulation, tx: Tx, who: Manager) -> PopulationAnswer:
    given = frame_of(
        [(cell_of(cell.model_dump()), cell.customers) for cell in body.cells],
        [(margin.dimension, part_of(margin.value), margin.customers) for margin in body.margins],
        {(rule.dimension, part_of(rule.value)): part_of(rule.becomes) for rule in body.collapses},
        body.trim_ratio,
    )
    await replace_frame(tx, given, body.kpi_id, who.subject)
    return await _population(tx.connection)


@router.get("/accounts", tags=["population"], summary="How many accounts are known, and what they are worth")
async def read_accounts(tx: Tx, _who: Viewer) -> AccountsAnswer:
    accounts, people, value = await store.count_accounts(tx.connection)
    return AccountsAnswer(accounts=accounts, people=people, value=value)


@router.put("/accounts", tags=["population"], summary="Say who belongs to which account and what it is worth")
async def write_accounts(body: NewAccounts, tx: Tx, who: Manager) -> AccountsAnswer:
    await replace_accounts(tx, [AccountPerson(one.person_id, one.account_id, one.value) for one in body.people])
    return await read_accounts(tx, who)


async def _population(connection: Connection) -> PopulationAnswer:
    everybody = await audience(connection)
    stored = await store.stored_frame(connection)
    frame = stored.frame
    return PopulationAnswer(
        weighted=everybody.weighted,
        customers=frame.customers,
        active=everybody.active,
        outside=everybody.outside,
        covered_share=everybody.covered_share,
        effective_sample_size=everybody.n_eff,
        design_effect=everybody.design_effect,
        cells=tuple(
            PopulationCellAnswer(
                cell=name,
                **parts_of(name),
                customers=cell.population_share * frame.customers,
                active=cell.active,
                weight=cell.weight,
            )
            for name, cell in everybody.cells.items()
        ),
        margins=tuple(
            MarginBody(dimension=dimension, value=value, customers=customers)
            for dimension, totals in frame.margins.items()
            for value, customers in totals.items()
        ),
        fit=FitAnswer.model_validate(everybody.fit) if everybody.fit else None,
        collapses=tuple(
            CollapseBody(dimension=dimension, value=value, becomes=becomes)
            for (dimension, value), becomes in frame.collapses.items()
        ),
        trim_ratio=frame.trim_ratio,
        kpi_id=stored.kpi_id,
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
    )
