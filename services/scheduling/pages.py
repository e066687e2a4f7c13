"""The HTML pages: those of customers and those of the team."""

from services.scheduling import customer_pages, erasure_pages, study_pages, team_pages
from services.scheduling.site import pages

__all__ = ["pages", "routers"]

routers = (customer_pages.router, team_pages.router, study_pages.router, erasure_pages.router)
