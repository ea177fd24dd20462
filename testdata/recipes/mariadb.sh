#!/usr/bin/env bash
# Runs a command beside its own MariaDB server, which the mariadb client finds through $HOME/.my.cnf: a socket, no address. Root
# starts the server as the user mysql. Nothing remains after the command.
set -euo pipefail
directory=$(env -u TMPDIR mktemp -d) # a socket's path must be short, and mysql must be able to read it
as=()
if [ "$(id -u)" = 0 ]; then
  chown mysql: "$directory"
  as=(setpriv --reuid=mysql --regid=mysql --clear-groups)
fi
server=
leave() {
  [ -z "$server" ] || kill -KILL "$server" || true
  rm -rf "$directory"
}
export TMPDIR=$directory
trap leave EXIT
trap 'exit 1' INT TERM
"${as[@]}" mariadb-install-db --no-defaults --datadir="$directory/data" --auth-root-authentication-method=normal --skip-test-db >"$directory/log" 2>&1 ||
  { cat "$directory/log" >&2; exit 1; }
"${as[@]}" mariadbd --no-defaults --datadir="$directory/data" --socket="$directory/socket" --pid-file="$directory/pid" --skip-networking \
  --innodb-flush-log-at-trx-commit=0 >>"$directory/log" 2>&1 &
server=$!
export HOME=$directory
printf '[client]\nuser = root\nsocket = %s\n' "$directory/socket" >"$directory/.my.cnf"
until mariadb-admin ping >/dev/null 2>&1; do
  kill -0 "$server" 2>/dev/null || { cat "$directory/log" >&2; exit 1; }
  sleep 0.05
done
"$@" & # in the background, so that a signal ends the wait at once
wait $!
