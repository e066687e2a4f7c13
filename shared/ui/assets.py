"""The files a page needs, read once at start-up, named by their content and served for ever.

A name carries the hash of its bytes (`app.3f9c2a1b77d0.css`), so a browser never asks twice for the same bytes
and never keeps old ones after a release.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

HERE = Path(__file__).parent
LAYERS = "@layer reset, tokens, base, parts, pages;\n"
FOREVER = "public, max-age=31536000, immutable"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
PACKED = {".png", ".woff2"}  # already compressed inside


@dataclass(frozen=True, slots=True)
class Asset:
    """One served file: its hashed name, its bytes as they are and gzipped (None where that does not pay)."""

    name: str
    kind: str
    content: bytes
    gzipped: bytes | None


class Assets:
    """A set of assets under `/assets/`, and the ASGI application that serves them (mount it there).

    `files` maps plain names to bytes. A `url(name)` inside CSS is rewritten to the hashed name.
    Raises ValueError for an unknown kind of file and for CSS that points at a file that is not there.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        unknown = sorted(name for name in files if PurePosixPath(name).suffix not in TYPES)
        if unknown:
            raise ValueError(f"no content type is known for {', '.join(unknown)}; add its suffix to TYPES in assets.py")
        self.by_plain: dict[str, Asset] = {}
        for name in sorted(files, key=lambda name: name.endswith(".css")):  # CSS last: it names the others
            content = self._point_at_hashed(name, files[name]) if name.endswith(".css") else files[name]
            self.by_plain[name] = _asset(name, content)
        self.by_name = {asset.name: asset for asset in self.by_plain.values()}

    def __call__(self, name: str) -> str:
        """Return the address of the asset called `name`; raise KeyError naming what there is."""
        if name not in self.by_plain:
            raise KeyError(f"no asset is called {name!r}; there are {', '.join(sorted(self.by_plain))}")
        return f"/assets/{self.by_plain[name].name}"

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD for `/assets/<hashed name>`; anything else is 404."""
        if scope["type"] != "http":
            return
        response: Response = PlainTextResponse("There is no such file.", status_code=404)
        asset = self.by_name.get(PurePosixPath(scope["path"]).name)
        if asset is not None and scope["method"] in {"GET", "HEAD"}:
            accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
            response = _answer(asset, may_gzip=_accepts_gzip(accepted.decode("latin-1")))
        await response(scope, receive, send)

    def _point_at_hashed(self, stylesheet: str, content: bytes) -> bytes:
        def hashed(match: re.Match[str]) -> str:
            name = match[1]
            if name not in self.by_plain:
                raise ValueError(f"{stylesheet} points at url({name}), which is not among the assets")
            return f"url({self.by_plain[name].name})"

        return re.sub(r"url\(['\"]?([^'\")]+)['\"]?\)", hashed, content.decode()).encode()


def _asset(name: str, content: bytes) -> Asset:
    path = PurePosixPath(name)
    digest = hashlib.sha256(content).hexdigest()[:12]
    gzipped = None if path.suffix in PACKED else gzip.compress(content, compresslevel=9, mtime=0)
    return Asset(f"{path.stem}.{digest}{path.suffix}", TYPES[path.suffix], content, gzipped)


def _answer(asset: Asset, *, may_gzip: bool) -> Response:
    headers = {
        "Cache-Control": FOREVER,
        "Content-Type": asset.kind,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if may_gzip and asset.gzipped is not None:
        return Response(asset.gzipped, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.content, headers=headers)


def _accepts_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        coding, _, quality = part.strip().partition(";")
        if coding.strip() == "gzip":
            return quality.strip() not in {"q=0", "q=0.0"}
    return False


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of `folder` by its name; an absent folder has none."""
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.*"))}


@cache
def shared_files() -> dict[str, bytes]:
    """Return what all pages share, by plain name: one stylesheet, the scripts and the font."""
    vendor = HERE / "static" / "vendor"
    # Two deferred files race, and the extension then registers too late; one file in this order cannot.
    scripts = [vendor / "htmx" / "htmx.min.js", vendor / "htmx" / "hx-sse.min.js"]
    joined = {
        "app.css": LAYERS.encode() + _joined(sorted((HERE / "css").glob("*.css")), _without_comments),
        "htmx.js": _joined(scripts, str.rstrip),
    }
    return read_folder(HERE / "static") | read_folder(vendor / "source-sans-3") | joined


def _joined(files: list[Path], change: Callable[[str], str]) -> bytes:
    return "\n".join(change(file.read_text(encoding="utf-8")) for file in files).encode()


def _without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/\s*", "", css, flags=re.DOTALL)


@cache
def drawing(icon: str) -> Markup:
    """Return what is drawn inside the icon, 24 by 24; it stands in the page, where it costs no request."""
    file = HERE / "static" / "vendor" / "lucide" / f"{icon}.svg"
    if not file.is_file():
        raise KeyError(f"no icon is called {icon!r}; add it to shared/ui/static/vendor/vendor.lock and fetch it")
    outside = r"^.*?<svg[^>]*>|</svg>|\n\s*"
    return Markup(re.sub(outside, "", file.read_text(encoding="utf-8"), flags=re.DOTALL).strip())  # noqa: S704 - ours
