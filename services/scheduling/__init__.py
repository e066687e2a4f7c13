"""Scheduling: from a demo request to a booked interview, and back to the people who asked.

It owns demo requests, studies, hosts and their hours, participants (the only place with contact details), bookings, and
the notices of whom to tell what became of their words, and the proof that people who asked to be forgotten are.
Events in: DemoRequested, SessionCompleted, FeatureStatusChanged, ParticipantErased, ErasureCompleted. Events out:
InterviewScheduled, InterviewRescheduled, InterviewCancelled, ParticipantErased, ErasureCompleted, and DemoRequested for
what its own form and API take in.
"""
