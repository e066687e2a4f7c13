"""The templates of the roadmap's pages."""

from pathlib import Path

from shared.ui import Pages

templates = Pages("roadmap", Path(__file__).parent / "pages")
