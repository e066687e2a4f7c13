"""Bars as SVG that a browser shows by itself, in light and dark."""

from collections.abc import Mapping
from html import escape

WIDTH, ROW, LABEL, VALUE = 760, 34, 230, 110
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1b1f24}.title{font-weight:600}.bar{fill:#3b6ea5}.limit{stroke:#b3541e}"
    "@media(prefers-color-scheme:dark){svg{background:#15181c}text{fill:#e6e8eb}.bar{fill:#7aa7d9}.limit{stroke:#e8955a}}"
)


def bars(title: str, values: Mapping[str, float], *, limit: float | None = None, limit_name: str = "") -> str:
    """One bar for each value, and a line where the limit is."""
    most = max([*values.values(), limit or 0.0]) or 1.0
    scale = (WIDTH - LABEL - VALUE) / most
    height = ROW * (len(values) + 2)
    parts = [f'<text class="title" x="10" y="22">{escape(title)}</text>']
    for row, (name, value) in enumerate(values.items(), 1):
        top = ROW * row
        parts.append(f'<text x="{LABEL - 10}" y="{top + 21}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="bar" x="{LABEL}" y="{top + 6}" width="{value * scale:.1f}" height="{ROW - 12}"/>')
        parts.append(f'<text x="{LABEL + value * scale + 8:.1f}" y="{top + 21}">{_number(value)}</text>')
    if limit is not None:
        at, foot = LABEL + limit * scale, ROW * (len(values) + 1)
        parts.append(f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{ROW}" y2="{foot}" stroke-dasharray="5 4"/>')
        parts.append(f'<text x="{at:.1f}" y="{foot + 18}" text-anchor="middle">{escape(limit_name)}</text>')
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    drawing = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n{drawing}\n</svg>\n"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
