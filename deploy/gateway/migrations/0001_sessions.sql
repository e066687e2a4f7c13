-- A session is found by the digest of its cookie: whoever reads this table cannot sign in with it.
CREATE TABLE sessions (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    subject    text NOT NULL,
    role       text NOT NULL,
    name       text,
    id_token   text,                    -- of the company's identity provider, to sign out there too
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON sessions (expires_at);

-- Sign-in links that were used; each is forgotten when it would no longer work anyway.
CREATE TABLE used_links (
    link       text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ON used_links (expires_at);
