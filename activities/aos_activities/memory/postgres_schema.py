"""The tables of memory in Postgres, made by numbered migrations."""

from __future__ import annotations

LOCK = 0x414F534D
"""The advisory lock under which memory is written, "AOSM": the log has no gaps, and its order is that of the writes."""

MIGRATIONS = (
    """
    CREATE TABLE transactions (
        number bigint PRIMARY KEY, id text NOT NULL UNIQUE, digest bytea NOT NULL, at bigint NOT NULL,
        by text NOT NULL, why text NOT NULL, source text NOT NULL
    );
    CREATE INDEX transactions_at ON transactions (at);
    CREATE TABLE places (
        place bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, scope text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL, version bigint NOT NULL, words tsvector, UNIQUE (scope, key)
    );
    CREATE INDEX places_words ON places USING gin (words);
    CREATE TABLE versions (
        place bigint NOT NULL REFERENCES places, version bigint NOT NULL,
        number bigint NOT NULL REFERENCES transactions,
        text text NOT NULL, data text, kind text NOT NULL, tags text[] NOT NULL,
        valid_from bigint, valid_to bigint, forgotten boolean NOT NULL,
        PRIMARY KEY (place, version)
    );
    CREATE TABLE embedding (model text NOT NULL, length integer NOT NULL);
    CREATE INDEX versions_tags ON versions USING gin (tags);
    CREATE INDEX versions_number ON versions (number);
    CREATE FUNCTION words_of(key text, text text, tags text) RETURNS tsvector LANGUAGE sql IMMUTABLE RETURN
        setweight(to_tsvector('english', key), 'A') || setweight(to_tsvector('english', text), 'D')
        || setweight(to_tsvector('english', tags), 'B');
    CREATE FUNCTION any_word_of(text text) RETURNS tsquery LANGUAGE sql IMMUTABLE RETURN (
        SELECT string_agg(quote_literal(word), ' | ')::tsquery
        FROM unnest(tsvector_to_array(to_tsvector('english', text))) AS found (word)
    );
    """,
)
"""What brings a database from one version to the next. They are never changed once released."""
