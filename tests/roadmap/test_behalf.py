"""A colleague's vote for a customer who said it elsewhere."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from shared.contract.events import FeatureVoted
from tests.roadmap.events import add_idea, supporters, voted
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
FORM = {"person": "customer-7", "source": "https://crm.example/ticket/7", "plan": "pro"}


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """A roadmap with one idea."""
    service = await start_service("roadmap")
    await add_idea(service, "export")
    return service


async def post(service: ServiceUnderTest, role: str = "note_taker", **form: str) -> httpx.Response:
    headers = service.headers(role, "sam")
    return await service.client.post("/ideas/export/on-behalf", data={**FORM, **form}, headers=headers)


async def test_it_is_the_customers_vote_marked_as_recorded(roadmap: ServiceUnderTest) -> None:
    """It counts once, also with the customer's own vote, and says who recorded it and where it was said."""
    await roadmap.deliver(voted("export", "customer-7", hours=-1))
    assert (await post(roadmap)).status_code == 303
    [told] = await roadmap.published(FeatureVoted)
    assert (told.voter_id, told.channel, told.segment.plan) == ("customer-7", "on-behalf", "pro")
    assert told.on_behalf is not None
    assert (told.on_behalf.recorded_by, told.on_behalf.source_url) == ("sam", "https://crm.example/ticket/7")
    assert await supporters(roadmap, "export") == 1
    page = (await roadmap.client.get("/ideas/export/on-behalf", headers=roadmap.headers("viewer", "sam"))).text
    assert "https://crm.example/ticket/7" not in page
    page = (await roadmap.client.get("/ideas/export/on-behalf", headers=roadmap.headers("note_taker", "sam"))).text
    assert '<a href="https://crm.example/ticket/7" rel="noopener noreferrer">' in page


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"source": "javascript:alert(1)"}, "Enter a web address"),
        ({"source": ""}, "Fill this in."),
        ({"person": "Ana Ruiz"}, "not in the expected form"),
    ],
)
async def test_a_wrong_form_comes_back(roadmap: ServiceUnderTest, form: dict[str, str], says: str) -> None:
    """Without a customer or a place where they said it, nothing is counted."""
    answer = await post(roadmap, **form)
    assert answer.status_code == 422
    assert says in answer.text
    assert await supporters(roadmap, "export") == 0


async def test_readers_record_nothing(roadmap: ServiceUnderTest) -> None:
    """It takes somebody who talks with customers."""
    assert (await post(roadmap, "viewer")).status_code == 403
