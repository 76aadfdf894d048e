"""The tables of memory in SQLite, made by numbered migrations."""

from __future__ import annotations

import sqlite3

from aos_activities.migrations import missing

_MIGRATIONS = (
    """
    CREATE TABLE transactions (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, at INTEGER NOT NULL,
        by TEXT NOT NULL, why TEXT NOT NULL, source TEXT NOT NULL
    );
    CREATE INDEX transactions_at ON transactions (at);
    CREATE TABLE places (
        place INTEGER PRIMARY KEY, scope TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
        UNIQUE (scope, key)
    );
    CREATE TABLE versions (
        place INTEGER NOT NULL REFERENCES places, version INTEGER NOT NULL,
        number INTEGER NOT NULL REFERENCES transactions,
        text TEXT NOT NULL, data TEXT, kind TEXT NOT NULL, tags TEXT NOT NULL,
        valid_from INTEGER, valid_to INTEGER, forgotten INTEGER NOT NULL,
        PRIMARY KEY (place, version)
    ) WITHOUT ROWID;
    CREATE INDEX versions_number ON versions (number);
    CREATE TABLE tags (
        tag TEXT NOT NULL, place INTEGER NOT NULL REFERENCES places, PRIMARY KEY (tag, place)
    ) WITHOUT ROWID;
    CREATE TABLE embedding (model TEXT NOT NULL, length INTEGER NOT NULL);
    CREATE TABLE meanings (
        place INTEGER PRIMARY KEY REFERENCES places, number INTEGER NOT NULL, vector BLOB
    );
    CREATE INDEX meanings_number ON meanings (number);
    CREATE VIRTUAL TABLE words USING fts5 (
        key, text, tags, content='', tokenize='porter unicode61 remove_diacritics 2'
    );
    INSERT INTO words (words, rank) VALUES ('rank', 'bm25(5.0, 1.0, 2.0)');
    """,
)
"""What brings a database from one version to the next. They are never changed once released."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date; it runs in a transaction.

    Raises:
        SetupError: They are of a later version of AOS.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for script in missing(_MIGRATIONS, version):
        for statement in script.split(";"):
            connection.execute(statement)
    # A pragma takes no parameters.
    connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
