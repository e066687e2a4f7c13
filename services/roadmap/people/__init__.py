"""Who speaks at the board: signing in, votes for others, moderation, and who is told of what."""
