-- Searches that know the letters of every language: trigrams and full text see ASCII alone where the database's ctype is
-- C, and different letters in every other locale.

-- Letters as a search compares them: one case, no accents, points or invisible signs, one form of each character.
CREATE OR REPLACE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN replace(replace(replace(replace(
    translate(
        lower(normalize(regexp_replace(
            normalize($1, NFKD),
            '[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670\u00ad\u200b-\u200f\u2060\ufeff]',
            '', 'g'), NFKC) COLLATE pg_c_utf8),
        'øđłħıŧς', 'odlhitσ'),
    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');

-- Folded letters in ASCII: those of other alphabets by one sign, by code point, which keeps the letters of one alphabet
-- apart; those of scripts with thousands of them by two. What is no letter is a space.
CREATE FUNCTION spelled(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
SELECT coalesce(string_agg(
           CASE WHEN ascii(letter) < 128 THEN letter
                WHEN ascii(letter) < 11904 THEN substr(signs, ascii(letter) % 36 + 1, 1)
                ELSE substr(signs, ascii(letter) / 36 % 36 + 1, 1) || substr(signs, ascii(letter) % 36 + 1, 1)
           END, '' ORDER BY place), '')
  FROM string_to_table(regexp_replace($1, '[[:space:][:punct:][:cntrl:]]' COLLATE pg_c_utf8, ' ', 'g'), NULL)
           WITH ORDINALITY AS each (letter, place),
       (VALUES ('0123456789abcdefghijklmnopqrstuvwxyz')) AS alphabet (signs);
END;

UPDATE idea_texts
   SET title_key = folded(title), text_key = folded(title || ' ' || description),
       -- Looked alike to nothing so far.
       compared_at = CASE WHEN folded(title) ~ '^[\u0001-\u007f]*$' THEN compared_at END
  FROM ideas WHERE ideas.feature_id = idea_texts.feature_id;

-- A space before and after every word.
ALTER TABLE idea_texts
    DROP COLUMN title_words,
    ADD COLUMN title_spelled text NOT NULL GENERATED ALWAYS AS (' ' || spelled(title_key) || ' ') STORED,
    ADD COLUMN text_spelled text NOT NULL GENERATED ALWAYS AS (' ' || spelled(text_key) || ' ') STORED,
    ADD COLUMN title_words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', spelled(title_key))) STORED;
DROP INDEX idea_texts_by_title, idea_texts_by_text;
CREATE INDEX idea_texts_by_title ON idea_texts USING gin (title_spelled gin_trgm_ops);
CREATE INDEX idea_texts_by_text ON idea_texts USING gin (text_spelled gin_trgm_ops);
CREATE INDEX idea_texts_by_word ON idea_texts USING gin (title_words);

-- What every list of the board is of, without reading the ideas; votes change none of these columns.
CREATE INDEX ideas_on_board ON ideas (feature_id) INCLUDE (status, category_id)
 WHERE status_version > 0 AND visibility = 'published' AND merged_into IS NULL;
