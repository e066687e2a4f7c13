"""Customers sign in at the board by their identity provider, a real one."""

from pathlib import Path

from shared.contract.events import FeatureVoted, ParticipantErased
from tests.gateway.provider import Provider
from tests.roadmap.events import drift, supporters
from tests.roadmap.people import sign_in, vote
from tests.roadmap.provided import CARA, PIA, SCOPES, SITE, Board, board_of
from tests.support.service import START, service_under_test


async def test_a_customer_signs_in_and_votes_once(board: Board) -> None:
    """They come back to the page they left, and vote as the company's customer with segment, account and address."""
    await board.service.database.fetch("INSERT INTO accounts (account_id, value) VALUES ('acme', 1200)")
    back = await board.come_back(to="/board/export")
    assert (back.status_code, back.headers["location"]) == (303, "/board/export")
    for _ in range(2):
        await vote(board.service, "export")
    for told in await board.service.published(FeatureVoted):
        assert (told.voter_id, told.voter_kind, told.vote) == ("customer-7", "customer", "up")
        assert (told.segment.plan, told.segment.region) == ("pro", "eu")
    assert await supporters(board.service, "export") == 1
    assert CARA in (await board.service.client.get("/me")).text
    rows = await board.service.database.fetch("SELECT person_id, account_id FROM account_people")
    assert [tuple(row) for row in rows] == [("customer-7", "acme")]
    assert await drift(board.service) == []


async def test_the_way_there_binds_the_code_to_the_browser(board: Board) -> None:
    """The provider gets S256, state and nonce of this attempt alone, and for the code the verifier and our secret."""
    for _ in range(2):
        await board.come_back()
    one, other = board.provider.authorizations
    assert one["code_challenge_method"] == other["code_challenge_method"] == "S256"
    assert one["redirect_uri"] == "http://test/roadmap/sign-in/callback"
    assert one["scope"] == "openid profile email"
    names = ("state", "nonce", "code_challenge")
    assert len({asked[name] for asked in (one, other) for name in names}) == 6
    verifiers = {redeemed["code_verifier"] for redeemed in board.provider.redemptions}
    assert len(verifiers) == 2
    assert not verifiers & {*one.values(), *other.values()}


async def test_the_sign_in_page_offers_the_provider_beside_the_mail(board: Board) -> None:
    """Its name, a way back to the page one came from, and the form for a link; no foreign page is carried along."""
    page = (await board.service.client.get("/sign-in", params={"to": "/board/export"})).text
    assert "Continue with Example" in page
    assert 'href="/sign-in/company?to=%2Fboard%2Fexport"' in page
    assert 'name="email"' in page
    page = (await board.service.client.get("/sign-in", params={"to": "//evil.example"})).text
    assert 'href="/sign-in/company?to=%2Fboard"' in page
    german = await board.service.client.get("/sign-in", headers={"Accept-Language": "de"})
    assert "Weiter mit Example" in german.text


async def test_an_anonymous_vote_counts_after_signing_in(board: Board) -> None:
    """What the browser voted for before is the customer's one vote, and theirs alone."""
    await vote(board.service, "export")
    assert await supporters(board.service, "export") == 0
    await board.come_back()
    assert await supporters(board.service, "export") == 1
    await vote(board.service, "export")
    assert await supporters(board.service, "export") == 1
    rows = await board.service.database.fetch("SELECT voter_id FROM votes WHERE vote = 'up'")
    assert [row["voter_id"] for row in rows] == ["customer-7"]
    assert await drift(board.service) == []


async def test_who_came_by_mail_before_is_the_same_person(board: Board) -> None:
    """With the same verified address, votes by mail link become the customer's; the mail signs in the customer then."""
    member = await sign_in(board.service, CARA)
    await vote(board.service, "export")
    await vote(board.service, "search")
    board.service.client.cookies.clear()
    await board.come_back()
    await vote(board.service, "export")
    assert [await supporters(board.service, idea) for idea in ("export", "search")] == [1, 1]
    rows = await board.service.database.fetch("SELECT voter_id FROM votes WHERE vote = 'up'")
    assert {row["voter_id"] for row in rows} == {"customer-7"}
    assert member.startswith("member-")
    assert await sign_in(board.service, CARA) == "customer-7"


async def test_an_address_nobody_verified_is_nobodys(board: Board) -> None:
    """Whoever names somebody else's address at the provider gets neither it nor the votes of its owner."""
    member = await sign_in(board.service, PIA)
    await vote(board.service, "export")
    board.service.client.cookies.clear()
    await board.come_back(PIA)
    rows = await board.service.database.fetch("SELECT person_id FROM contacts")
    assert [row["person_id"] for row in rows] == [member]
    rows = await board.service.database.fetch("SELECT voter_id FROM votes WHERE vote = 'up'")
    assert [row["voter_id"] for row in rows] == [member]
    assert PIA not in (await board.service.client.get("/me")).text


async def test_what_the_id_token_lacks_is_asked_for(provider: Provider, tmp_path: Path) -> None:
    """Claims that stand at the userinfo endpoint alone make the same person."""
    provider.in_id_token = ("name",)
    provider.register(SITE, scopes_to_claims=SCOPES)
    async with board_of(provider, tmp_path) as board:
        await board.come_back()
        rows = await board.service.database.fetch("SELECT person_id, email FROM contacts")
        assert [tuple(row) for row in rows] == [("customer-7", CARA)]


async def test_the_session_is_a_new_one_and_ends(board: Board) -> None:
    """Signing in ends the session that the browser had; signing out ends this one, and a copy is worth nothing."""
    client = board.service.client
    await sign_in(board.service, "ana@example.com")
    before = client.cookies["earshot_board"]
    await board.come_back()
    after = client.cookies["earshot_board"]
    await client.post("/sign-out")
    for copy in (before, after):
        client.cookies.set("earshot_board", copy)
        assert (await client.get("/me")).headers["location"] == "/sign-in?to=%2Fme"
    rows = await board.service.database.fetch("SELECT 1 FROM board_sessions")
    assert rows == []


async def test_the_providers_keys_may_rotate(board: Board) -> None:
    """After the provider changed its keys, the next sign-in is checked with the new ones, read again at once."""
    assert (await board.come_back()).status_code == 303
    board.provider.rotate_keys()
    keys = board.service.app.state.board_provider.provider._keys
    keys._tried_at -= 6  # as long as two readings of the keys are apart
    board.service.client.cookies.clear()
    assert (await board.come_back()).status_code == 303
    assert board.is_signed_in


async def test_the_providers_refusal_is_told(board: Board) -> None:
    """Whom the provider refuses reads its words and finds the other way in."""
    back = await board.come_back("nobody <b>")
    assert back.status_code == 403
    assert "Example did not let you in." in back.text
    assert "nobody &lt;b&gt; does not work here" in back.text
    assert "state=" not in back.text
    assert 'name="email"' in back.text


async def test_a_provider_that_is_away_is_told(provider: Provider, tmp_path: Path) -> None:
    """Going there, or coming back while it is away, gives a page that says what to do; the sign-in page stands."""
    async with board_of(provider, tmp_path, board_oidc_issuer="http://127.0.0.1:1") as board:
        assert (await board.service.client.get("/sign-in")).status_code == 200
        begun = await board.service.client.get("/sign-in/company")
        assert begun.status_code == 502
        assert "Example does not answer. Try again in a moment, or sign in by e-mail." in begun.text


async def test_a_provider_that_goes_away_meanwhile_is_told(board: Board) -> None:
    """Nobody is signed in, and the same page says so."""
    address = await board.fill_in()
    provider = board.service.app.state.board_provider.provider
    provider._metadata = provider._metadata.model_copy(update={"token_endpoint": "http://127.0.0.1:1/"})
    back = await board.service.client.get(address)
    assert (back.status_code, "Example does not answer." in back.text) == (502, True)
    assert not board.is_signed_in


async def test_a_provider_that_refuses_us_is_told(provider: Provider, tmp_path: Path) -> None:
    """A wrong secret is the operator's matter; the page says so and does not hold it."""
    async with board_of(provider, tmp_path, board_oidc_client_secret="mistyped-secret") as board:
        back = await board.come_back()
        assert (back.status_code, "Example does not accept this board" in back.text) == (502, True)
        assert "mistyped-secret" not in back.text


async def test_who_is_blocked_changes_nothing(board: Board) -> None:
    """They are signed in and read; what their browser voted before is not confirmed, and they cannot vote."""
    await board.service.database.fetch(
        "INSERT INTO speakers (person_id, kind, trust, joined_at) VALUES ('customer-7', 'customer', 'blocked', now())"
    )
    await vote(board.service, "export")
    assert (await board.come_back()).status_code == 303
    answer = await board.service.client.post("/board/search/vote", data={"vote": "up"})
    assert answer.status_code == 403
    assert [await supporters(board.service, idea) for idea in ("export", "search")] == [0, 0]


async def test_who_was_erased_does_not_come_back(board: Board) -> None:
    """As with an identity token: whoever was forgotten under this id is told so, and nothing of them is kept again."""
    await board.come_back()
    await board.service.deliver(ParticipantErased(participant_id="customer-7", erased_at=START))
    assert (await board.service.client.get("/me")).headers["location"] == "/sign-in?to=%2Fme"
    back = await board.come_back()
    assert back.status_code == 409
    assert "as you asked" in back.json()["detail"]
    assert await board.service.database.fetch("SELECT person_id FROM contacts") == []
    assert await board.service.database.fetch("SELECT person_id FROM board_sessions") == []


async def test_without_a_provider_there_is_none(tmp_path: Path) -> None:
    """A board that is told of no provider offers none, and its addresses lead nowhere."""
    async with service_under_test("roadmap", tmp_path) as service:
        assert "Continue with" not in (await service.client.get("/sign-in")).text
        for path in ("/sign-in/company", "/sign-in/callback"):
            assert (await service.client.get(path)).status_code == 404
