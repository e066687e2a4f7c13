"""The sessions service: the interview itself, from the guide on the table to the transcript that others can quote.

It owns the sessions (booked ones and ad-hoc ones), the guides of the studies with all their versions, which questions
were asked, notes taken live, transcripts and listening measures. Events in: InterviewScheduled, InterviewRescheduled,
InterviewCancelled, ParticipantErased. Events out: SessionCompleted, ErasureCompleted.
"""
