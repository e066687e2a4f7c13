"""Insights turns what was said in interviews into evidence for features.

It owns the quotes, tags, sentiments and importances that researchers give to passages of a session, and counts people
with them, never highlights. Events in: SessionCompleted, FeatureStatusChanged, KpiImpactAssessed and ParticipantErased,
of which it keeps its own copies. Events out: InsightTagged and ErasureCompleted. A transcript stays with the sessions
service and is fetched with the reader's own credential whenever somebody opens the session.
"""
