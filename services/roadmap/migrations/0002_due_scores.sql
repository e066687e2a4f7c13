-- A vote costs what its own rows cost: who supports an idea follows from votes and words instead of being written a
-- second time, and scores are computed afterwards for the ideas that are due.

-- One row per idea whose score may have changed, with what changed it; written with the change, deleted with the score.
CREATE TABLE due (
    feature_id     text PRIMARY KEY,
    event_id       text,
    correlation_id text,
    traceparent    text
);
-- Rows come and go all the time; vacuum after thousands of dead ones, not after a share of none.
ALTER TABLE due SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The latest word of each interviewee on an idea, as it is counted: 0 not important to 3 critical.
CREATE TABLE words (
    feature_id text NOT NULL REFERENCES ideas,
    person_id  text NOT NULL REFERENCES people,
    importance smallint NOT NULL CHECK (importance BETWEEN 0 AND 3),
    PRIMARY KEY (feature_id, person_id)
);
CREATE INDEX words_by_person ON words (person_id);
INSERT INTO words (feature_id, person_id, importance)
SELECT feature_id, person_id, importance FROM supporters WHERE importance IS NOT NULL;

-- Who supports an idea, by vote or in an interview, each person once; all are counted in their own cell.
DROP TABLE supporters;
CREATE VIEW supporters AS
SELECT feature_id, person_id, people.cell, words.importance
  FROM (SELECT feature_id, voter_id AS person_id FROM votes WHERE vote = 'up'
        UNION SELECT feature_id, person_id FROM words) AS standing
       JOIN people USING (person_id)
       LEFT JOIN words USING (feature_id, person_id)
 WHERE people.erased_at IS NULL;

-- Nobody reads more of a person than the cell.
ALTER TABLE people DROP COLUMN segment;
CREATE INDEX people_erased ON people (person_id) WHERE erased_at IS NOT NULL;

-- Looked up for every vote; the service makes the idea in the same transaction, and ideas are never deleted.
ALTER TABLE votes DROP CONSTRAINT votes_feature_id_fkey;

-- Counters are overwritten in place: room on each page, and no index on what changes.
DROP INDEX ideas_by_supporters;
ALTER TABLE ideas SET (fillfactor = 50);
ALTER TABLE support_counts SET (fillfactor = 50);
ALTER TABLE active_counts SET (fillfactor = 50);
ALTER TABLE people SET (fillfactor = 80);
ALTER TABLE votes SET (fillfactor = 90);
