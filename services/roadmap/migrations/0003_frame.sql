-- What votes are weighted to, what other formulas ask for, and the momentum of ideas.

-- A vote's part in the momentum of its idea: it doubles with every 14 days, so that by now older votes have halved as
-- often (forward decay). Counted from 2026 and held within what a double can say, which is 1987 to 2064.
CREATE FUNCTION vote_weight(timestamptz) RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE
RETURN power(2, least(greatest((date_part('epoch', $1) - 1767225600) / 1209600, -1000), 1000));

-- Sum of vote_weight over the idea's votes, moved by the statement that moves the counters.
ALTER TABLE ideas ADD COLUMN momentum double precision NOT NULL DEFAULT 0 CHECK (momentum >= 0);
UPDATE ideas SET momentum = upvotes.momentum
  FROM (SELECT feature_id, sum(vote_weight(voted_at)) AS momentum
          FROM votes JOIN people ON person_id = voter_id
         WHERE vote = 'up' AND erased_at IS NULL GROUP BY feature_id) AS upvotes
 WHERE ideas.feature_id = upvotes.feature_id;

-- As before, with the time of the vote; null for somebody who only spoke in an interview.
CREATE OR REPLACE VIEW supporters AS
SELECT standing.feature_id, standing.person_id, people.cell, words.importance, upvotes.voted_at
  FROM (SELECT feature_id, voter_id AS person_id FROM votes WHERE vote = 'up'
        UNION SELECT feature_id, person_id FROM words) AS standing
       JOIN people USING (person_id)
       LEFT JOIN words USING (feature_id, person_id)
       LEFT JOIN votes AS upvotes
              ON (upvotes.feature_id, upvotes.voter_id, upvotes.vote) = (standing.feature_id, standing.person_id, 'up')
 WHERE people.erased_at IS NULL;

-- Everybody who is counted as active, per cell.
CREATE VIEW active AS
SELECT cell, count(*)::integer AS people FROM people WHERE erased_at IS NULL GROUP BY cell;

-- Where the picture of the customer base comes from; one row.
CREATE TABLE frame (
    is_one     boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    -- The KPI whose values by segment are the customers; null: what was entered, in population or margins.
    kpi_id     text,
    -- Weights are cut at so many times their mean; null: not at all.
    trim_ratio double precision CHECK (trim_ratio > 1),
    -- Null: never changed.
    changed_at timestamptz,
    changed_by text
);
INSERT INTO frame DEFAULT VALUES;

-- How many customers there are by one dimension alone, where nobody knows them by all of them.
CREATE TABLE margins (
    dimension text NOT NULL CHECK (dimension IN ('loyalty', 'plan', 'region')),
    value     text NOT NULL,
    customers double precision NOT NULL CHECK (customers >= 0 AND customers < 'infinity'),
    PRIMARY KEY (dimension, value)
);

-- Values that are too thin to stand alone and count as another one; '*' is every value of the dimension.
CREATE TABLE collapses (
    dimension text NOT NULL CHECK (dimension IN ('loyalty', 'plan', 'region')),
    value     text NOT NULL,
    becomes   text NOT NULL,
    PRIMARY KEY (dimension, value)
);

-- The latest value of each KPI in each segment it was measured in; `dimensions` says by which, as "loyalty plan".
CREATE TABLE kpi_cells (
    kpi_id      text NOT NULL,
    dimensions  text NOT NULL,
    cell        text NOT NULL,
    value       double precision NOT NULL,
    period_end  timestamptz NOT NULL,
    measured_at timestamptz NOT NULL,
    PRIMARY KEY (kpi_id, dimensions, cell)
);

-- What people estimate for formulas other than the measured one; null: nobody did.
CREATE TABLE estimates (
    feature_id   text PRIMARY KEY REFERENCES ideas,
    impact       double precision CHECK (impact > 0 AND impact <= 3),
    confidence   double precision CHECK (confidence BETWEEN 0 AND 1),
    ease         double precision CHECK (ease BETWEEN 1 AND 10),
    value        double precision CHECK (value BETWEEN 0 AND 100),
    criticality  double precision CHECK (criticality BETWEEN 0 AND 100),
    risk         double precision CHECK (risk BETWEEN 0 AND 100),
    importance   double precision CHECK (importance BETWEEN 0 AND 10),
    satisfaction double precision CHECK (satisfaction BETWEEN 0 AND 10),
    changed_at   timestamptz NOT NULL,
    changed_by   text NOT NULL
);

-- Answers of a Kano survey: so many people gave this pair.
CREATE TABLE kano_answers (
    feature_id    text NOT NULL REFERENCES ideas,
    functional    text NOT NULL CHECK (functional IN ('like', 'must', 'neutral', 'live', 'dislike')),
    dysfunctional text NOT NULL CHECK (dysfunctional IN ('like', 'must', 'neutral', 'live', 'dislike')),
    people        integer NOT NULL CHECK (people > 0),
    PRIMARY KEY (feature_id, functional, dysfunctional)
);

-- What customers pay, and who belongs to which of them.
CREATE TABLE accounts (
    account_id text PRIMARY KEY,
    value      double precision NOT NULL CHECK (value >= 0 AND value < 'infinity')
);
CREATE TABLE account_people (
    person_id  text PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts
);

-- How far the nightly recount has come; one row.
CREATE TABLE recount (
    is_one   boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    -- The last idea that was looked at; null between two rounds.
    reached  text,
    ended_at timestamptz
);
INSERT INTO recount DEFAULT VALUES;
