-- Where a sign-in link leads in the end; links of the release before lead to the board.
ALTER TABLE sign_in_links ADD COLUMN leads_to text NOT NULL DEFAULT '/board';
