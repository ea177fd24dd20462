#!/usr/bin/env bash
# Runs a command beside its own PostgreSQL server, which psql finds through the environment: a socket, no address. The server does
# not run as root, so root starts it as the user postgres. Nothing remains after the command.
set -euo pipefail
directory=$(env -u TMPDIR mktemp -d) # a socket's path must be short, and postgres must be able to read it
as=()
if [ "$(id -u)" = 0 ]; then
  chown postgres: "$directory"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
leave() {
  (cd / && "${as[@]}" pg_ctl -D "$directory/data" -m immediate -s stop) || true
  rm -rf "$directory"
}
export TMPDIR=$directory
trap leave EXIT
trap 'exit 1' INT TERM
(
  cd "$directory"
  "${as[@]}" initdb -D data -U shop -E UTF8 --locale=C --auth=trust --no-sync >log
  "${as[@]}" pg_ctl -D data -l server.log -w -s -o "-c listen_addresses= -c unix_socket_directories=$directory -c fsync=off" start ||
    { cat server.log >&2; exit 1; }
)
export PGHOST=$directory PGUSER=shop PGDATABASE=postgres
"$@" & # in the background, so that a signal ends the wait at once
wait $!
