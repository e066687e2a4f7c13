"""Markdown that people write is shown as what they meant, and never does anything else."""

import re

import pytest
from markupsafe import Markup

from shared.ui.markdown import LONGEST, html, plain, rendered


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**bold** and *soft*", "<p><strong>bold</strong> and <em>soft</em></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("~~old~~", "<p><s>old</s></p>"),
        ("# Title", "<h3>Title</h3>"),
        ("###### Small", "<h4>Small</h4>"),
        ("3. three\n4. four", '<ol start="3">\n<li>three</li>\n<li>four</li>\n</ol>'),
        ("a `<b>` c", "<p>a <code>&lt;b&gt;</code> c</p>"),
        (
            "|a|\n|-|\n|1|",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>",
        ),
        (
            "see https://example.com/a?b=1&c=2",
            (
                '<p>see <a href="https://example.com/a?b=1&amp;c=2" rel="nofollow ugc noopener noreferrer">'
                "https://example.com/a?b=1&amp;c=2</a></p>"
            ),
        ),
        (
            '[us](mailto:a@b.example "write")',
            '<p><a href="mailto:a@b.example" title="write" rel="nofollow ugc noopener noreferrer">us</a></p>',
        ),
    ],
)
def test_markdown_is_shown_as_meant(text: str, shown: str) -> None:
    """Emphasis, lines, lists, tables, code, lower headings and links that tell search engines and servers nothing."""
    assert html(text).strip() == shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](&#x6A&#x61;vascript&colon;alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
        "[x](vbscript:msgbox(1))",
        "[x](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "![x](https://evil.test/pixel.png)",
        "![x](javascript:alert(1))",
        "[x]: javascript:alert(1)\n[x]",
        '[x](https://a.example "onmouseover=alert(1) \\" style=x")',
        "<a href='javascript:alert(1)'>x</a>",
        "<style>body{display:none}</style>",
        "<iframe src=//evil.test></iframe>",
        "<svg/onload=alert(1)>",
        "`</code><script>alert(1)</script>`",
        '```html"><script>alert(1)</script>\nx\n```',
        "<!-- --!><script>alert(1)</script> -->",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "\\<script>alert(1)</script>",
    ],
)
def test_hostile_markdown_is_inert(text: str) -> None:
    """No element but those of text, no attribute but a checked address, nothing fetched, nothing run."""
    shown = html(text)
    for tag, attributes in re.findall(r"<([a-z0-9]+)([^>]*)>", shown):
        assert tag in {"p", "a", "code", "pre", "br", "h3", "h4", "em", "strong"}
        assert re.fullmatch(
            r'( href="(https?:|mailto:)[^"]*"| title="[^"]*"| rel="nofollow ugc noopener noreferrer")*', attributes
        )


SLOW = {
    "brackets": "[" * 50_000,
    "quotes": "> " * 30_000 + "x",
    "stars": "*a " * 30_000,
    "ticks": "`" * 50_000,
    "angles": "<" * 50_000,
    "lines": "a\n" * 500_000,
    "pictures": "![[" * 20_000,
}


@pytest.mark.parametrize("name", SLOW)
async def test_text_made_to_be_slow_is_cut_first(name: str) -> None:
    """Only the first 20,000 characters are rendered, and a sign says that there was more."""
    text = SLOW[name]
    assert LONGEST == 20_000
    assert await rendered(text) == html(f"{text[:20_000]}…")


async def test_long_text_is_the_same_beside_the_event_loop() -> None:
    """Whether a text is rendered at once or in a thread makes no difference to what is shown."""
    text = "**word** " * 1_000
    assert len(text) == 9_000
    assert str(await rendered(text)) == "<p>" + " ".join(["<strong>word</strong>"] * 1_000) + "</p>\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Title\n\nSome **bold** [link](https://a.example)\nand `code`", "Title Some bold link and code"),
        ("- one\n- two\n\n```\nx = 1\n```", "one two x = 1"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("", ""),
    ],
)
def test_lists_show_the_words_alone(text: str, shown: str) -> None:
    """The plain form has no markup; it is text, so that a template escapes it."""
    assert plain(text) == shown
    assert not isinstance(plain(text), Markup)
