#!/usr/bin/env bash
# Runs the filter as the map step of GNU parallel, sending rows.ndjson to the Klaviyo at $URL, and prints the outcome: blocks of
# a file on this machine, a stream dealt out to two hosts, and a partition that is killed and run again. The hosts are two names of
# an sshd on 127.0.0.1 with keys of its own. Writes into the working directory; of sshd nothing is left.
# parallel.txtar has the commands and their outcome: go test . -run TestMany/parallel -long -v
set -euo pipefail
. "${0%/*}/told.sh"
directory=$(env -u TMPDIR mktemp -d)
sshd='' made='' tries=0
leave() {
  [ -z "$sshd" ] || kill "$sshd" || true
  [ -z "$made" ] || rmdir "$made" || true
  rm -rf "$directory"
}
trap leave EXIT
trap 'exit 1' INT TERM
umask 077
export PARALLEL_HOME=$directory
touch "$directory/will-cite"

echo '== one machine'
. ./pipepart
told Pipepart part-*.ndjson

echo '== two hosts'
ssh-keygen -q -t ed25519 -N '' -f "$directory/host"
ssh-keygen -q -t ed25519 -N '' -f "$directory/user"
if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
  mkdir -m 755 /run/sshd # root's sshd does not start without
  made=/run/sshd
fi
until [ -n "$sshd" ] && grep -q 'Server listening' "$directory/log"; do
  if [ -z "$sshd" ] || ! kill -0 "$sshd" 2>/dev/null; then # the port was not free
    port=$((20000 + RANDOM % 12000))
    [ $((tries += 1)) -le 20 ] || { cat "$directory/log" >&2; exit 1; }
    "$(command -v sshd)" -D -e -f /dev/null -h "$directory/host" -o "ListenAddress=127.0.0.1:$port" -o "AuthorizedKeysFile=$directory/user.pub" \
      -o StrictModes=no -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o PidFile=none -o MaxStartups=100 \
      -o "SetEnv=KLAVIYO_API_KEY=$KLAVIYO_API_KEY PATH=$PATH BREACHES=${BREACHES:-}" 2>"$directory/log" &
    sshd=$!
  fi
  sleep 0.05
done
cat >"$directory/hosts" <<END
Host one two
  HostName 127.0.0.1
  Port $port
  IdentityFile $directory/user
  IdentitiesOnly yes
  StrictHostKeyChecking accept-new
  UserKnownHostsFile $directory/known
  LogLevel ERROR
END
export PARALLEL_SSH="ssh -F $directory/hosts"
. ./ssh
awk 'NR > 1 { n[$2]++ } END { for (host in n) print host, (n[host] > 1 ? "had several partitions" : "had one partition") }' hosts | sort
told Ssh host-part-*.ndjson

echo '== killed and run again'
# In place of the first partition's first try comes one whose rows stop coming, which is killed when it has sent some.
mkdir again bin
cat >bin/klaviyo-export <<'END'
#!/usr/bin/env bash
PATH=${PATH#*/bin:}
[ "$PARALLEL_SEQ" = 1 ] && mkdir bin/tried 2>/dev/null || exec klaviyo-export "$@"
head -n 20 >bin/some
mkfifo bin/rows
klaviyo-export "$@" --batch-delay 10ms <bin/rows &
exec 3>bin/rows
cat bin/some >&3
until grep -q accepted again/1.ndjson; do sleep 0.05; done
kill -KILL $!
wait $!
END
chmod +x bin/klaviyo-export
(
  PATH=$PWD/bin:$PATH
  . ./retried
)
told Again again/*.ndjson
