"""What several endpoints look up first."""

from services.roadmap import store
from services.roadmap.ideas import Idea
from shared.runtime import Connection, not_found


async def idea_of(connection: Connection, feature_id: str) -> Idea:
    idea = await store.find_idea(connection, feature_id)
    if idea is None:
        raise not_found("idea", feature_id)
    return idea
