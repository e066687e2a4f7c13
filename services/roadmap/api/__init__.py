"""The JSON endpoints, a module for each subject."""

from services.roadmap.api import changelog, comments, ideas, layout, merges, population, priority, votes

routers = (
    votes.many,
    ideas.router,
    votes.router,
    priority.router,
    population.router,
    comments.router,
    merges.router,
    changelog.router,
    layout.router,
)
