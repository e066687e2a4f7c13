"""The pages of the KPI service: what they say first, and what their forms do."""

import re
from collections.abc import Awaitable, Callable
from html import unescape

import httpx
import pytest

from services.kpi import views
from shared.contract.events import KpiMeasured
from tests.kpi.examples import HIGHER, QUIET, RELEASED, WEEK, measured, shipped, tagged, weeks
from tests.support.service import ServiceUnderTest

Start = Callable[[str], Awaitable[ServiceUnderTest]]

FINDING = r"CSAT rose by 4\.\d points after “New export” \(95% interval \+\d\.\d to \+\d\.\d\)\."


@pytest.fixture
async def kpi(start_service: Start) -> ServiceUnderTest:
    return await start_service("kpi")


async def page(kpi: ServiceUnderTest, path: str, role: str = "viewer") -> str:
    answer = await kpi.client.get(path, headers=kpi.headers(role))
    assert answer.status_code == 200, answer.text
    return answer.text


async def send(kpi: ServiceUnderTest, path: str, form: dict[str, str], role: str = "researcher") -> httpx.Response:
    return await kpi.client.post(path, data=form, headers=kpi.headers(role))


async def send_file(kpi: ServiceUnderTest, content: bytes, kpi_id: str = "csat") -> httpx.Response:
    files = {"file": ("csat.csv", content, "text/csv")}
    return await kpi.client.post(f"/kpis/{kpi_id}/measurements", files=files, headers=kpi.headers("researcher"))


def text(html: str) -> str:
    """What a reader reads, its spaces single."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


async def test_an_empty_board_says_what_to_do(kpi: ServiceUnderTest) -> None:
    """Without KPIs the board explains how they come and leads to the form."""
    html = await page(kpi, "/")
    assert "No KPIs yet" in html
    assert 'href="/new"' in html


async def test_the_board_shows_where_kpis_stand(kpi: ServiceUnderTest) -> None:
    """A row has the KPI, its line, its value and change, its objective, and what the latest release did."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER, baseline=70, target=80), measured(0, 3, "nps", name=None))
    html = await page(kpi, "/")
    row = next(part for part in html.split("<tr>") if "/kpis/csat" in part)
    assert "sparkline" in row
    words = text(row)
    assert "CSAT" in words
    assert "74.8% −0.20 points on the period before" in words
    assert "From 70% to 80% 48% of the way" in words
    assert re.search(r"Improved \+[45]\.\d points New export", words)
    assert "nps" in text(html)


async def test_a_kpi_page_begins_with_the_finding(kpi: ServiceUnderTest) -> None:
    """The verdict stands first, then the chart with band and release mark, a table, and who asked for the release."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER), tagged("i1", "p1"), tagged("i2", "p2"))
    html = await page(kpi, "/kpis/csat")
    words = text(html)
    assert re.search(FINDING, words)
    assert html.index("Improved") < html.index('class="chart wide"')
    assert re.search(f'aria-label="{FINDING}"', html)
    assert 'class="band"' in html
    assert '<text class="mark middle"' in html
    assert "Judged by 20 periods before it and 8 after it." in words
    assert "Asked for by 2 interviewees." in words
    assert html.count('<td class="number">–</td><td class="number">–</td>') == 20


async def test_cannot_tell_says_what_would_have_shown(kpi: ServiceUnderTest) -> None:
    """A KPI too noisy for a verdict says so like any other, with the smallest effect that could have been seen."""
    await kpi.deliver(shipped(), *weeks(QUIET + HIGHER, sample_size=5))
    words = text(await page(kpi, "/kpis/csat"))
    assert "Cannot tell" in words
    assert re.search(r"only a change of \d\d points or more would have shown", words)


async def test_another_release_can_be_shown(kpi: ServiceUnderTest) -> None:
    """The chart compares with the latest assessed release, or with the one asked for where that is assessed."""
    await kpi.deliver(
        *weeks(QUIET + HIGHER), shipped(), shipped("old", title="Old search", released_at=RELEASED - 9 * WEEK)
    )
    assert "expected without release 2" in text(await page(kpi, "/kpis/csat"))
    assert "expected without release 1" in text(await page(kpi, "/kpis/csat?release=old"))
    assert "expected without release 2" in text(await page(kpi, "/kpis/csat?release=%3Cscript%3E"))


async def test_a_release_too_early_says_what_is_missing(kpi: ServiceUnderTest) -> None:
    """Before there is a verdict the page says how many periods are missing, or that the next release came too soon."""
    await kpi.deliver(*weeks(QUIET + HIGHER[:2]), shipped())
    assert "Not yet: needs 1 more measured period after the release." in text(await page(kpi, "/kpis/csat"))
    await kpi.deliver(shipped("search", title="Search", released_at=RELEASED + WEEK))
    assert "“Search” came too soon after it: their effects cannot be told apart." in text(await page(kpi, "/kpis/csat"))


async def test_a_kpi_without_measurements_has_a_page(kpi: ServiceUnderTest) -> None:
    """A KPI never measured, and one measured once, say what is missing instead of a chart."""
    await send(kpi, "/new", {"name": "CSAT", "kpi_id": "csat", "higher_is_better": "true"})
    assert "Not measured yet" in await page(kpi, "/kpis/csat")
    await kpi.deliver(measured(0, 70))
    assert "Measured once" in await page(kpi, "/kpis/csat")


async def test_releases_tell_who_asked_and_what_came_of_it(kpi: ServiceUnderTest) -> None:
    """Every release shows its evidence and each KPI it was meant to move, known or not."""
    assert "Nothing released yet" in await page(kpi, "/releases")
    await kpi.deliver(
        shipped(kpi_ids=("csat", "unmeasured")), shipped("dark", title="Dark", kpi_ids=()), tagged("i1", "p1")
    )
    await kpi.deliver(*weeks(QUIET + HIGHER))
    words = text(await page(kpi, "/releases"))
    assert re.search(FINDING, words)
    assert "Not yet unmeasured" in words
    assert "Asked for by one interviewee." in words
    assert "It is meant to move no KPI" in words


async def test_a_kpi_is_added_by_form(kpi: ServiceUnderTest) -> None:
    """The form creates the KPI, leads to its page and says so there once."""
    assert "Add a KPI" in await page(kpi, "/new", "researcher")
    form = {"name": " Churn ", "unit": "", "higher_is_better": "false", "kpi_id": "churn"}
    answer = await send(kpi, "/new", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/kpis/churn")
    html = await page(kpi, "/kpis/churn")
    assert "Churn is here to be measured." in html
    assert "lower" in text(html)
    assert "is here to be measured" not in await page(kpi, "/kpis/churn")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"name": "", "higher_is_better": "true"}, "Fill this in."),
        ({"name": "CSAT", "kpi_id": "no spaces"}, "This is not in the expected form."),
        ({"name": "Other", "kpi_id": "csat"}, "KPI 'csat' is defined already, as 'CSAT' in no unit"),
        ({"name": "a\x00b"}, "contains a NUL character; remove it"),
        ({"name": "n" * 301}, "Shorten this to 300 characters or fewer."),
    ],
)
async def test_a_wrong_kpi_keeps_what_was_typed(kpi: ServiceUnderTest, form: dict[str, str], message: str) -> None:
    """A KPI that cannot be added is answered by 422, the fault, and the form as it was."""
    await send(kpi, "/new", {"name": "CSAT", "kpi_id": "csat"})
    answer = await send(kpi, "/new", form | {"unit": "typed <b>"})
    assert answer.status_code == 422
    assert message in unescape(answer.text)
    assert 'value="typed &lt;b&gt;"' in answer.text


async def test_an_objective_is_set_by_form(kpi: ServiceUnderTest) -> None:
    """The form sets the objective; a target in the wrong direction is answered with the form as it was."""
    await kpi.deliver(*weeks(QUIET))
    wrong = await send(kpi, "/kpis/csat/objective", {"baseline": "70", "target": "60.5", "by": ""})
    assert wrong.status_code == 422
    assert "For CSAT higher is better, so the target must lie above the baseline" in wrong.text
    assert 'value="60.5"' in wrong.text
    assert "Enter a number" in (await send(kpi, "/kpis/csat/objective", {"baseline": "x", "target": "1"})).text
    answer = await send(kpi, "/kpis/csat/objective", {"baseline": "70", "target": "80", "by": "2026-12-31"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/kpis/csat")
    assert "From 70% to 80% by 31 Dec 2026" in text(await page(kpi, "/kpis/csat"))


async def test_a_file_is_uploaded_by_form(kpi: ServiceUnderTest) -> None:
    """A good file is stored and counted; a wrong or missing one stores nothing and names its faults."""
    await send(kpi, "/new", {"name": "CSAT", "kpi_id": "csat"})
    wrong = await send_file(kpi, b"period_start,period_end,value\n2026-02-01,2026-03-01,<script>\n")
    assert wrong.status_code == 422
    assert "Line 2, column value: &#39;&lt;script&gt;&#39; is no number" in wrong.text
    for empty in (await send_file(kpi, b""), await send(kpi, "/kpis/csat/measurements", {"file": "x"})):
        assert empty.status_code == 422
        assert "Choose a CSV file that is not empty." in empty.text
    assert await kpi.published(KpiMeasured) == []
    answer = await send_file(
        kpi, b"period_start,period_end,value\n2026-02-01,2026-03-01,70\n2026-03-01,2026-04-01,71\n"
    )
    assert answer.status_code == 303
    assert "The file is in: 2 new or corrected, 0 known already." in await page(kpi, "/kpis/csat")


async def test_hostile_texts_stay_texts(kpi: ServiceUnderTest) -> None:
    """Markup in names and titles is shown, not run; emoji, right-to-left and the longest names are shown too."""
    hostile = "<script>alert(1)</script>"
    await kpi.deliver(shipped(title=hostile), *weeks(QUIET + HIGHER, name=hostile, unit="<b>"))
    await kpi.deliver(measured(0, 1, "rtl", name="😀 رضا العملاء"), measured(0, 1, "long", name="n" * 300))
    for path in ("/", "/kpis/csat", "/releases", "/kpis/rtl", "/kpis/long"):
        html = await page(kpi, path)
        assert "<script>alert" not in html
        assert "<b>" not in html
    assert "رضا العملاء" in await page(kpi, "/kpis/rtl")


@pytest.mark.parametrize("path", ["/", "/new", "/kpis/csat", "/releases"])
async def test_pages_are_for_people_who_are_signed_in(kpi: ServiceUnderTest, path: str) -> None:
    """A stranger is asked to sign in, with a page."""
    answer = await kpi.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "Sign in" in answer.text


@pytest.mark.parametrize("path", ["/new", "/kpis/csat/objective", "/kpis/csat/measurements"])
async def test_forms_are_for_researchers(kpi: ServiceUnderTest, path: str) -> None:
    """A note-taker may look but not change."""
    assert (await send(kpi, path, {}, "note_taker")).status_code == 403


async def test_a_cut_list_says_so(kpi: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more KPIs or releases than a page shows, the page says that it shows only some."""
    monkeypatch.setattr(views, "MOST_KPIS", 2)
    monkeypatch.setattr(views, "MOST_RELEASES", 2)
    await kpi.deliver(*(measured(0, 1, f"k{n}", name=None) for n in range(3)), *(shipped(f"f{n}") for n in range(3)))
    assert "Only the first 2 KPIs by name are shown." in text(await page(kpi, "/"))
    assert "Only the latest 2 releases are shown." in text(await page(kpi, "/releases"))


async def test_an_unknown_kpi_has_no_page(kpi: ServiceUnderTest) -> None:
    """An unknown KPI is answered by 404, on pages and forms."""
    assert (await kpi.client.get("/kpis/none", headers=kpi.headers("viewer"))).status_code == 404
    assert (await send(kpi, "/kpis/none/objective", {})).status_code == 404
    assert (await send_file(kpi, b"x", "none")).status_code == 404
