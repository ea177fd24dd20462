#!/usr/bin/env bash
# Eight processes create a list of one name at the same time, and a ninth comes later: twins.sh [TIMES]
# Prints the lists that exist then. Fails if the rows are not all on one list, or if no report names an empty list that was
# left behind. twins.txtar runs it, with await of main_test.go: go test . -run TestMany/twins -long
set -euo pipefail
export KLAVIYO_API_KEY=pk_twins
directory=$(mktemp -d)
server=''
leave() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$directory"
}
trap leave EXIT
trap 'exit 1' INT TERM
cd "$directory"
# A list takes 300 ms to create, so that no process sees another's before.
cat >plan.yaml <<END
faults:
  - {on: POST /api/lists, times: -1, do: delay, before: 300ms}
END
klaviyo-export simulate --plan plan.yaml --addr 127.0.0.1:0 >server.json 2>server.log &
server=$!
await server.json || { cat server.log >&2; exit 1; }
url=$(jq -r .url server.json)
for time in $(seq "${1:-5}"); do
  runs=()
  # Six start before the list exists and get their rows at the same time; two start while the list is created.
  for i in $(seq 8); do
    {
      [ "$i" -gt 6 ] || until [ -e "rows-$time" ]; do sleep 0.02; done
      echo "{\"email\":\"p$i@$time.example.com\"}"
    } | {
      [ "$i" -le 6 ] || until [ -e "rows-$time" ]; do sleep 0.02; done
      klaviyo-export add --base-url "$url" --list-name "Twins $time" --batch-delay 10ms --wait --log-format json \
        >"part-$time-$i.ndjson" 2>"log-$time-$i"
    } &
    runs+=($!)
  done
  for i in 1 2 3 4 5 6; do await "log-$time-$i" started; done
  touch "rows-$time"
  for run in "${runs[@]}"; do wait "$run" || true; done
  # A partition that is run again later finds the lists as they are now.
  echo "{\"email\":\"p1@$time.example.com\"}" |
    klaviyo-export add --base-url "$url" --list-name "Twins $time" --wait --quiet >"part-$time-again.ndjson" || true
  curl -s "$url/simulator/lists" >lists.json
  jq -c -n --arg name "Twins $time" --slurpfile lists lists.json --slurpfile parts <(cat part-"$time"-*.ndjson) '
    [$lists[0][] | select(.name==$name)] as $made
    | [$parts[] | select(.type=="report")] as $reports
    | {
        lists: ($made | length), used: ($reports | map(.list.id) | unique | length), on_it: ($made | map(.profiles) | max),
        empty: ($made | map(select(.profiles == 0).id) | sort), left_behind: ($reports | map(.list.left_behind // []) | add | sort),
        failed: ($reports | map(select(.exit_code != 0)) | length)
      }
    | . + {ok: (.used == 1 and .on_it == 8 and .empty == .left_behind and .failed == 0)}'
done >told
cat told
! grep -q '"ok":false' told
