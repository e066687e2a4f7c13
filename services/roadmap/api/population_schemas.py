"""What the endpoints of the customer base take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from shared.contract.types import Id, Line, Share
from shared.runtime import Answer, Body

Customers = Annotated[float, Field(ge=0, le=1e12)]
Dimension = Literal["loyalty", "plan", "region"]


class PopulationCell(Body):
    """How many customers have these attributes; leave out an attribute that is unknown."""

    loyalty: Line | None = None
    plan: Line | None = None
    region: Line | None = None
    customers: Customers


class MarginBody(Body):
    """How many customers have this value, whatever their other attributes are."""

    dimension: Dimension
    value: Line
    customers: Customers


class CollapseBody(Body):
    """A value too thin to stand alone counts as another one; "*" is every value of the dimension."""

    dimension: Dimension
    value: Line
    becomes: Line


class NewPopulation(Body):
    """The whole customer base by cells, by margins, or as a KPI measures it; without any votes count as they come."""

    cells: Annotated[tuple[PopulationCell, ...], Field(max_length=10_000)] = ()
    margins: Annotated[tuple[MarginBody, ...], Field(max_length=1_000)] = ()
    kpi_id: Id | None = Field(default=None, description="its values by loyalty, plan and region are the customers")
    collapses: Annotated[tuple[CollapseBody, ...], Field(max_length=1_000)] = ()
    trim_ratio: float | None = Field(default=None, gt=1, le=1000, description="cut weights at so many times their mean")


class PopulationCellAnswer(Answer):
    """One stratum of the customer base and of those who took part; weight 0 is not identified or not in the frame."""

    cell: str
    loyalty: str | None
    plan: str | None
    region: str | None
    customers: float
    active: int
    weight: float


class FitAnswer(Answer):
    """How raking ended; the error is the largest distance from a margin as a share of the largest."""

    error: float
    sweeps: int
    converged: bool


class PopulationAnswer(Answer):
    """The customer base against those who took part."""

    weighted: bool
    customers: float
    active: int
    outside: int = Field(description="people in segments that the customer base does not name; they weigh nothing")
    covered_share: Share
    effective_sample_size: float
    design_effect: float | None
    cells: tuple[PopulationCellAnswer, ...]
    margins: tuple[MarginBody, ...]
    fit: FitAnswer | None
    collapses: tuple[CollapseBody, ...]
    trim_ratio: float | None
    kpi_id: str | None
    changed_at: datetime | None
    changed_by: str | None


class AccountBody(Body):
    """A person, the account they belong to, and what that is worth in a year, in the company's own currency."""

    person_id: Id
    account_id: Id
    value: Annotated[float, Field(ge=0, le=1e12)]


class NewAccounts(Body):
    """All accounts and their people."""

    people: Annotated[tuple[AccountBody, ...], Field(max_length=100_000)]


class AccountsAnswer(Answer):
    accounts: int
    people: int
    value: float = Field(description="of all accounts together")
