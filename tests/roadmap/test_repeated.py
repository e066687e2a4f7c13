"""What systems send again over the API: it is there once, and who sends something else under its id is told."""

from typing import Any

import pytest

from tests.roadmap.events import add_idea
from tests.support.service import ServiceUnderTest

COMMENT = {"comment_id": "c-1", "body": "We look into it."}
ENTRY = {"entry_id": "e-1", "title": "Exports", "body": "As a file.", "feature_ids": ["csv"], "published": True}


@pytest.fixture
async def roadmap(start_service: Any) -> ServiceUnderTest:
    service: ServiceUnderTest = await start_service("roadmap")
    await add_idea(service, "csv")
    await add_idea(service, "excel")
    return service


async def post(roadmap: ServiceUnderTest, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = await roadmap.client.post(f"/api/v1{path}", json=body, headers=roadmap.headers("manager"))
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/ideas/csv/comments", COMMENT, COMMENT | {"body": "We do not."}),
        ("/changelog", ENTRY, ENTRY | {"published": False}),
    ],
)
async def test_an_id_of_ones_own_names_one_thing(
    roadmap: ServiceUnderTest, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    """The same content again is answered 200 with what is there, other content under the same id 409."""
    first = await post(roadmap, path, body)
    again = await post(roadmap, path, body)
    assert (first[0], again[0]) == (201, 200)
    assert again[1] == first[1]
    status, refused = await post(roadmap, path, other)
    assert status == 409
    assert "leave the id out" in refused["detail"]
    listed = await roadmap.client.get(f"/api/v1{path}", headers=roadmap.headers("manager"))
    assert listed.json() == [first[1]]


async def test_a_merge_that_is_asked_for_again_is_the_same(roadmap: ServiceUnderTest) -> None:
    """While it stands, the same merge is answered 200 and not made a second time; undone, it can be made again."""
    merge = {"feature_id": "csv", "into_id": "excel"}
    first = await post(roadmap, "/merges", merge)
    again = await post(roadmap, "/merges", merge)
    assert (first[0], again[0]) == (201, 200)
    assert again[1] == first[1]
    await post(roadmap, f"/merges/{first[1]['merge_id']}/undo", {})
    status, anew = await post(roadmap, "/merges", merge)
    assert status == 201
    assert anew["merge_id"] != first[1]["merge_id"]
