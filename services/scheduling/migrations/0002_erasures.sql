-- Who asked to be forgotten, and what each service answered: ids and counts alone, so that the proof names nobody.

CREATE TABLE erasures (
    participant_id text PRIMARY KEY,
    erased_at      timestamptz NOT NULL,
    requested_at   timestamptz NOT NULL,
    requested_by   text,  -- null: another system
    asked_at       timestamptz NOT NULL,  -- the services, for the last time
    times_asked    integer NOT NULL CHECK (times_asked >= 1)
);
CREATE INDEX erasures_by_time ON erasures (requested_at DESC);

-- No reference: after a restored backup an answer may be heard before the question.
CREATE TABLE erasure_answers (
    participant_id text NOT NULL,
    service        text NOT NULL,
    completed_at   timestamptz NOT NULL,
    removed        jsonb NOT NULL,
    kept           jsonb NOT NULL,
    PRIMARY KEY (participant_id, service, completed_at)
);

CREATE VIEW erasure_details AS
SELECT erasures.*,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('service', service, 'completed_at', completed_at,
                                                     'removed', removed, 'kept', kept)
                                  ORDER BY completed_at, service), '[]')
          FROM erasure_answers WHERE erasure_answers.participant_id = erasures.participant_id) AS answers
  FROM erasures;

-- Those who were erased before answers were kept.
INSERT INTO erasures (participant_id, erased_at, requested_at, asked_at, times_asked)
SELECT participant_id, erased_at, erased_at, erased_at, 1 FROM participants WHERE erased_at IS NOT NULL;
