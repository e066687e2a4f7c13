"""Roadmap turns who wants what into what is built next, and tells what became of it.

It owns the ideas and their statuses, the votes, who supports which idea, the picture of the customer base, and the
priority of every idea with all of its terms. Events in: FeatureVoted, InsightTagged, KpiMeasured, KpiImpactAssessed and
ParticipantErased. Events out: FeaturePriorityChanged, FeatureStatusChanged, ErasureCompleted, and FeatureVoted for the
votes that the public board and the API take. A folder for each subject: the public `board`, the `people` who speak
there, `priority`, `merges`, and `transfer` to and from files.
"""
