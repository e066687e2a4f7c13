-- The public board: ideas in the company's own statuses and categories, what people say about them, which of them are
-- the same, and what was shipped.

-- A trusted extension: whoever may create objects in the database may install it.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

-- What the company calls the places of its roadmap; each behaves as one of the six types that others know.
CREATE TABLE statuses (
    status_id text PRIMARY KEY,
    -- Null: called as its type is in the reader's language.
    name      text CHECK (name <> ''),
    type      text NOT NULL CHECK (type IN ('new', 'considered', 'planned', 'now', 'shipped', 'declined')),
    position  integer NOT NULL
);
INSERT INTO statuses (status_id, type, position)
SELECT type, type, 10 * place
  FROM unnest(ARRAY['new', 'considered', 'planned', 'now', 'shipped', 'declined']) WITH ORDINALITY AS type (type, place);

CREATE TABLE categories (
    category_id text PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    position    integer NOT NULL
);

ALTER TABLE ideas
    -- Null: the status that is called as its type.
    ADD COLUMN status_id   text REFERENCES statuses,
    ADD COLUMN category_id text REFERENCES categories,
    -- How sure the team is of when; takes the place of a date.
    ADD COLUMN confidence  text CHECK (confidence IN ('low', 'medium', 'high')),
    ADD COLUMN visibility  text NOT NULL DEFAULT 'published'
               CHECK (visibility IN ('pending', 'published', 'spam', 'archived')),
    -- Who sent it in over the board; null for the team's own and for erased people.
    ADD COLUMN author_id   text,
    ADD COLUMN author_name text,
    ADD COLUMN answered_by text,
    ADD COLUMN answered_at timestamptz,
    -- The survivor of the merge it is part of, which itself is merged into nothing.
    ADD COLUMN merged_into text REFERENCES ideas CHECK (merged_into <> feature_id),
    -- Whether a merge ever concerned it, so that its people are counted with regard to `merges`.
    ADD COLUMN regrouped   boolean NOT NULL DEFAULT false;
UPDATE ideas SET answered_at = status_changed_at WHERE status_note IS NOT NULL;
CREATE INDEX ideas_by_survivor ON ideas ((coalesce(merged_into, feature_id)));
CREATE INDEX ideas_by_author ON ideas (author_id) WHERE author_id IS NOT NULL;

-- Letters as a search compares them: one case, no accents, one form of each character; whatever the database's locale.
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN replace(replace(replace(replace(
    translate(
        lower(normalize(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC) COLLATE pg_c_utf8),
        'øđłħıŧς', 'odlhitσ'),
    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');

-- What searches read; apart from ideas, whose rows every vote writes anew.
CREATE TABLE idea_texts (
    feature_id  text PRIMARY KEY REFERENCES ideas,
    title_key   text NOT NULL,
    -- Title and description.
    text_key    text NOT NULL,
    title_words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', title_key)) STORED,
    -- Null: not yet compared with the other ideas.
    compared_at timestamptz
);
INSERT INTO idea_texts (feature_id, title_key, text_key)
SELECT feature_id, folded(title), folded(title || ' ' || description) FROM ideas WHERE status_version > 0;
CREATE INDEX idea_texts_by_title ON idea_texts USING gin (title_key gin_trgm_ops);
CREATE INDEX idea_texts_by_text ON idea_texts USING gin (text_key gin_trgm_ops);
CREATE INDEX idea_texts_by_word ON idea_texts USING gin (title_words);
CREATE INDEX idea_texts_to_compare ON idea_texts (feature_id) WHERE compared_at IS NULL;

CREATE TABLE comments (
    comment_id  text PRIMARY KEY,
    -- Where it was written; the page of a survivor shows those of its members too.
    feature_id  text NOT NULL REFERENCES ideas,
    parent_id   text REFERENCES comments,
    -- Null: an erased person.
    author_id   text,
    author_kind text NOT NULL CHECK (author_kind IN ('customer', 'prospect', 'team', 'anonymous')),
    author_name text,
    body        text NOT NULL,
    official    boolean NOT NULL DEFAULT false,
    pinned      boolean NOT NULL DEFAULT false,
    visibility  text NOT NULL CHECK (visibility IN ('pending', 'published', 'spam', 'archived')),
    created_at  timestamptz NOT NULL,
    edited_at   timestamptz,
    -- Its place in the thread stays, its words are gone.
    deleted_at  timestamptz,
    CHECK (deleted_at IS NULL OR body = '')
);
CREATE INDEX comments_by_idea ON comments (feature_id, created_at);
CREATE INDEX comments_by_author ON comments (author_id);

CREATE TABLE reactions (
    comment_id text NOT NULL REFERENCES comments,
    person_id  text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('agree', 'thanks', 'love', 'surprised')),
    PRIMARY KEY (comment_id, person_id, kind)
);
CREATE INDEX reactions_by_person ON reactions (person_id);

-- Colleagues who were seen at the board, by the name they are mentioned with.
CREATE TABLE colleagues (
    handle  text PRIMARY KEY,
    subject text NOT NULL UNIQUE,
    name    text NOT NULL
);
CREATE TABLE mentions (
    comment_id text NOT NULL REFERENCES comments,
    handle     text NOT NULL,
    PRIMARY KEY (comment_id, handle)
);
CREATE INDEX mentions_by_handle ON mentions (handle);

-- Every merge there ever was. Those not undone form trees, whose roots are the survivors.
CREATE TABLE merges (
    merge_id    text PRIMARY KEY,
    feature_id  text NOT NULL REFERENCES ideas,
    into_id     text NOT NULL REFERENCES ideas,
    merged_at   timestamptz NOT NULL,
    merged_by   text NOT NULL,
    unmerged_at timestamptz,
    unmerged_by text,
    CHECK (feature_id <> into_id),
    CHECK ((unmerged_at IS NULL) = (unmerged_by IS NULL)),
    CHECK (unmerged_at >= merged_at)
);
CREATE UNIQUE INDEX merges_once ON merges (feature_id) WHERE unmerged_at IS NULL;
CREATE INDEX merges_by_idea ON merges (feature_id);
CREATE INDEX merges_by_survivor ON merges (into_id);

-- Ideas whose titles look alike; people say whether they are the same.
CREATE TABLE lookalikes (
    first_id     text NOT NULL REFERENCES ideas,
    second_id    text NOT NULL REFERENCES ideas,
    similarity   real NOT NULL,
    dismissed_at timestamptz,
    dismissed_by text,
    PRIMARY KEY (first_id, second_id),
    CHECK (first_id < second_id)
);
CREATE INDEX lookalikes_by_second ON lookalikes (second_id);

-- What was shipped, in words; null published_at: a draft.
CREATE TABLE entries (
    entry_id     text PRIMARY KEY,
    title        text NOT NULL CHECK (title <> ''),
    body         text NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    published_at timestamptz
);
CREATE INDEX entries_by_publication ON entries (published_at DESC, entry_id) WHERE published_at IS NOT NULL;
CREATE TABLE entry_ideas (
    entry_id   text NOT NULL REFERENCES entries,
    feature_id text NOT NULL REFERENCES ideas,
    PRIMARY KEY (entry_id, feature_id)
);
CREATE INDEX entry_ideas_by_idea ON entry_ideas (feature_id);

-- When a person's latest word on an idea was said: of their words on merged ideas the last one counts.
ALTER TABLE words ADD COLUMN said_at timestamptz NOT NULL DEFAULT '-infinity';
UPDATE words
   SET said_at = (SELECT max(tagged_at) FROM insights
                   WHERE (insights.feature_id, insights.participant_id) = (words.feature_id, words.person_id)
                     AND NOT insights.withdrawn);

-- Each person's latest vote and word on an idea and on all that is merged into it. Whoever asks for some ideas or some
-- people reads their rows alone, since both are what these views are distinct by.
CREATE VIEW standing_votes AS
SELECT DISTINCT ON (coalesce(merged_into, ideas.feature_id), voter_id)
       coalesce(merged_into, ideas.feature_id) AS feature_id, voter_id AS person_id, vote, voted_at
  FROM ideas JOIN votes USING (feature_id)
 ORDER BY coalesce(merged_into, ideas.feature_id), voter_id, voted_at DESC, votes.feature_id;

CREATE VIEW standing_words AS
SELECT DISTINCT ON (coalesce(merged_into, ideas.feature_id), person_id)
       coalesce(merged_into, ideas.feature_id) AS feature_id, person_id, importance, said_at
  FROM ideas JOIN words USING (feature_id)
 ORDER BY coalesce(merged_into, ideas.feature_id), person_id, said_at DESC, words.feature_id;

-- Who stands behind an idea, by vote or in an interview, each once; importance is null for somebody who only voted,
-- voted_at for somebody who only spoke.
CREATE VIEW standing AS
SELECT feature_id, person_id, max(importance) AS importance, max(voted_at) AS voted_at
  FROM (SELECT feature_id, person_id, NULL::smallint AS importance, voted_at FROM standing_votes WHERE vote = 'up'
        UNION ALL SELECT feature_id, person_id, importance, NULL FROM standing_words) AS said
 GROUP BY feature_id, person_id;

CREATE OR REPLACE VIEW supporters AS
SELECT feature_id, person_id, people.cell, importance, voted_at
  FROM standing JOIN people USING (person_id)
 WHERE people.erased_at IS NULL;
