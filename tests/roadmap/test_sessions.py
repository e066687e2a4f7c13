"""How long sessions at the board last, what their cookies say, and that one kind never serves as the other."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from services.roadmap.people import sessions
from tests.roadmap.events import add_idea
from tests.roadmap.people import ask_link, sign_in
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]
OWN, WIDGET = "earshot_board", "earshot_widget"


@pytest.fixture
async def roadmap(start_service: Start) -> ServiceUnderTest:
    service = await start_service("roadmap")
    await add_idea(service, "export")
    await sign_in(service, "ana@example.com")
    return service


async def begin(service: ServiceUnderTest, *, embedded: bool) -> str:
    """A session of Ana's; gives its secret."""
    person = str((await service.database.fetch("SELECT person_id FROM contacts"))[0]["person_id"])
    async with service.database.transaction() as tx:
        session = await sessions.begin(tx, person, embedded=embedded)
    assert session.secret is not None
    return session.secret


async def asked(service: ServiceUnderTest, **cookies: str) -> httpx.Response:
    """Ask for one's own page with these cookies alone."""
    service.client.cookies.clear()
    shown = "; ".join(f"{name}={secret}" for name, secret in cookies.items())
    return await service.client.get("/me", headers={"Cookie": shown})


def given(answer: httpx.Response, name: str) -> str:
    """The cookie of this name that an answer sets, without its secret; empty for none."""
    found = [value for value in answer.headers.get_list("set-cookie") if value.startswith(f"{name}=")]
    return found[0].partition("; ")[2] if found else ""


@pytest.mark.parametrize(("name", "embedded", "hours"), [(OWN, False, 90 * 24), (WIDGET, True, 12)])
async def test_a_session_ends_in_time(roadmap: ServiceUnderTest, name: str, embedded: bool, hours: int) -> None:  # noqa: FBT001 - a column of the table
    """Of 90 days at the board and 12 hours in a frame the last second counts, and the next one does not."""
    secret = await begin(roadmap, embedded=embedded)
    roadmap.now += timedelta(hours=hours, seconds=-1)
    assert (await asked(roadmap, **{name: secret})).status_code == 200
    roadmap.now += timedelta(seconds=1)
    assert (await asked(roadmap, **{name: secret})).status_code == 303


async def test_one_kind_of_session_is_not_the_other(roadmap: ServiceUnderTest) -> None:
    """A frame's secret in the board's cookie signs nobody in, nor the other way round; beside it the right one does."""
    own, framed = await begin(roadmap, embedded=False), await begin(roadmap, embedded=True)
    assert (await asked(roadmap, **{OWN: framed})).status_code == 303
    assert (await asked(roadmap, **{WIDGET: own})).status_code == 303
    assert (await asked(roadmap, **{OWN: "nonsense", WIDGET: framed})).status_code == 200


async def test_the_cookie_of_the_board(roadmap: ServiceUnderTest) -> None:
    """90 days, for our scripts to read never, and over https alone where the board is there by https."""
    plain = await roadmap.client.post(await ask_link(roadmap, "ana@example.com"))
    assert given(plain, OWN) == "HttpOnly; Max-Age=7776000; Path=/; SameSite=lax"
    safe = await roadmap.client.post(f"https://test{await ask_link(roadmap, 'ana@example.com')}")
    assert given(safe, OWN) == "HttpOnly; Max-Age=7776000; Path=/; SameSite=lax; Secure"


async def test_every_sign_in_has_a_secret_of_its_own(roadmap: ServiceUnderTest) -> None:
    """What somebody put into the browser before is worth nothing afterwards."""
    before = roadmap.client.cookies[OWN]
    await sign_in(roadmap, "ana@example.com")
    assert roadmap.client.cookies[OWN] != before
    roadmap.client.cookies.clear()
    roadmap.client.cookies.set(OWN, "chosen-by-somebody-else")
    await sign_in(roadmap, "ana@example.com")
    assert (await asked(roadmap, **{OWN: "chosen-by-somebody-else"})).status_code == 303


@pytest.mark.parametrize(
    ("name", "embedded", "method", "hours", "renewed"),
    [
        (OWN, False, "POST", 24, False),
        (OWN, False, "POST", 25, True),
        (OWN, False, "GET", 25, False),
        (WIDGET, True, "POST", 11, False),
    ],
)
async def test_when_a_new_secret_is_offered(
    roadmap: ServiceUnderTest,
    name: str,
    embedded: bool,  # noqa: FBT001 - columns of the table
    method: str,
    hours: int,
    renewed: bool,  # noqa: FBT001
) -> None:
    """After more than a day, with a change; never to whoever only reads, and never within a frame."""
    secret = await begin(roadmap, embedded=embedded)
    roadmap.now += timedelta(hours=hours)
    roadmap.client.cookies.clear()
    path, shown = ("/board/export/vote" if method == "POST" else "/me"), {"Cookie": f"{name}={secret}"}
    answer = await roadmap.client.request(method, path, headers=shown, data={"vote": "up"})
    assert "sign-in" not in answer.headers.get("location", "")
    assert bool(given(answer, name)) == renewed


async def test_a_renewed_session_is_a_day_old_again(roadmap: ServiceUnderTest) -> None:
    """The next secret is offered a day after the last one was taken, and the whole lasts no longer for it."""
    first = await begin(roadmap, embedded=False)
    roadmap.now += timedelta(hours=25)
    roadmap.client.cookies.clear()
    offered = await roadmap.client.post("/board/export/vote", data={"vote": "up"}, headers={"Cookie": f"{OWN}={first}"})
    second = offered.cookies[OWN]
    assert (await asked(roadmap, **{OWN: second})).status_code == 200
    roadmap.now += timedelta(hours=23)
    roadmap.client.cookies.clear()
    later = await roadmap.client.post("/board/export/vote", data={"vote": "up"}, headers={"Cookie": f"{OWN}={second}"})
    assert given(later, OWN) == ""
    roadmap.now += timedelta(days=88)
    assert (await asked(roadmap, **{OWN: second})).status_code == 303


async def test_signing_out_ends_both_kinds(roadmap: ServiceUnderTest) -> None:
    """The sessions that the browser shows are gone for every copy, their cookies are taken back, others stay."""
    own, framed, other = [await begin(roadmap, embedded=kind) for kind in (False, True, False)]
    roadmap.client.cookies.clear()
    answer = await roadmap.client.post("/sign-out", headers={"Cookie": f"{OWN}={own}; {WIDGET}={framed}"})
    assert "Max-Age=0" in given(answer, OWN)
    assert given(answer, WIDGET) == "Max-Age=0; Path=/; HttpOnly; SameSite=None; Secure; Partitioned"
    for name, secret, status in ((OWN, own, 303), (WIDGET, framed, 303), (OWN, other, 200)):
        assert (await asked(roadmap, **{name: secret})).status_code == status


async def test_a_cookie_of_no_text_is_a_stranger(roadmap: ServiceUnderTest) -> None:
    """Bytes that are no UTF-8 sign nobody in and break nothing."""
    roadmap.client.cookies.clear()
    answer = await roadmap.client.get("/me", headers=[(b"Cookie", b"earshot_board=\xff\xfe")])
    assert answer.status_code == 303
