"""What a Postgres has written."""

from __future__ import annotations

from psycopg import AsyncConnection

_WRITTEN = """
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8,
       (SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class WHERE relkind = 'r')
"""


async def written(connection: AsyncConnection) -> dict[str, float]:
    """Return the bytes of the database's tables with their indexes, and of the log that makes them durable."""
    row = await (await connection.execute(_WRITTEN)).fetchone()
    return {"log_bytes": row[0], "bytes": row[1]} if row else {}
