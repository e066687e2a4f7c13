"""The rules alone: conditions, their lines, signatures, the schedule, addresses, what is personal."""

import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from deploy.webhooks import schedule, signing
from deploy.webhooks.addresses import allowed, public
from deploy.webhooks.checking import fault_of
from deploy.webhooks.filters import Condition, Scalar, matches
from deploy.webhooks.lines import read_line, write_line
from deploy.webhooks.personal import people_in, without
from deploy.webhooks.subscriptions import Reach, fault_of_types, fault_of_url
from shared.contract.catalogue import EVENTS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VOTE: dict[str, Any] = {
    "feature_id": "export",
    "vote": "up",
    "segment": {"plan": "team", "region": None},
    "tags": ["csv", "excel"],
    "weight": 2,
    "urgent": True,
    "times": [{"start": "2026-03-02"}, {"start": "2026-04-01"}],
}

SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9).map(lambda number: round(number, 3)),
    st.text(
        st.characters(codec="ascii", exclude_characters='",\r\n\t\v\f\x1c\x1d\x1e\x1f', categories=["L", "N", "P", "S"])
    ),
)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition("vote", "equals", "up"), True),
        (Condition("vote", "equals", "UP"), False),
        (Condition("segment.plan", "in", ("free", "team")), True),
        (Condition("segment.plan", "in", ("free",)), False),
        (Condition("segment.region", "exists", True), False),
        (Condition("segment.region", "exists", False), True),
        (Condition("segment.plan.tier", "exists", True), False),
        (Condition("feature_id", "prefix", "exp"), True),
        (Condition("feature_id", "prefix", "xp"), False),
        (Condition("weight", "equals", 2), True),
        (Condition("weight", "equals", 2.0), True),
        (Condition("weight", "equals", "2"), False),
        (Condition("weight", "prefix", "2"), False),
        (Condition("urgent", "equals", True), True),
        (Condition("urgent", "equals", 1), False),
        (Condition("tags", "equals", "excel"), True),
        (Condition("tags", "equals", "pdf"), False),
        (Condition("times.start", "prefix", "2026-04"), True),
        (Condition("times.start", "prefix", "2026-05"), False),
        (Condition("absent", "equals", "x"), False),
    ],
)
def test_what_a_condition_asks_for(condition: Condition, *, holds: bool) -> None:
    """Each operator on text, numbers, truths, nulls, nested fields and lists; 2 is 2.0, but 1 is not true."""
    assert matches([condition], VOTE) is holds


@given(st.lists(st.sampled_from([Condition("vote", "equals", "up"), Condition("vote", "equals", "withdrawn")])))
def test_all_conditions_must_hold(conditions: list[Condition]) -> None:
    """An event passes when each of its conditions passes alone; without conditions everything does."""
    assert matches(conditions, VOTE) == all(condition.value == "up" for condition in conditions)


@given(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), SCALARS, st.lists(SCALARS, min_size=1))
def test_in_is_any_of_its_values(name: str, held: Scalar, choices: list[Scalar]) -> None:
    """`in` holds when `equals` holds for one of the values."""
    data = {name: held}
    one_of = any(matches([Condition(name, "equals", choice)], data) for choice in choices)
    assert matches([Condition(name, "in", tuple(choices))], data) == one_of


@given(SCALARS)
def test_a_line_reads_as_it_was_written(value: Scalar) -> None:
    """A condition that was written as a line is read as the same condition, whatever its value."""
    condition = Condition("segment.plan", "equals", value)
    read = read_line(write_line(condition))
    assert (read, type(read.value)) == (condition, type(value))


@pytest.mark.parametrize(
    ("line", "condition"),
    [
        ("segment.plan equals team", Condition("segment.plan", "equals", "team")),
        ("  channel in app, web ", Condition("channel", "in", ("app", "web"))),
        ("importance in 2,3", Condition("importance", "in", (2, 3))),
        ("reason exists", Condition("reason", "exists", True)),
        ("reason exists false", Condition("reason", "exists", False)),
        ('feature_id equals "42"', Condition("feature_id", "equals", "42")),
        ("value equals 1.5", Condition("value", "equals", 1.5)),
        ("title prefix Export all", Condition("title", "prefix", "Export all")),
    ],
)
def test_lines_as_people_write_them(line: str, condition: Condition) -> None:
    """Numbers and truths are what they look like, and text in quotation marks is text."""
    assert read_line(line) == condition


@pytest.mark.parametrize("line", ["", "segment.plan", "segment.plan is team", "segment.plan = team"])
def test_what_is_no_condition_is_told(line: str) -> None:
    """A line without an operator we know says how to write one."""
    with pytest.raises(ValueError, match="write a field, one of equals, in, exists, prefix, reached, and a value"):
        read_line(line)


@pytest.mark.parametrize(
    ("event", "condition", "told"),
    [
        ("FeatureVoted", Condition("segment.plan", "equals", "team"), None),
        ("FeatureVoted", Condition("on_behalf.recorded_by", "exists", True), None),
        ("FeatureVoted", Condition("vote", "in", ("up", "withdrawn")), None),
        ("InsightTagged", Condition("tags", "equals", "export"), None),
        ("InsightTagged", Condition("importance", "in", (2, 3)), None),
        ("KpiMeasured", Condition("dimensions.region", "equals", "north"), None),
        ("KpiMeasured", Condition("value", "equals", 3), None),
        ("FeatureVoted", Condition("plan", "equals", "team"), "FeatureVoted has no field 'plan'; there are channel, "),
        (
            "FeatureVoted",
            Condition("segment.tier", "exists", True),
            "there are age_band, loyalty, plan, region, usage.",
        ),
        ("FeatureVoted", Condition("feature_id.x", "exists", True), "has no field 'feature_id.x'; there is nothing"),
        ("FeatureVoted", Condition("vote", "equals", "down"), "vote is never 'down'; it is one of up, withdrawn."),
        ("FeatureVoted", Condition("feature_id", "equals", 42), "feature_id holds text, so it never equals 42."),
        ("InsightTagged", Condition("importance", "equals", "3"), "importance holds a number, so it never equals '3'."),
        ("InsightTagged", Condition("importance", "prefix", "3"), "prefix compares text, and importance holds none."),
        ("FeatureVoted", Condition("segment", "equals", "team"), "segment holds nothing to compare with"),
        ("FeatureVoted", Condition("vote", "exists", "yes"), "exists takes true or false."),
        ("FeatureVoted", Condition("vote", "equals", ("up",)), "equals takes one value; use in for several."),
        ("FeatureVoted", Condition("vote", "in", ()), "in takes a list of 1 to 100 values."),
        ("FeatureVoted", Condition("vote", "prefix", ""), "prefix takes text that is not empty."),
    ],
)
def test_a_condition_that_can_never_hold_is_told(event: str, condition: Condition, told: str | None) -> None:
    """A path, a kind or a value that the event's schema does not have is refused with what there is."""
    fault = fault_of(condition, EVENTS[f"earshot.{event}.v1"].model.model_json_schema())
    assert fault is None if told is None else told in str(fault)


@given(st.binary(min_size=24, max_size=64), st.text(max_size=40), st.binary())
def test_signatures_are_the_librarys(key: bytes, message_id: str, raw: bytes) -> None:
    """For any secret, id and body our signature equals that of the library of Standard Webhooks."""
    body = json.dumps(raw.hex()).encode()
    message_id = message_id.encode("ascii", "ignore").decode()
    secret = signing.secret_of(key)
    expected = Webhook(secret).sign(message_id, NOW, body.decode())
    assert signing.signature(secret, message_id, int(NOW.timestamp()), body) == expected


def test_the_schedule_is_that_of_the_convention() -> None:
    """Without jitter: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, and then no more."""
    found = [schedule.next_attempt(failed, NOW, 0.0) for failed in range(1, 12)]
    waits = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert found == [NOW + timedelta(seconds=seconds) for seconds in waits] + [None, None]


@given(st.integers(1, 9), st.floats(0, 1, exclude_max=True), st.timedeltas(timedelta(), timedelta(days=9)))
def test_no_delay_is_shorter_than_asked_nor_longer_than_a_day_and_its_jitter(
    failed: int, chance: float, wait: timedelta
) -> None:
    """A wait that the receiver asks for only ever makes the delay longer, up to a day."""
    without_wait = schedule.next_attempt(failed, NOW, chance)
    with_wait = schedule.next_attempt(failed, NOW, chance, wait)
    assert without_wait is not None
    assert with_wait is not None
    assert with_wait == max(without_wait, NOW + min(wait, timedelta(days=1)))
    assert with_wait - NOW <= timedelta(days=1) * 1.2


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (429, "120", timedelta(minutes=2)),
        (503, " 7 ", timedelta(seconds=7)),
        (429, "Mon, 02 Mar 2026 09:10:00 GMT", timedelta(minutes=10)),
        (429, "Mon, 02 Mar 2026 08:00:00 GMT", timedelta()),
        (429, "99999999999999999999", timedelta(days=1)),
        (429, "soon", None),
        (429, "-5", None),
        (429, "", None),
        (429, None, None),
        (500, "120", None),
    ],
)
def test_how_long_a_receiver_asks_to_wait(status: int, header: str | None, wait: timedelta | None) -> None:
    """Retry-After counts with 429 and 503 alone, in seconds or as a date; nonsense is no wish."""
    assert schedule.asked_to_wait(status, header, NOW) == wait


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (299, "delivered"),
        (301, "failed"),
        (400, "failed"),
        (410, "gone"),
        (500, "failed"),
    ],
)
def test_what_an_answer_means(status: int, verdict: str) -> None:
    """2xx took it, 410 wants no more, everything else failed."""
    assert schedule.verdict(status) == verdict


# fmt: off
BAD_ADDRESSES = [
    "127.0.0.1", "127.255.255.255", "0.0.0.0",  # noqa: S104 - nothing is bound
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "100::1"
]
# fmt: on
GOOD_ADDRESSES = ["1.1.1.1", "93.184.216.34", "::ffff:93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_no_address_inside_is_public(address: str) -> None:
    """Loopback, private, link-local, metadata, multicast, reserved, and IPv6 that stands for IPv4: none is public."""
    assert not allowed(address)


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_addresses_on_the_internet_are_public(address: str) -> None:
    """An ordinary address passes, an IPv4 one also in its IPv6 form."""
    assert allowed(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_the_same_in_ipv6_clothes(address: Any) -> None:
    """Whether an IPv4 address is written as itself or as ::ffff: makes no difference."""
    assert allowed(f"::ffff:{address}") == public(ip_address(address))


def test_a_network_that_is_allowed_opens_nothing_else() -> None:
    """With 10.2.0.0/16 allowed, 10.2.3.4 may be reached, also as mapped IPv6, and 10.3.0.1 may not."""
    networks = (ip_network("10.2.0.0/16"),)
    found = [allowed(address, networks) for address in ("10.2.3.4", "::ffff:10.2.3.4", "10.3.0.1", "127.0.0.1")]
    assert found == [True, True, False, False]


REACH = Reach(ports={443, 8443}, plain_http=False, networks=())


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://crm.example/hooks?x=1", None),
        ("https://crm.example:8443/", None),
        ("https://xn--mnchen-3ya.example/", None),
        ("http://crm.example/", "must begin with https://"),
        ("ftp://crm.example/", "must begin with https://"),
        ("crm.example/hooks", "must begin with https://"),
        ("https://", "Write https://host/path"),
        ("https://münchen.example/", "in ASCII"),
        ("https://crm.example/a b", "without spaces"),
        ("https://crm.example/\r\nX: y", "without spaces"),
        ("https://" + "a" * 2000, "at most 2000 characters"),
        ("https://user:secret@crm.example/", "no user, password or fragment"),
        ("https://crm.example/#top", "no user, password or fragment"),
        ("https://crm.example:22/", "Port 22 is not allowed here; allowed: 443, 8443."),
        ("https://crm.example:99999/", "no web address"),
        ("https://[::1/", "no web address"),
        ("https://127.0.0.1/", "127.0.0.1 is no public address"),
        ("https://[::1]/", "[::1] is no public address"),
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254 is no public address"),
    ],
)
def test_addresses_of_receivers(url: str, told: str | None) -> None:
    """Only https to an allowed port, without credentials; numbers of inside are told at once."""
    fault = fault_of_url(url, REACH)
    assert fault is None if told is None else told in str(fault)


def test_contact_details_need_a_choice() -> None:
    """DemoRequested is refused unless personal data were asked for in so many words; unknown types are refused."""
    demo = ["earshot.DemoRequested.v1"]
    assert "set personal_data" in str(fault_of_types(demo, EVENTS, personal_data=False))
    assert fault_of_types(demo, EVENTS, personal_data=True) is None
    assert "There is no event type 'earshot.Demo'" in str(fault_of_types(["earshot.Demo"], EVENTS, personal_data=True))


@pytest.mark.parametrize(
    ("event", "data", "people"),
    [
        ("InsightTagged", {"participant_id": "p1", "coder_id": "c"}, ["p1"]),
        ("InterviewCancelled", {"participant_id": "p1", "request_id": "r1"}, ["p1"]),
        ("FeatureVoted", {"voter_id": "p2"}, ["p2"]),
        ("FeatureStatusChanged", {"asked_by": ["p3", "p1"]}, ["p1", "p3"]),
        ("FeatureStatusChanged", {"asked_by": []}, []),
        ("DemoRequested", {"request_id": "r1"}, ["r1"]),
        ("ParticipantErased", {"participant_id": "p1"}, []),
        ("KpiMeasured", {"kpi_id": "csat"}, []),
    ],
)
def test_whom_an_event_is_about(event: str, data: dict[str, Any], people: list[str]) -> None:
    """People are found by the fields that the contract names; what says that somebody was erased is about nobody."""
    event_type = EVENTS[f"earshot.{event}.v1"]
    assert people_in(event_type.type, event_type.model.about, data) == people


def test_what_is_left_of_an_event() -> None:
    """An event about the erased person goes whole; one that names the person among others loses the name alone."""
    about = json.dumps({"data": {"participant_id": "p-1", "quote": "said"}})
    naming = json.dumps({"data": {"title": "X", "asked_by": ["p-1", "p-12"]}})
    assert without(about, ["participant_id"], ["p-1"]) is None
    assert without(about, ["participant_id"], ["p-12"]) == about
    left = without(naming, ["asked_by"], ["p-1"])
    assert left is not None
    assert json.loads(left)["data"] == {"title": "X", "asked_by": ["p-12"]}


@pytest.mark.parametrize(
    ("before", "now", "holds"),
    [(49, 50, True), (None, 50, True), (48, 53, True), (50, 51, False), (50, 49, False), (None, 49, False)],
)
def test_a_number_is_reached_once(before: int | None, now: int, *, holds: bool) -> None:
    """It holds where the number came up to the wanted one, and not while it stays there or falls."""
    condition = Condition("raw_votes", "reached", 50)
    assert matches([condition], {"raw_votes": now, "previous_raw_votes": before}) == holds


def test_only_numbers_with_a_past_are_reached() -> None:
    """A field without its former value, a text and a missing number are told when somebody subscribes."""
    schema = {"title": "E", "properties": {"raw_votes": {"type": "integer"}, "previous_raw_votes": {"type": "integer"}}}
    assert fault_of(Condition("raw_votes", "reached", 50), schema) is None
    assert fault_of(Condition("raw_votes", "reached", "many"), schema) == "reached takes one number."
    assert "does not say what 'previous_raw_votes' was before" in str(
        fault_of(Condition("previous_raw_votes", "reached", 50), schema)
    )
    assert read_line("raw_votes reached 50") == Condition("raw_votes", "reached", 50)
    assert write_line(Condition("raw_votes", "reached", 50)) == "raw_votes reached 50"
