"""The vectors of records in Postgres, by pgvector, and which of them are nearest to one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from aos.errors import SetupError
from aos.memory import Embedded
from aos_activities.memory.embedded import check_embedded
from aos_activities.memory.rows import CURRENT, FEW, PLACES, Place

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy


async def prepare_for(connection: PoolConnectionProxy, embedded: Embedded | None, texts: int) -> bool:
    """Check that the vectors of so many texts fit, make room for the first, and return whether there are any.

    Raises:
        InvalidInput: They do not fit.
        SetupError: The database has no pgvector.
    """
    there = await _there(connection)
    first = check_embedded(embedded, there, texts) if embedded else there
    if there is not None or first is None:
        return there is not None
    model, length = first
    try:
        async with connection.transaction():
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public")
    except asyncpg.PostgresError as error:
        raise SetupError(
            f"memory cannot be searched by meaning, for the database has no pgvector: {error}; install it there, or "
            "do without embeddings"
        ) from None
    await connection.execute("INSERT INTO embedding VALUES ($1, $2)", model, length)
    # Half precision takes half the room, and is as good to find neighbours by.
    await connection.execute(
        f"""CREATE TABLE meanings (place bigint PRIMARY KEY REFERENCES places, vector halfvec({length}) NOT NULL);
            CREATE INDEX meanings_vector ON meanings USING hnsw (vector halfvec_cosine_ops)"""
    )
    return True


async def set_meanings(connection: PoolConnectionProxy, places: Sequence[Place], embedded: Embedded | None) -> None:
    """Give records that were written their vectors. Those without one lose what they had."""
    vectors = embedded.vectors if embedded else [None] * len(places)
    for place, vector in zip(places, vectors, strict=True):
        if vector is None or place.forgotten:
            await connection.execute("DELETE FROM meanings WHERE place = $1", place.place)
        else:
            await connection.execute(
                """INSERT INTO meanings VALUES ($1, $2::text::halfvec)
                    ON CONFLICT (place) DO UPDATE SET vector = excluded.vector""",
                *(place.place, str(vector)),
            )


async def nearest(
    connection: PoolConnectionProxy, embedded: Embedded, conditions: str, values: Sequence[object], count: int
) -> list[int]:
    """Return the places of the records that are nearest, of those for which `conditions` hold."""
    there = await _there(connection)
    check_embedded(embedded, there, 1)
    wanted = next((each for each in embedded.vectors if each is not None), None)
    if wanted is None or there is None:
        return []
    if conditions != CURRENT:
        query = f"{PLACES} WHERE {conditions} LIMIT {FEW + 1}"
        few = [row[0] for row in await connection.fetch(query, *values)]
        if len(few) <= FEW:
            exact = """WITH few AS MATERIALIZED (SELECT place, vector FROM meanings WHERE place = ANY ($1))
                SELECT place FROM few ORDER BY vector <=> $2::text::halfvec, place LIMIT $3"""
            return [row[0] for row in await connection.fetch(exact, few, str(wanted), count)]
    # The index goes on until as many as are wanted fit the filter.
    await connection.execute("SET LOCAL hnsw.iterative_scan = strict_order")
    await connection.execute(f"SET LOCAL hnsw.ef_search = {min(1000, max(100, 2 * count))}")
    vector, most = f"${len(values) + 1}", f"${len(values) + 2}"
    by_index = f"""{PLACES} JOIN meanings m ON m.place = p.place WHERE {conditions}
        ORDER BY m.vector <=> {vector}::text::halfvec({there[1]}) LIMIT {most}"""
    return [row[0] for row in await connection.fetch(by_index, *values, str(wanted), count)]


async def vectors_of(
    connection: PoolConnectionProxy, after: int, last: int
) -> tuple[str, list[tuple[str, str, int, list[float]]]]:
    """Return the model, and the vectors of records whose newest version is of these transactions.

    Each with its scope, its key and the number of its transaction.
    """
    there = await _there(connection)
    if there is None:
        return "", []
    # The vector of a record is that of its newest version.
    query = """SELECT p.scope, p.key, v.number, m.vector::text FROM meanings m JOIN places p ON p.place = m.place
        JOIN versions v ON v.place = p.place AND v.version = p.version WHERE v.number > $1 AND v.number <= $2"""
    rows = await connection.fetch(query, after, last)
    return there[0], [(scope, key, number, json.loads(vector)) for scope, key, number, vector in rows]


async def _there(connection: PoolConnectionProxy) -> tuple[str, int] | None:
    found = await connection.fetchrow("SELECT model, length FROM embedding")
    return (found[0], found[1]) if found else None
