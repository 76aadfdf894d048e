#!/bin/sh
# Creates or updates Temporal's two databases in Postgres; may be run again at any time.
set -eu

for database in temporal temporal_visibility; do
    tool="temporal-sql-tool --plugin $DB --endpoint $POSTGRES_SEEDS --port $DB_PORT --user $POSTGRES_USER --database $database"
    $tool create-database
    $tool setup-schema --version 0.0
    $tool update-schema --schema-name "postgresql/v12/${database#temporal_}"
done
