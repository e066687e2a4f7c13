"""The customer base over HTTP and from KPIs: entered, previewed, applied, measured, refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from shared.contract.events import FeaturePriorityChanged, ParticipantErased
from tests.roadmap.events import LOYAL, OTHER, add_idea, measured, voted
from tests.support.service import START, ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
CSV = "loyalty,plan,region,customers\nloyal,pro,eu,100\nother,pro,eu,900\n"


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    """Ten loyal people for one idea, five others for another one."""
    service = await start_service("roadmap")
    await add_idea(service, "loud")
    await add_idea(service, "wanted")
    await service.deliver(*[voted("loud", f"fan-{number}", segment=LOYAL) for number in range(10)])
    await service.deliver(*[voted("wanted", f"user-{number}", segment=OTHER) for number in range(5)])
    return service


async def put(roadmap: ServiceUnderTest, body: dict[str, Any], path: str = "/population") -> httpx.Response:
    return await roadmap.client.put(f"/api/v1{path}", json=body, headers=roadmap.headers("manager"))


async def order(roadmap: ServiceUnderTest, sort: str = "priority") -> list[str]:
    answer = await roadmap.client.get(f"/api/v1/ranking?sort={sort}", headers=roadmap.headers("viewer"))
    assert answer.status_code == 200, answer.text
    return [idea["feature_id"] for idea in answer.json()]


async def post(roadmap: ServiceUnderTest, path: str, form: dict[str, str], file: bytes | None = None) -> httpx.Response:
    files = {"file": ("table.csv", file, "text/csv")} if file is not None else None
    return await roadmap.client.post(path, data=form, files=files, headers=roadmap.headers("manager"))


async def test_an_uploaded_table_is_shown_first_and_then_applied(roadmap: ServiceUnderTest) -> None:
    """The preview says what would hold and changes nothing; applying it turns the order round."""
    assert await order(roadmap) == ["loud", "wanted"]
    preview = await post(roadmap, "/population", {"source": "table"}, CSV.encode())
    assert preview.status_code == 200
    assert "Nothing is changed until you apply it" in preview.text
    assert "loyal,pro,eu,100" in preview.text
    assert await order(roadmap) == ["loud", "wanted"]
    applied = await post(roadmap, "/population", {"source": "table", "table": CSV, "apply": "1"})
    assert applied.status_code == 303
    assert await order(roadmap) == ["wanted", "loud"]
    told = {change.feature_id: change.weighted for change in await roadmap.published(FeaturePriorityChanged)}
    assert told == {"loud": True, "wanted": True}


async def test_a_wrong_table_is_told_by_line_and_changes_nothing(roadmap: ServiceUnderTest) -> None:
    """Each wrong line is named on the page, which keeps what was pasted."""
    table = "plan,customers\npro,many\n<b>free</b>,-2\n"
    answer = await post(roadmap, "/population", {"source": "table", "table": table, "apply": "1"})
    assert answer.status_code == 422
    assert "Line 2: &#39;many&#39; is no number" in answer.text
    assert "Line 3: &#39;-2&#39; cannot be" in answer.text
    assert "&lt;b&gt;free&lt;/b&gt;" in answer.text
    assert await order(roadmap) == ["loud", "wanted"]


@pytest.mark.parametrize(
    ("form", "file", "says"),
    [
        ({"source": "table"}, b"\xff\x00\xfe", "This file is no text in UTF-8"),
        ({"source": "table", "collapses": "plan starter"}, CSV.encode(), "Line 1 is no rule; write it as"),
        ({"source": "table", "trim_ratio": "0.5"}, CSV.encode(), "Enter a number above 1."),
        ({"source": "table", "apply": "1", "collapses": "plan a = b\nplan b = c"}, CSV.encode(), "itself taken into"),
        ({"source": "somewhere"}, CSV.encode(), "Choose one of the options."),
    ],
)
async def test_wrong_entries_come_back_with_a_sentence(
    roadmap: ServiceUnderTest, form: dict[str, str], file: bytes, says: str
) -> None:
    """The form is answered 422 and says what to mend."""
    answer = await post(roadmap, "/population", form, file)
    assert answer.status_code == 422
    assert says in answer.text


async def test_margins_rules_and_trimming_over_the_api(roadmap: ServiceUnderTest) -> None:
    """Margins are raked, thin values taken together, weights cut; the answer says how it ended."""
    body = {
        "margins": [
            {"dimension": "loyalty", "value": "Loyal", "customers": 100},
            {"dimension": "loyalty", "value": "other", "customers": 700},
            {"dimension": "loyalty", "value": "former", "customers": 200},
            {"dimension": "plan", "value": "pro", "customers": 1000},
        ],
        "collapses": [{"dimension": "loyalty", "value": "former", "becomes": "other"}],
        "trim_ratio": 2,
    }
    answer = (await put(roadmap, body)).json()
    assert (answer["weighted"], answer["customers"], answer["covered_share"]) == (True, 1000.0, 1.0)
    assert (answer["fit"]["converged"], answer["trim_ratio"], answer["changed_by"]) == (True, 2.0, "ana")
    # Uncut 0.15 and 2.7; cut at twice the mean: 10 x 0.15 + 5 x 2 = 11.5, scaled by 15 / 11.5.
    weights = {cell["loyalty"]: cell["weight"] for cell in answer["cells"]}
    assert weights == pytest.approx({"loyal": 0.15 * 15 / 11.5, "other": 2 * 15 / 11.5})
    assert answer["design_effect"] == pytest.approx(15 * (10 * 0.15**2 + 5 * 4) / 11.5**2)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {
                "cells": [{"plan": "pro", "customers": 1}],
                "margins": [{"dimension": "plan", "value": "pro", "customers": 1}],
            },
            "by cells and by margins",
        ),
        ({"cells": [{"plan": "pro", "customers": 1}], "kpi_id": "customers"}, "leave out one of them"),
        ({"cells": [{"plan": "pro", "customers": 0}]}, "add up to 0"),
        (
            {"margins": [{"dimension": "plan", "value": name, "customers": 1} for name in ("pro", "Pro")]},
            "The plan pro is given twice",
        ),
    ],
)
async def test_a_customer_base_that_says_two_things_is_refused(
    roadmap: ServiceUnderTest, body: dict[str, Any], says: str
) -> None:
    """Contradictions are told, and what held before holds on."""
    answer = await put(roadmap, body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert await order(roadmap) == ["loud", "wanted"]


async def test_a_kpi_by_segment_is_the_customer_base(roadmap: ServiceUnderTest) -> None:
    """Named as the source, a KPI's values by segment weigh votes, and new ones weigh them anew."""
    await roadmap.deliver(
        measured("customers", 1000.0),
        measured("customers", 100.0, dimensions={"loyalty": "loyal"}),
        measured("customers", 900.0, dimensions={"loyalty": "other"}),
        measured("customers", 5.0, dimensions={"country": "fr"}),
    )
    answer = (await put(roadmap, {"kpi_id": "customers"})).json()
    assert (answer["customers"], answer["kpi_id"]) == (1000.0, "customers")
    assert await order(roadmap) == ["wanted", "loud"]
    before = len(await roadmap.published(FeaturePriorityChanged))
    await roadmap.deliver(
        measured("customers", 950.0, day=2, dimensions={"loyalty": "Loyal"}),
        measured("customers", 50.0, day=2, dimensions={"loyalty": "other"}),
    )
    assert await order(roadmap) == ["loud", "wanted"]
    assert len(await roadmap.published(FeaturePriorityChanged)) == before + 2


async def test_late_and_repeated_segment_values_change_nothing(roadmap: ServiceUnderTest) -> None:
    """An older period, an older measurement, the same again, and the same number of a later period: nothing is due."""
    await put(roadmap, {"kpi_id": "customers"})
    await roadmap.deliver(measured("customers", 100.0, day=5, dimensions={"plan": "pro"}))
    told = len(await roadmap.published(FeaturePriorityChanged))
    for late in (
        measured("customers", 7.0, day=4, dimensions={"plan": "pro"}),
        measured("customers", 7.0, day=5, hours=-3, dimensions={"plan": "pro"}),
        measured("customers", 100.0, day=5, dimensions={"plan": "pro"}),
    ):
        await roadmap.deliver(late)
    again = measured("customers", 100.0, day=6, dimensions={"plan": "pro"})
    await roadmap.batches.apply([roadmap.record(again)])
    assert await roadmap.database.fetch("SELECT * FROM due") == []
    answer = await roadmap.client.get("/api/v1/population", headers=roadmap.headers("viewer"))
    assert answer.json()["customers"] == 100.0
    assert len(await roadmap.published(FeaturePriorityChanged)) == told


async def test_what_nobody_speaks_for_is_never_zero(roadmap: ServiceUnderTest) -> None:
    """The page and the table say not identified, and how many customers that is."""
    cells = [
        {"loyalty": "loyal", "plan": "pro", "region": "eu", "customers": 300},
        {"loyalty": "loyal", "plan": "free", "region": "eu", "customers": 700},
    ]
    await put(roadmap, {"cells": cells})
    text = (await roadmap.client.get("/population", headers=roadmap.headers("viewer"))).text
    assert "70% of customers are in segments that nobody speaks for." in text
    assert "5 people are in segments that the customer base does not name and weigh nothing." in text
    assert "not identified" in text


async def test_only_managers_change_the_customer_base(roadmap: ServiceUnderTest) -> None:
    """A researcher reads the pages and sends nothing."""
    headers = roadmap.headers("researcher")
    for path in ("/population", "/accounts"):
        shown = await roadmap.client.get(path, headers=headers)
        assert (shown.status_code, "<textarea" in shown.text) == (200, False)
        assert (await roadmap.client.post(path, data={}, headers=headers)).status_code == 403
    assert (await roadmap.client.put("/api/v1/accounts", json={"people": []}, headers=headers)).status_code == 403


async def test_revenue_counts_each_account_once(roadmap: ServiceUnderTest) -> None:
    """Two people of one account bring it once; whoever belongs to none brings nothing."""
    people = [
        {"person_id": "fan-1", "account_id": "acme", "value": 1000},
        {"person_id": "fan-2", "account_id": "acme", "value": 1000},
        {"person_id": "user-1", "account_id": "zoo", "value": 1500},
        {"person_id": "nobody", "account_id": "idle", "value": 9000},
    ]
    assert (await put(roadmap, {"people": people}, "/accounts")).json() == {
        "accounts": 3,
        "people": 4,
        "value": 11500.0,
    }
    assert await order(roadmap, "revenue") == ["wanted", "loud"]
    found = (await roadmap.client.get("/api/v1/ranking?sort=revenue", headers=roadmap.headers("viewer"))).json()
    assert [idea["value"] for idea in found] == [1500.0, 1000.0]


async def test_accounts_come_as_a_table_too(roadmap: ServiceUnderTest) -> None:
    """Shown first, then taken; a wrong line stops all of it."""
    table = "person,account,value\nfan-1,acme,1000\n"
    assert "One person was read." in (await post(roadmap, "/accounts", {"table": table})).text
    assert (await post(roadmap, "/accounts", {"table": table, "apply": "1"})).status_code == 303
    wrong = await post(roadmap, "/accounts", {"table": table + "fan-2,acme,2\n", "apply": "1"})
    assert wrong.status_code == 422
    assert "Line 3: The account &#39;acme&#39; was worth 1000 before" in wrong.text
    answer = await roadmap.client.get("/api/v1/accounts", headers=roadmap.headers("viewer"))
    assert answer.json() == {"accounts": 1, "people": 1, "value": 1000.0}


async def test_an_erased_person_belongs_to_no_account(roadmap: ServiceUnderTest) -> None:
    """Erasure removes the person from accounts, and a later table does not bring them back."""
    people = [{"person_id": "fan-1", "account_id": "acme", "value": 1000}]
    await put(roadmap, {"people": people}, "/accounts")
    await roadmap.deliver(ParticipantErased(participant_id="fan-1", erased_at=START))
    assert await roadmap.database.fetch("SELECT * FROM account_people") == []
    assert (await put(roadmap, {"people": people}, "/accounts")).json()["people"] == 0
