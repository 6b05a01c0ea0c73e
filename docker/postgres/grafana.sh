#!/bin/sh
# usage: POSTGRES_USER=... POSTGRES_DB=... GRAFANA_DATABASE_PASSWORD=... grafana.sh
#
# Makes Grafana's user and database, of which it is the owner. PostgreSQL's image
# runs this once, when it makes its own; run again, it changes nothing but the
# password. The password is on no command line.

set -eu

: "${GRAFANA_DATABASE_PASSWORD:?make a password for the database of Grafana}"
psql -Xq -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'END'
\getenv password GRAFANA_DATABASE_PASSWORD
SELECT 'CREATE ROLE grafana LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') \gexec
ALTER ROLE grafana PASSWORD :'password';
SELECT 'CREATE DATABASE grafana OWNER grafana' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'grafana') \gexec
END
