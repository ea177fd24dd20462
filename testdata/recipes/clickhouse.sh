#!/usr/bin/env bash
# Runs a command beside its own ClickHouse server on loopback, which clickhouse-client finds
# through $HOME. Nothing remains after the command.
set -euo pipefail
directory=$(env -u TMPDIR mktemp -d)
server=
leave() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$directory"
}
export TMPDIR=$directory
trap leave EXIT
trap 'exit 1' INT TERM
export HOME=$directory
mkdir "$directory/.clickhouse-client"
for _ in 1 2 3; do # another process may have the port
  port=$((20000 + RANDOM % 10000))
  cat >"$directory/config.xml" <<END
<yandex>
  <logger><level>error</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host><tcp_port>$port</tcp_port>
  <path>$directory/data/</path><tmp_path>$directory/tmp/</tmp_path><user_files_path>$directory/files/</user_files_path>
  <mark_cache_size>1000000</mark_cache_size>
  <users_config>$directory/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
</yandex>
END
  cat >"$directory/users.xml" <<'END'
<yandex>
  <profiles><default/></profiles><quotas><default/></quotas>
  <users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
</yandex>
END
  printf '<config><host>127.0.0.1</host><port>%s</port></config>\n' "$port" >"$directory/.clickhouse-client/config.xml"
  clickhouse-server --config-file="$directory/config.xml" >"$directory/log" 2>&1 &
  server=$!
  until clickhouse-client --query 'select 1' >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || continue 2
    sleep 0.05
  done
  "$@" & # in the background, so that a signal ends the wait at once
  wait $!
  exit
done
cat "$directory/log" >&2
exit 1
