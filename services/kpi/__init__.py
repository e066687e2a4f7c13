"""KPIs, their objectives and measurements, and what releases did to them.

Events in: KpiMeasured (from any system), FeatureStatusChanged (what is released, and which KPIs it is meant to move),
InsightTagged (who asked for it), ParticipantErased. Events out: KpiMeasured (what is entered or uploaded here),
KpiImpactAssessed (a release's effect on a KPI, whenever new measurements change what can be said about it) and
ErasureCompleted.
"""
