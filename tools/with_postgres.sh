#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, which psql reaches by the
# environment (PGHOST, PGDATABASE, ...), and ends it afterwards.
#
#   tools/with_postgres.sh <command> [argument]...
#
# The server listens on a socket in a temporary directory, not on the network.
set -euo pipefail

programs=/usr/lib/postgresql/15/bin
if [ ! -x "$programs/initdb" ]; then
  echo "There is no $programs/initdb: install postgresql-15." >&2
  exit 1
fi

dir=$(mktemp -d -t millrace-postgres-XXXXXX)
as=()
if [ "$(id -u)" -eq 0 ]; then # PostgreSQL refuses root.
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chown postgres "$dir"
fi

finish() {
  if [ -s "$dir/data/postmaster.pid" ]; then
    (cd "$dir" && "${as[@]}" "$programs/pg_ctl" -D data -m immediate stop >/dev/null) || true
  fi
  rm -rf "$dir"
}
trap finish EXIT

(
  cd "$dir"
  "${as[@]}" "$programs/initdb" -D data -U millrace -A trust -E UTF8 --locale=C --no-sync
  "${as[@]}" "$programs/pg_ctl" -D data -l log -w start \
    -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off"
) >"$dir/start.log" 2>&1 || {
  cat "$dir/start.log" "$dir/log" >&2
  exit 1
}

PGHOST=$dir PGPORT=5432 PGUSER=millrace PGDATABASE=postgres PGPASSWORD='' "$@"
