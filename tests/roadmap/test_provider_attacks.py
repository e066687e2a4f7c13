"""What does not sign in at the board by the customers' identity provider."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.gateway.forging import (
    broken,
    changed,
    signed_by_a_stranger,
    signed_with_the_public_key,
    unsigned,
    without,
)
from tests.gateway.provider import Provider
from tests.roadmap.provided import Board, board_of
from tests.support.service import START


async def test_another_browsers_answer_signs_nobody_in(board: Board) -> None:
    """The address one browser was sent back to works in no other: neither in a fresh one nor in one on its own way."""
    address = await board.fill_in()
    client = board.service.client
    begun = client.cookies["earshot_board_sign_in"]
    client.cookies.clear()
    fresh = await client.get(address)
    await client.get("/sign-in/company")
    assert client.cookies["earshot_board_sign_in"] != begun
    underway = await client.get(address)
    for answer in (fresh, underway):
        assert answer.status_code == 400
        assert "It was not begun in this browser" in answer.text
        assert "Continue with Example" in answer.text
    assert not board.is_signed_in
    assert board.provider.redemptions == []


async def test_an_attempt_works_once(board: Board) -> None:
    """With the cookie of its beginning put back, the same answer is refused before the provider is asked again."""
    address, client = await board.fill_in(), board.service.client
    begun = client.cookies["earshot_board_sign_in"]
    assert (await client.get(address)).status_code == 303
    assert "earshot_board_sign_in" not in client.cookies
    client.cookies.clear()
    client.cookies.set("earshot_board_sign_in", begun)
    assert (await client.get(address)).status_code == 400
    assert not board.is_signed_in
    assert len(board.provider.redemptions) == 1


async def test_a_failed_attempt_is_used_up_too(board: Board) -> None:
    """After a forged token the attempt signs nobody in any more, whatever the provider says then."""
    board.provider.forge = broken(board.provider)
    address, client = await board.fill_in(), board.service.client
    assert (await client.get(address)).status_code == 502
    board.provider.forge = lambda token: token
    assert (await client.get(address)).status_code == 400
    assert len(board.provider.redemptions) == 1


@pytest.mark.parametrize(("minutes", "status"), [(10, 303), (11, 400), (-1, 400)])
async def test_an_attempt_ends(board: Board, minutes: int, status: int) -> None:
    """Ten minutes are enough for signing in at the provider; a cookie kept for longer, or of the future, is refused."""
    address, client = await board.fill_in(), board.service.client
    cookie = client.cookies["earshot_board_sign_in"]
    client.cookies.clear()
    client.cookies.set("earshot_board_sign_in", cookie)
    board.service.now = START + timedelta(minutes=minutes)
    assert (await client.get(address)).status_code == status


@pytest.mark.parametrize(
    ("forger", "reason"),
    [
        (changed(nonce="another"), "it belongs to another sign-in"),
        (without("nonce"), "it belongs to another sign-in"),
        (changed(aud="other-app"), "Audience"),
        (changed(aud=["earshot", "other-app"], azp="other-app"), "issued to another application"),
        (changed(aud=["earshot", "other-app"]), "names none that it was issued to"),
        (changed(iss="https://other.example"), "Invalid issuer"),
        (changed(exp=1_700_000_000), "expired"),
        (changed(iat=4_000_000_000), "not yet valid"),
        (without("iat"), "when it was issued"),
        (unsigned, "alg"),
        (signed_with_the_public_key, "alg"),
        (signed_by_a_stranger, "signed by key &#39;stranger&#39;"),
        (broken, "Signature verification failed"),
    ],
    ids=[
        "nonce",
        "no nonce",
        "audience",
        "azp",
        "no azp",
        "issuer",
        "expired",
        "future",
        "no iat",
        "unsigned",
        "public key",
        "stranger's key",
        "signature",
    ],
)
async def test_no_forged_id_token_signs_in(
    board: Board, forger: Callable[[Provider], Callable[[str], str]], reason: str
) -> None:
    """A token that is not the provider's, not for us or not for this attempt is refused, and the page says why."""
    board.provider.forge = forger(board.provider)
    back = await board.come_back()
    assert back.status_code == 502
    assert reason in back.text
    assert "What Example says of you cannot be accepted." in back.text
    assert not board.is_signed_in
    assert await board.service.database.fetch("SELECT 1 FROM speakers") == []


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/\t/evil.example", "/x\r\nA: b", "", "/sign-in"],
)
async def test_one_comes_back_to_the_board_alone(board: Board, to: str) -> None:
    """Whatever the link wished for, signing in leads to no other site."""
    assert (await board.come_back(to=to)).headers["location"] == "/board"


async def test_answers_from_one_address_are_limited(provider: Provider, tmp_path: Path) -> None:
    """Whoever makes up answers is told to wait, so that the provider is not asked at will."""
    async with board_of(provider, tmp_path, board_writes_per_minute=2) as board:
        statuses = [(await board.service.client.get("/sign-in/callback")).status_code for _ in range(3)]
        assert statuses == [400, 400, 429]
