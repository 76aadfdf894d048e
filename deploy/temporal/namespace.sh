#!/bin/sh
# Creates the namespace of the agents and its search attributes, unless they are there, once the server is well.
set -eu

# Runs the command given until it succeeds; gives up, and shows why, after a minute.
eventually() {
    for _ in $(seq 60); do
        "$@" >/dev/null 2>&1 && return
        sleep 1
    done
    "$@"
}

eventually temporal operator cluster health
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 72h

# The server knows a new namespace and new search attributes within seconds.
eventually temporal workflow list --namespace "$TEMPORAL_NAMESPACE" --limit 1
eventually temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
    --name AosKind --type Keyword --name AosStatus --type Keyword \
    --name AosTeam --type Keyword --name AosSkills --type KeywordList
eventually temporal workflow list --namespace "$TEMPORAL_NAMESPACE" --limit 1 \
    --query "AosKind = 'x' OR AosStatus = 'x' OR AosTeam = 'x' OR AosSkills = 'x'"
